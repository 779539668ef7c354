"""R18: many sets at once against the limits: every image is charged exactly if it is stored."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from imagegen.domain.errors import ImagegenError
from imagegen.domain.ledger import Limits, OpState
from imagegen.domain.outcomes import Outcome
from imagegen.domain.quote import open_quote
from imagegen.usecases.generate.run import Made
from imagegen.usecases.generate.sets import ConfirmedImage
from imagegen.wire.estimates import Estimate, EstimateRequest
from imagegen.wire.images import GenerateRequest
from tests.exactness.ground import Clock, Ground, all_at_once
from tests.exactness.instance import LIFETIME_MS, PROMPT, Instance, instance, providers
from tests.exactness.rows import Measured, Verdict
from tests.fakes.service import KEYRING

COUNT = 4
THREADS = 25
INSTANCES = 5
EACH_MICROUSD = 50_000


@dataclass(slots=True)
class SetFleet:
    """Instances whose provider makes most images, refuses some and answers some without one."""

    ground: Ground
    limits: Limits
    crew: list[Instance] = field(init=False)
    user: str = field(init=False)

    def __post_init__(self) -> None:
        place = self.ground.place(bucket=True)
        client, s3, clock = place.patient(), place.s3(COUNT * THREADS), Clock()
        dice = self.ground.random("r18", self.limits.daily_microusd)
        self.user = self.ground.user()
        drawn_by = providers(lambda _name: _some_outcome(dice.random()))
        self.crew = [
            instance(
                client, s3, place.table, place.bucket, clock, drawn_by=drawn_by, limits=self.limits
            )
            for _ in range(INSTANCES)
        ]

    def offers(self, sets: int) -> list[Estimate]:
        """Return offers for four images each."""
        asked = {"prompt": PROMPT, "quality": "standard", "count": COUNT}
        request = EstimateRequest.model_validate(asked)
        return [self.crew[0].estimator.estimate(request, self.user) for _ in range(sets)]

    def click(self, offers: list[Estimate]) -> list[list[ConfirmedImage]]:
        """Confirm all of them at once, with four images of each at the same time."""

        def one(number: int) -> list[ConfirmedImage]:
            request = GenerateRequest(quotes=offers[number].quotes, prompt=PROMPT)
            crew = self.crew[number % INSTANCES]
            made = crew.service.set_generator
            return made.generate(request, self.user, ends_ms=crew.now_ms() + LIFETIME_MS)

        return all_at_once(one, range(len(offers)), threads=THREADS)

    @property
    def calls(self) -> int:
        return sum(one.calls for one in self.crew[0].providers.values())

    def stored(self, offers: list[Estimate]) -> dict[str, int]:
        """Return what each stored image was charged, by quote id."""
        quotes = [open_quote(one, KEYRING) for offer in offers for one in offer.quotes]
        found = [(one.quote_id, self.crew[0].images.find(one.ref)) for one in quotes]
        return {quote_id: record.charged_microusd for quote_id, record in found if record}


def r18(ground: Ground) -> Measured:
    """Click 200 sets at once where the hour allows ten images, and 50 where money is the limit."""
    verdict = Verdict()
    hour = _click(verdict, SetFleet(ground, Limits(10, 100_000, 100_000, 10**12)), 200, "hour")
    money = _click(verdict, SetFleet(ground, Limits(0, 100_000, 100_000, 3_000_000)), 50, "money")
    verdict.demand(hour["stored"] == 10, f"hour: {hour['stored']} stored, not 10")
    verdict.demand(money["spent"] <= 3_000_000, f"money: {money['spent']} spent")
    return verdict.measured(
        f"200 sets of 4 at ten an hour: {hour['stored']} stored and charged; 50 sets at $3.00: "
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
    first = fleet.click(offers)
    stored, calls = fleet.stored(offers), fleet.calls
    ledger = fleet.crew[0].ledgers.load(fleet.user)
    settled = {
        quote_id: op.price_microusd
        for quote_id, op in ledger.ops.items()
        if op.state is OpState.SETTLED
    }
    held = sum(op.state is OpState.HELD for op in ledger.ops.values())
    spent = sum(ledger.spent.values())
    verdict.demand(settled == stored, f"{name}: {len(settled)} charged, {len(stored)} stored")
    verdict.demand(spent == sum(stored.values()), f"{name}: spent {spent}")
    verdict.demand(sum(ledger.images.values()) == len(stored), f"{name}: counted otherwise")
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
