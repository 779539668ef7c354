"""R18 and R20: many sets at once against the limits: every image is charged if it is stored."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from imagegen.domain.errors import ImagegenError
from imagegen.domain.ledger import Limits, OpState
from imagegen.domain.outcomes import Outcome
from imagegen.domain.quote import open_quote
from imagegen.usecases.generate.run import Made
from imagegen.usecases.generate.sets import ConfirmedImage, Result
from imagegen.wire.run_events import RunEvent
from tests.exactness.ground import Clock, Ground, all_at_once
from tests.exactness.instance import Instance, instance, providers
from tests.exactness.rows import Measured, Verdict
from tests.exactness.works import (
    Mode,
    Offered,
    Work,
    charges,
    clicked,
    delivered,
    editors,
    offered,
    parent_of,
    sent,
)
from tests.fakes.service import KEYRING

COUNT = 4
THREADS = 25
INSTANCES = 5
CATALOG = editors("alpha", "beta", "gamma")


@dataclass(slots=True)
class SetFleet:
    """Instances whose provider makes most images, refuses some and answers some without one."""

    ground: Ground
    limits: Limits
    work: Work = Work.IMAGES
    mode: Mode = Mode.AT_ONCE
    crew: list[Instance] = field(init=False)
    user: str = field(init=False)
    troubled: bool = False
    """Whether the provider fails now and then."""

    def __post_init__(self) -> None:
        place = self.ground.place(bucket=True)
        client, s3, clock = place.patient(), place.s3(COUNT * THREADS), Clock()
        dice = self.ground.random("sets", self.work, self.mode, self.limits.daily_microusd)
        self.user = self.ground.user()
        drawn_by = providers(lambda _name: _some_outcome(dice.random()) if self.troubled else None)
        self.crew = [
            instance(
                client, s3, place.table, place.bucket, clock,
                drawn_by=drawn_by, limits=self.limits, catalog=CATALOG,
            )
            for _ in range(INSTANCES)
        ]  # fmt: skip

    def offers(self, sets: int) -> list[Offered]:
        """Return offers for four images each; edits are all of one picture, made before."""
        here = self.crew[0]
        parent = None if self.work is Work.IMAGES else parent_of(here, self.user)
        self.troubled = True
        return [
            offered(here, self.user, self.work, count=COUNT, parent=parent) for _ in range(sets)
        ]

    def click(self, offers: Sequence[Offered]) -> list[list[ConfirmedImage]]:
        """Confirm all of them at once, with four images of each at the same time."""

        def one(number: int) -> list[ConfirmedImage]:
            here = self.crew[number % INSTANCES]
            if self.mode is Mode.AT_ONCE:
                return clicked(here, offers[number])
            return self._later(replace(here, events=[]), offers[number])

        return all_at_once(one, range(len(offers)), threads=THREADS)

    def _later(self, here: Instance, one: Offered) -> list[ConfirmedImage]:
        """Click, let the event come twice at the same moment, and return how the images ended."""
        images = sent(here, one)
        ends: dict[str, Result] = {}
        for event in here.events:
            both = [partial(delivered, at, event) for at in (here, self.crew[0])]
            waiting = RunEvent.model_validate_json(event).images
            for image, *results in zip(
                waiting, *all_at_once(lambda run: run(), both, threads=2), strict=True
            ):
                (result,) = [found for found in results if found is not None]
                ends[open_quote(image.quote, KEYRING).quote_id] = result
        return [
            replace(image, result=ends.get(image.quote.quote_id, image.result))
            for image in images
            if image.quote
        ]

    @property
    def calls(self) -> int:
        return sum(one.calls for one in self.crew[0].providers.values())

    def stored(self, offers: Sequence[Offered]) -> dict[str, int]:
        """Return what each stored image was charged, by quote id."""
        quotes = [open_quote(token, KEYRING) for one in offers for token in one.offer.quotes]
        found = [(one.quote_id, self.crew[0].images.find(one.ref)) for one in quotes]
        return {quote_id: record.charged_microusd for quote_id, record in found if record}


def r18(ground: Ground) -> Measured:
    """Click 200 sets at once where the hour allows ten images, and 50 where money is the limit."""
    verdict = Verdict()
    hour = _click(verdict, SetFleet(ground, _hourly(10)), 200, "hour")
    money = _click(verdict, SetFleet(ground, _daily(3_000_000)), 50, "money")
    return _measured(verdict, "200 sets of 4", hour, money)


def r20(ground: Ground) -> Measured:
    """Do the same with edits in the background, each of whose events comes twice."""
    verdict = Verdict()
    later = (Work.EDITS, Mode.LATER)
    # The picture that is edited is an image of the same hour and day.
    hour = _click(verdict, SetFleet(ground, _hourly(11), *later), 200, "hour")
    money = _click(verdict, SetFleet(ground, _daily(3_050_000), *later), 50, "money")
    return _measured(verdict, "200 sets of 4 edits in the background", hour, money)


def _hourly(images: int) -> Limits:
    return Limits(images, 100_000, 100_000, 10**12)


def _daily(microusd: int) -> Limits:
    return Limits(0, 100_000, 100_000, microusd)


def _measured(verdict: Verdict, what: str, hour: dict[str, Any], money: dict[str, Any]) -> Measured:
    verdict.demand(hour["stored"] == 10, f"hour: {hour['stored']} stored, not 10")
    verdict.demand(money["spent"] <= 3_000_000, f"money: {money['spent']} spent")
    return verdict.measured(
        f"{what} at ten an hour: {hour['stored']} stored and charged; 50 sets at $3.00: "
        f"{money['stored']} stored, ${money['spent'] / 1e6:.2f} charged, {money['partial']} sets "
        "in part; repeated: the same images, 0 calls",
        hour=hour, money=money,
    )  # fmt: skip


def _some_outcome(luck: float) -> Outcome | None:
    if luck < 0.1:
        return Outcome.REFUSED
    return Outcome.NO_IMAGE if luck < 0.2 else None


def _click(verdict: Verdict, fleet: SetFleet, sets: int, name: str) -> dict[str, Any]:
    offers = fleet.offers(sets)
    before = charges(fleet.crew[0], fleet.user)
    first = fleet.click(offers)
    stored, calls = fleet.stored(offers), fleet.calls
    ledger = fleet.crew[0].ledgers.load(fleet.user)
    settled = dict(charges(fleet.crew[0], fleet.user).items() - before.items())
    held = sum(op.state is OpState.HELD for op in ledger.ops.values())
    spent = sum(ledger.spent.values()) - sum(before.values())
    counted = sum(ledger.images.values()) - len(before)
    verdict.demand(settled == stored, f"{name}: {len(settled)} charged, {len(stored)} stored")
    verdict.demand(spent == sum(stored.values()), f"{name}: spent {spent}")
    verdict.demand(counted == len(stored), f"{name}: counted {counted}")
    verdict.demand(held == 0, f"{name}: {held} held")
    verdict.demand(_made(first) == set(stored), f"{name}: the answers list other images")
    again = [one for one in zip(offers, first, strict=True) if _made([one[1]])]
    repeated = fleet.click([offer for offer, _ in again])
    verdict.demand(
        [_made([one]) for one in repeated] == [_made([one]) for _, one in again],
        f"{name}: a repetition lists other images",
    )
    verdict.demand(fleet.calls == calls, f"{name}: a repetition made {fleet.calls - calls} calls")
    parts = Counter(len(_made([one])) for one in first)
    partial = sum(many for made, many in parts.items() if 0 < made < COUNT)
    return {"stored": len(stored), "spent": spent, "partial": partial, "calls": calls}


def _made(sets: list[list[ConfirmedImage]]) -> set[str]:
    """Return the quote ids of the images that answers have; any error is one without an image."""
    results = [one.result for images in sets for one in images]
    assert all(isinstance(one, Made | ImagegenError) for one in results)
    return {one.ref.quote_id for one in results if isinstance(one, Made)}
