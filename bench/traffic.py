"""Three hours of simulated traffic with a bad half hour in it, over fakes: nothing is called."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from random import Random

from generators.monitoring.numbers import Numbers
from generators.monitoring.queries import FUNCTIONS, LAMBDA
from imagegen.domain.errors import ImagegenError
from imagegen.domain.ledger import Limits
from imagegen.domain.outcomes import Outcome
from imagegen.guard import Transition
from imagegen.monitoring.metrics import Sample, line
from imagegen.monitoring.samples import (
    image_samples,
    key_check_samples,
    reconciled_samples,
    transition_samples,
)
from imagegen.providers import PROVIDERS
from imagegen.wire.images import iso_time
from tests.fakes.catalogs import real_catalog
from tests.fakes.pictures import png
from tests.fakes.service import Service

HOURS = 3
MINUTE_MS = 60_000
STACK = "prod"
TIERS = ("standard", "standard", "high", "high", "high", "fast", "ultra")
TOKENS = {"ultra": 3122, "high": 1756, "standard": 439, "fast": 196}
"""What OpenAI counts for a square; Gemini counts nothing here."""
SECONDS = dict.fromkeys(PROVIDERS, 8) | {"openai": 14, "gemini": 11, "together": 6, "replicate": 5}
DOWN = range(70, 100)
"""Minutes in which OpenAI fails."""
LOST, REFUSED = {72, 74}, range(120, 140)
"""Minutes in which an answer is lost, and in which Together does not accept its key."""


@dataclass(slots=True)
class Night:
    """What happened, as CloudWatch and its logs would know it."""

    numbers: Numbers = field(default_factory=Numbers)
    codes: Counter[str] = field(default_factory=Counter)
    news: list[str] = field(default_factory=list)
    service: Service = field(init=False)
    random: Random = field(default_factory=lambda: Random(7))
    _users: Iterator[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        self.service = Service(
            catalog=real_catalog(),
            limits=Limits(hourly_images=7),
            on_finished=lambda record: self._emit(image_samples(record, SECONDS)),
            on_transition=self._moved,
            on_ended=lambda ended: self._emit(reconciled_samples(ended)),
        )

    def happen(self) -> int:
        """Let it all happen. Return when it ends."""
        start_ms = self.service.clock()
        for minute in range(HOURS * 60):
            self.service.clock.at_ms = max(self.service.clock.at_ms, start_ms + minute * MINUTE_MS)
            if minute % 5 == 0:
                self._probe(minute)
            self._weather(minute)
            for _ in range(self.random.randint(0, 3)):
                self._image()
        return start_ms + HOURS * 60 * MINUTE_MS

    def _weather(self, minute: int) -> None:
        for name, seconds in SECONDS.items():
            provider = self.service.providers[name]
            provider.takes_ms = int(seconds * 1000 * self.random.lognormvariate(0, 0.25))
            provider.reactions = [png()]
        if minute in LOST:
            self.service.react("openai", Outcome.UNKNOWN)
        elif minute in DOWN:
            self.service.react("openai", Outcome.UNAVAILABLE)
            self.service.providers["openai"].takes_ms = 2_000
        elif self.random.random() < 0.03:
            self.service.react(self.random.choice(tuple(SECONDS)), Outcome.REFUSED)

    def _image(self) -> None:
        began_ms, tier = self.service.clock(), self.random.choice(TIERS)
        user, status = f"{next(self._users) // 8:032x}", 200
        drawn = {"input_tokens": self.random.randint(10, 90), "output_tokens": TOKENS[tier]}
        self.service.providers["openai"].usage = drawn
        try:
            offer = self.service.estimate(user=user, quality=tier)
            self.service.confirm(offer, user)
        except ImagegenError as error:
            status = 503 if error.retryable and "hourly" not in error.code else 422
            self.codes[error.code] += 1
        took_ms = self.service.clock() - began_ms
        self._run("estimate", self.random.uniform(8, 60))
        self._run("generate", took_ms + self.random.uniform(20, 80), status=status)
        # Users do not wait for one another.
        self.service.clock.at_ms = began_ms + self.random.randint(100, 15_000)

    def _probe(self, minute: int) -> None:
        if minute in REFUSED:
            self.service.providers["together"].key_checks = [Outcome.ACCOUNT]
        probed = self.service.key_checker.probe()
        for change in probed.changes:
            self._tell(f"key changed    {change.provider}: {change.old} -> {change.new}")
        self._emit(key_check_samples(probed))
        self._run("health", self.random.uniform(600, 1_400))

    def _run(self, function: str, took_ms: float, *, status: int = 200) -> None:
        values = {
            "Invocations": 1,
            "Errors": 0,
            "Throttles": 0,
            "Duration": took_ms,
            "ConcurrentExecutions": self.random.randint(1, 4),
            "UrlRequestCount": 1,
            "Url5xxCount": int(status >= 500),
        }
        dimensions = {"FunctionName": FUNCTIONS[function]}
        for name, value in values.items():
            self.numbers.put(LAMBDA, name, dimensions, value, at_ms=self.service.clock())

    def _moved(self, move: Transition) -> None:
        self._tell(f"circuit moved  {move.name}: {move.old} -> {move.new} ({move.why})")
        self._emit(transition_samples(move))

    def _tell(self, text: str) -> None:
        self.news.append(f"{iso_time(self.service.clock())[11:19]}  {text}")

    def _emit(self, samples: Iterator[Sample]) -> None:
        for sample in samples:
            said = line(sample, stack=STACK, level="INFO", now_ms=self.service.clock())
            self.numbers.read(said)
