"""R5: one confirmed quote, a hundred times at once: one call, one charge, one image."""

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from imagegen.domain.errors import ImagegenError, QuoteError, QuoteExpiredError, QuoteMismatchError
from imagegen.domain.ledger import OpState
from imagegen.domain.outcomes import Outcome
from imagegen.usecases.generate.run import Made, Running
from tests.exactness.ground import Clock, Ground, Skewed, all_at_once
from tests.exactness.instance import PROMPT, CountingProvider, Instance, instance, providers
from tests.exactness.rows import Measured, Verdict
from tests.fakes.clock import NOON_MS

CALLERS = 100
INSTANCES = 20
EXPECTED_MICROUSD = 50_000
MIDNIGHT_MS = NOON_MS - NOON_MS % 86_400_000 + 86_400_000


@dataclass(slots=True)
class Click:
    """What a hundred clicks came to."""

    ids: set[str] = field(default_factory=set)
    kinds: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class FleetState:
    """Twenty instances, one provider behind all of them, and the user's bill."""

    ground: Ground
    skews_ms: tuple[int, ...] = (0,)
    """Each instance's clock, in turn."""
    clock: Clock = field(default_factory=Clock)
    others: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    drawn_by: dict[str, CountingProvider] = field(init=False)
    crew: list[Instance] = field(init=False)
    user: str = field(init=False)

    def __post_init__(self) -> None:
        place = self.ground.place(bucket=True)
        client = place.patient()
        s3 = place.s3(CALLERS)
        self.drawn_by = providers(self._wait_for_the_others)
        self.user = self.ground.user()
        self.crew = [
            instance(client, s3, place.table, place.bucket, self._clock(n), drawn_by=self.drawn_by)
            for n in range(INSTANCES)
        ]

    def _clock(self, number: int) -> Callable[[], int]:
        return Skewed(self.clock, self.skews_ms[number % len(self.skews_ms)])

    def _wait_for_the_others(self, _: str) -> Outcome | None:
        """Draw only when every other click has been answered: they do meet a run under way."""
        for _other in range(CALLERS - 1):
            if not self.others.acquire(timeout=30):
                return Outcome.UNAVAILABLE
        return None

    @property
    def calls(self) -> int:
        return sum(one.calls for one in self.drawn_by.values())

    def click(self, quote: str, prompt: str = PROMPT) -> Click:
        """Confirm a hundred times at once, five from each instance."""
        came = Click()

        def one(number: int) -> tuple[str, str]:
            try:
                answer = self.crew[number % INSTANCES].confirmed(quote, self.user, prompt)
            except ImagegenError as error:
                return type(error).__name__, ""
            finally:
                self.others.release()
            assert isinstance(answer.result, Made | Running)
            return type(answer.result).__name__, answer.quote.image_id

        for kind, image_id in all_at_once(one, range(CALLERS), threads=CALLERS):
            came.kinds[kind] += 1
            came.ids |= {image_id} - {""}
        self.others = threading.Semaphore(0)
        return came

    def bill(self) -> dict[str, Any]:
        """Return what the user was charged."""
        ledger = self.crew[0].ledgers.load(self.user)
        states = Counter(op.state for op in ledger.ops.values())
        return {
            "spent": sum(ledger.spent.values()),
            "images": sum(ledger.images.values()),
            "charges": states[OpState.SETTLED],
            "held": states[OpState.HELD],
        }


def r5(ground: Ground) -> Measured:
    """Click at noon, around midnight, after the quote's end, and with another prompt."""
    verdict = Verdict()
    noon = FleetState(ground)
    figures = {"noon": _once(verdict, noon, NOON_MS, "noon")}
    midnight = FleetState(ground, (-100, 100))
    figures["midnight"] = _once(verdict, midnight, MIDNIGHT_MS, "midnight")
    figures["expired"] = _expired(verdict, noon)
    figures["changed"] = _changed(verdict, noon)
    return verdict.measured(
        f"{figures['noon']}; around midnight {figures['midnight']}; expired {figures['expired']}; "
        f"changed {figures['changed']}",
        **figures,
    )


def _once(verdict: Verdict, fleet: FleetState, at_ms: int, name: str) -> str:
    fleet.clock.at_ms = at_ms
    # By the instance whose clock is behind: around midnight, yesterday's quote.
    offer = fleet.crew[0].estimate(fleet.user)
    first = fleet.click(offer.quote)
    again = fleet.click(offer.quote)
    bill = fleet.bill()
    verdict.demand(first.kinds == {"Made": 1, "Running": 99}, f"{name}: {dict(first.kinds)}")
    verdict.demand(again.kinds == {"Made": CALLERS}, f"{name}, again: {dict(again.kinds)}")
    verdict.demand(first.ids == again.ids == {offer.image_id}, f"{name}: {len(first.ids)} ids")
    verdict.demand(fleet.calls == 1, f"{name}: {fleet.calls} provider calls")
    expected = {"spent": EXPECTED_MICROUSD, "images": 1, "charges": 1, "held": 0}
    verdict.demand(bill == expected, f"{name}: {bill}")
    return f"{fleet.calls} call, {bill['charges']} charge, {len(first.ids)} id of 200 answers"


def _expired(verdict: Verdict, fleet: FleetState) -> str:
    """Click on the used quote, and on one nobody used, after both have ended."""
    calls, before = fleet.calls, fleet.bill()
    used = fleet.crew[0].estimate(fleet.user)
    fleet.click(used.quote)
    unused = fleet.crew[0].estimate(fleet.user)
    fleet.clock.at_ms += 600_001
    made, late = fleet.click(used.quote), fleet.click(unused.quote)
    verdict.demand(made.kinds == {"Made": CALLERS}, f"used and expired: {dict(made.kinds)}")
    verdict.demand(made.ids == {used.image_id}, "used and expired: another id")
    gone = {QuoteExpiredError.__name__: CALLERS}
    verdict.demand(late.kinds == gone, f"expired: {dict(late.kinds)}")
    verdict.demand(fleet.calls == calls + 1, f"{fleet.calls - calls} calls")
    spent = fleet.bill()["spent"] - before["spent"]
    verdict.demand(spent == EXPECTED_MICROUSD, f"{spent} more was spent")
    return "100 the image if it was used, else 100 refused, 0 calls"


def _changed(verdict: Verdict, fleet: FleetState) -> str:
    calls, before = fleet.calls, fleet.bill()
    offer = fleet.crew[0].estimate(fleet.user)
    prompt = fleet.click(offer.quote, PROMPT + ".")
    body = offer.quote.split(".")
    body[2] = body[2][:-4] + ("AAAA" if body[2][-4:] != "AAAA" else "BBBB")
    forged = fleet.click(".".join(body))
    mismatch = {QuoteMismatchError.__name__: CALLERS}
    verdict.demand(prompt.kinds == mismatch, f"another prompt: {dict(prompt.kinds)}")
    verdict.demand(forged.kinds == {QuoteError.__name__: CALLERS}, f"forged: {dict(forged.kinds)}")
    verdict.demand((fleet.calls, fleet.bill()) == (calls, before), "a changed quote did something")
    return "200 refused, 0 calls, $0"
