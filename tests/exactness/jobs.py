"""R21: SIGKILL after an order was sent; a later run finds the job: bills = images = charges."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import cycle
from multiprocessing.connection import Connection
from typing import Any

import requests

from imagegen.domain.catalog import Catalog
from imagegen.domain.ledger import OpState
from imagegen.domain.money import usd_text
from imagegen.domain.pricing import price_microusd
from imagegen.providers import PROVIDERS, build_provider
from imagegen.usecases.generate.run import Made
from local.simulator.routes import BASES
from local.simulator.server import Simulator
from tests.exactness.crashes import AT_A_TIME, LEASE_AND_A_MINUTE_MS, Parking
from tests.exactness.ground import Clock, Ground, Place, child, receive
from tests.exactness.instance import PROMPT, Instance, instance
from tests.exactness.rows import Measured, Verdict
from tests.exactness.stored import stored_by_quote
from tests.fakes.catalogs import catalog, real_catalog, row
from tests.vendors import credential

KEPT, MADE, UNKEPT = "after the job was kept", "before the put", "before the job was kept"
FOUND = (KEPT, MADE)
VENDORS = tuple(
    name
    for name in PROVIDERS
    if hasattr(build_provider(name, credential=credential(name, "a-key")), "job_result")
)
"""Of the registry, those whose jobs are asked for again."""
KILLS = 25
"""Of each vendor, at each of the two points after which the job can be found."""
LOST = 10
"""Of each vendor, at the point at which nobody has the job's id."""


def one_row(name: str) -> Catalog:
    """Return a catalog with one row of a vendor, as it is shipped."""
    shipped = next(one for one in real_catalog().models if one.provider == name)
    size = shipped.sizes[0]
    microusd = price_microusd(shipped, size)
    assert microusd is not None
    price = {"rule": "perImage", "usd": {size.size: usd_text(microusd)}}
    params = dict(size.params)
    sizes = [{"size": size.size, "shape": "square", "params": params}]
    return catalog(
        row(f"{name}-only", priority=1, model=shipped.model, price=price, sizes=sizes, params={})
    )


def fleet_member(place: Place, clock: Clock, url: str, name: str) -> Instance:
    """Return an instance whose only provider is a real adapter, at a stand-in."""
    key = credential(name, "sk-simulated-1234")
    adapter: Any = build_provider(name, credential=key, base_url=url + BASES[name])
    dynamodb = place.unhurried()
    made = instance(
        dynamodb, place.s3(), place.table, place.bucket, clock, drawn_by={name: adapter}
    )
    made.catalog = one_row(name)
    return made


def order_until(
    connection: Connection, place: Place, url: str, task: tuple[str, str, str, str]
) -> None:
    """Confirm a quote with the real use case, stores and adapter; stop at the point."""
    name, point, quote, user = task
    parking = Parking(connection, point)
    made = fleet_member(place, Clock(), url, name)
    made.jobs = parking.around(made.jobs, {"put": UNKEPT}, {"put": KEPT})
    made.images = parking.around(made.images, {"put": MADE}, {})
    made.confirm(quote, user)
    connection.send(0)


@dataclass(slots=True)
class Scene:
    """The vendor, and the runs that were killed."""

    place: Place
    url: str
    name: str
    fleet: Instance
    killed: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Quote and point by user."""

    def kill(self, task: tuple[str, str]) -> None:
        """Start a run and kill it at a point."""
        point, user = task
        quote = self.fleet.estimate(user).quote
        process, pipe = child(order_until, self.place, self.url, (self.name, point, quote, user))
        if receive(pipe):
            process.kill()
            self.killed[user] = (quote, point)
        process.join()
        pipe.close()

    def bill(self) -> tuple[int, int]:
        """Return how many images the vendor made, and what it bills for them."""
        seen = requests.get(f"{self.url}/control/providers", timeout=10).json()[self.name]
        return seen["images"], seen["billedMicrousd"]

    def charges(self, user: str) -> list[int]:
        """Return the user's charges."""
        ops = self.fleet.ledgers.load(user).ops.values()
        return [op.price_microusd for op in ops if op.state is OpState.SETTLED]


def r21(ground: Ground) -> Measured:
    """Kill 60 runs of each vendor; half of the users return, and the sweep finds the rest."""
    verdict = Verdict()
    verdict.demand(bool(VENDORS), "no provider of the registry has jobs")
    figures = [_killed(ground, name, verdict) for name in VENDORS]
    found, killed, billed, charged, again = map(sum, zip(*figures, strict=True))
    return verdict.measured(
        f"{found} killed after the order: {found} bills = images = charges, 0 ordered again; "
        f"{killed - found} killed before its id was kept: 0 charged",
        killed=killed, billedMicrousd=billed, chargedMicrousd=charged, foundByTheSameQuote=again,
    )  # fmt: skip


def _killed(ground: Ground, name: str, verdict: Verdict) -> tuple[int, int, int, int, int]:
    """Return how many were found and killed, what is billed and charged, and who returned."""
    clock = Clock()
    place = ground.place(bucket=True)
    with Simulator.start() as vendor:
        here = Scene(place, vendor.url, name, fleet_member(place, clock, vendor.url, name))
        with ThreadPoolExecutor(AT_A_TIME) as pool:
            list(pool.map(here.kill, _tasks(ground, name)))
        ordered, billed = here.bill()
        clock.at_ms += LEASE_AND_A_MINUTE_MS
        again = _return(here)
        here.fleet.reconciler.sweep(limit=1_000)
        second = here.fleet.reconciler.sweep(limit=1_000)
        verdict.demand(here.bill() == (ordered, billed), "an image was ordered again")
    verdict.demand(len(here.killed) == 2 * KILLS + LOST, f"killed only {len(here.killed)}")
    verdict.demand(ordered == len(here.killed), f"{ordered} orders of {len(here.killed)} runs")
    verdict.demand(second.users == 0, "the second sweep found something")
    found = {user for user, (_, point) in here.killed.items() if point in FOUND}
    stored = stored_by_quote(place.s3(), place.bucket)
    charges = [one for user in here.killed for one in here.charges(user)]
    bill = billed // max(1, ordered) * len(found)
    verdict.demand(len(stored) == len(found) == len(charges), f"{len(stored)} images are stored")
    verdict.demand(sum(charges) == bill, f"charged {sum(charges)} of {bill} micro-dollars")
    lost = [one for user in set(here.killed) - found for one in here.charges(user)]
    verdict.demand(not lost, "a job whose id was lost is charged")
    return len(found), len(here.killed), billed, sum(charges), again


def _tasks(ground: Ground, name: str) -> Iterator[tuple[str, str]]:
    points = [*(KEPT,) * KILLS, *(MADE,) * KILLS, *(UNKEPT,) * LOST]
    ground.random(f"r21-{name}").shuffle(points)
    for point in points:
        yield point, ground.user()


def _return(here: Scene) -> int:
    """Let every second user whose job can be found send the quote again."""
    found = [(u, quote) for u, (quote, point) in sorted(here.killed.items()) if point in FOUND]
    returns = [user for user, is_back in zip(found, cycle((True, False)), strict=False) if is_back]
    return sum(isinstance(here.fleet.confirm(quote, user, PROMPT), Made) for user, quote in returns)
