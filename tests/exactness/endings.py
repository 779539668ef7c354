"""R19: sets, edits and operations, at once and in the background: every combination of ends.

Each set is made in a process of its own. There each of its images comes to its end: it is stored,
refused, failed, or its run stops before or after its put. Then the process is killed, if a run
stopped in it. Whatever was stored is charged, and nothing else.
"""

import os
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import combinations_with_replacement
from multiprocessing.connection import Connection
from typing import Any

from imagegen.domain.outcomes import Outcome
from imagegen.domain.quote import open_quote
from imagegen.usecases.generate.run import Made
from tests.exactness.crashes import LEASE_AND_A_MINUTE_MS, Scene, compared, second_sweep
from tests.exactness.ground import Clock, Ground, Place, child, receive
from tests.exactness.history import Historian
from tests.exactness.instance import LIFTED, Instance, instance, providers
from tests.exactness.rows import Measured, Verdict
from tests.exactness.works import Mode, Offered, Work, clicked, delivered, editors, offered, sent
from tests.fakes.service import KEYRING

IMAGES = 4
AT_A_TIME = 3
STORED, REFUSED, FAILED = "stored", "refused", "failed"
BEFORE, AFTER = "killed before the put", "killed after the put"
ENDS = (STORED, REFUSED, FAILED, BEFORE, AFTER)
OUTCOMES = {REFUSED: Outcome.REFUSED, FAILED: Outcome.BAD_PARAMETER}
CATALOG = editors("alpha")
"""One provider: each image has one attempt, and so exactly the end that is meant for it."""


@dataclass(frozen=True, slots=True)
class Case:
    """A set of images and how each of them is to end."""

    work: Work
    mode: Mode
    ends: tuple[str, ...]
    user: str

    @property
    def kept(self) -> int:
        """How many images are stored in the end."""
        return sum(end in (STORED, AFTER) for end in self.ends)


def cases(ground: Ground) -> list[Case]:
    """Return every combination of ends, of each work and in each mode."""
    sets: list[tuple[str, ...]] = list(combinations_with_replacement(ENDS, IMAGES))
    singles: list[tuple[str, ...]] = [(end,) for end in ENDS]
    of: dict[Work, list[tuple[str, ...]]] = {
        Work.IMAGES: sets,
        Work.EDITS: sets,
        Work.UPSCALE: singles,
        Work.CUTOUT: singles,
    }
    return [
        Case(work, mode, ends, ground.user())
        for work, combinations in of.items()
        for mode in Mode
        for ends in combinations
    ]


@dataclass(slots=True)
class Endings:
    """Leads each image of a process to an end, and reports when all have come to theirs."""

    connection: Connection
    ends: Sequence[str]
    at_rest: int = 0
    _orders: list[str] = field(init=False)
    _puts: list[str] = field(init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._orders = list(self.ends)
        self._puts = [end for end in self.ends if end not in OUTCOMES]

    def react(self, _name: str) -> Outcome | None:
        """Return how the next call to a provider ends."""
        with self._lock:
            return OUTCOMES.get(self._orders.pop() if self._orders else STORED)

    def next_put(self) -> str:
        """Return how the run of the next image ends that is put into the store."""
        with self._lock:
            return self._puts.pop() if self._puts else STORED

    def rest(self) -> None:
        """Note that an image has come to its end; the last one calls for the kill."""
        with self._lock:
            self.at_rest += 1
            is_last = self.at_rest == len(self.ends)
        if is_last and {BEFORE, AFTER} & set(self.ends):
            self.connection.send(os.getpid())

    def stop(self) -> None:
        """Stay here until the process is killed."""
        self.rest()
        threading.Event().wait()


@dataclass(slots=True)
class EndingImages:
    """The image store of a process whose runs stop beside their puts."""

    _target: Any
    _endings: Endings

    def put(self, *given: Any) -> Any:
        end = self._endings.next_put()
        if end == BEFORE:
            self._endings.stop()
        stored = self._target.put(*given)
        if end == AFTER:
            self._endings.stop()
        return stored

    def __getattr__(self, name: str) -> Any:
        return getattr(self._target, name)


@dataclass
class EndingInstance(Instance):
    """An instance that notes the end of each image which ends by itself."""

    endings: Endings | None = None

    def run_at_once[T](self, tasks: Sequence[Callable[[], T]]) -> list[T]:
        return super().run_at_once([self._noted(task) for task in tasks])

    def _noted[T](self, task: Callable[[], T]) -> Callable[[], T]:
        def run() -> T:
            result = task()
            if self.endings:
                self.endings.rest()
            return result

        return run


def run_to_the_ends(
    connection: Connection, place: Place, one: Offered, ends: tuple[str, ...], event: str
) -> None:
    """Make the images of an offer, or of an event, with the real use cases and stores."""
    endings = Endings(connection, ends)
    made = _instance(place, Clock(), endings.react)
    here = EndingInstance(
        made.ledgers,
        made.budgets,
        EndingImages(made.images, endings),
        made.records,
        made.circuits,
        made.now_ms,
        made.providers,
        erasing=made.erasing,
        catalog=CATALOG,
        prompts=made.prompts,
        endings=endings,
    )
    if event:
        delivered(here, event)
    else:
        clicked(here, one)
    connection.send(0)


def _instance(
    place: Place, clock: Clock, react: Callable[[str], Outcome | None] = lambda _name: None
) -> Instance:
    return instance(
        place.thin(), place.s3(), place.table, place.bucket, clock,
        drawn_by=providers(react), catalog=CATALOG,
    )  # fmt: skip


def scene(ground: Ground) -> Scene:
    """Return a scene with nobody in it."""
    place, clock, historian = ground.place(bucket=True), Clock(), Historian()
    thin = place.thin()
    thin.on_item = historian.tell
    fleet = instance(
        thin, place.s3(), place.table, place.bucket, clock, drawn_by=providers(), catalog=CATALOG
    )
    return Scene(place, fleet, clock, historian)


def played(here: Scene, case: Case) -> Offered:
    """Let a set come to its ends, and deliver its event once more."""
    fleet = replace(here.fleet, events=[])
    one = offered(fleet, case.user, case.work, count=len(case.ends))
    event = ""
    if case.mode is Mode.LATER:
        sent(fleet, one)
        (event,) = fleet.events
    process, pipe = child(run_to_the_ends, here.place, one, case.ends, event)
    if receive(pipe):
        process.kill()
        here.killed[case.mode] += 1
    process.join()
    pipe.close()
    if event and any(delivered(fleet, event)):
        raise AssertionError(f"{case}: an event that came twice made something")
    return one


def r19(ground: Ground) -> Measured:
    """Play all combinations; let half of the people click again, and the schedule find the rest."""
    verdict, here, todo = Verdict(), scene(ground), cases(ground)
    ground.random("r19").shuffle(todo)
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        played_sets = list(pool.map(lambda case: played(here, case), todo))
    here.clock.at_ms += LEASE_AND_A_MINUTE_MS
    pairs = list(zip(todo, played_sets, strict=True))
    again = {case: _clicked_again(verdict, here, case, one) for case, one in pairs[::2]}
    here.fleet.reconciler.sweep(limit=1_000)
    users = [case.user for case in todo]
    writes = second_sweep(here, users)
    held, difference, cents = compared(here, users)
    verdict.demand(writes == 0, f"the second sweep wrote {writes} times")
    verdict.demand(held == 0, f"{held} holds are left")
    verdict.demand(difference == 0, f"charged and stored differ in {difference} images")
    verdict.demand(cents == 0, f"the bills are off by {cents} micro-dollars")
    stored = here.stored()
    for case, one in pairs:
        kept = sum(open_quote(token, KEYRING).quote_id in stored for token in one.offer.quotes)
        verdict.demand(kept == case.kept + again.get(case, 0), f"{case}: {kept} stored")
    for user in users:
        for said in here.historian.problems(user, LIFTED, latest_ms=here.clock.at_ms):
            if "is followed by" not in said:  # what a killed process was told, nobody has heard
                verdict.demand(False, said)  # noqa: FBT003
    ways = Counter(f"{case.work} {case.mode}" for case in todo)
    return verdict.measured(
        f"{len(todo)} sets, {sum(here.killed.values())} killed: {len(stored)} images stored and "
        f"charged, {held} held; {len(again)} clicked again, {sum(again.values())} made by that",
        sets=ways, killed=dict(here.killed), stored=len(stored), again=len(again),
    )  # fmt: skip


def _clicked_again(verdict: Verdict, here: Scene, case: Case, one: Offered) -> int:
    """Click again when all is over, and return how many images that made.

    A set of which an image is stored is never filled up; what failed as a whole may be tried again.
    """
    calls = sum(provider.calls for provider in here.fleet.providers.values())
    shown = [image for image in clicked(here.fleet, one) if isinstance(image.result, Made)]
    made = sum(provider.calls for provider in here.fleet.providers.values()) - calls
    verdict.demand(made == 0 or case.kept == 0, f"{case}: {made} more made")
    verdict.demand(len(shown) == case.kept + made, f"{case}: {len(shown)} are shown")
    return made
