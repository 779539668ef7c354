"""A provider and a moderator that do as they are told, and remember what they were asked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from imagegen.domain.call_errors import ProviderError
from imagegen.domain.inputs import InputFile, PreviewFrame
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import ImageAnswer, ImageOrder, Moderation, ServedModels
from imagegen.domain.vendor_prices import Statement
from tests.fakes.pictures import clear_png, png

type Reaction = bytes | Outcome | BaseException


@dataclass(slots=True)
class ScriptedProvider:
    """``ImageProvider``: takes the next reaction, and the last one again and again."""

    name: str
    reactions: list[Reaction] = field(default_factory=list)
    takes_ms: int = 0
    sleep: Callable[[int], None] = lambda _ms: None
    orders: list[ImageOrder] = field(default_factory=list)
    timeouts: list[float] = field(default_factory=list)
    key_checks: list[Outcome | None] = field(default_factory=list)
    retry_after_seconds: int | None = None
    served: ServedModels | Outcome | None = None
    stated: Sequence[Statement] | Outcome | None = None
    """What its vendor states of its rows, in their order; ``None`` for nothing."""
    priced: list[ImageOrder] = field(default_factory=list)
    """What it was asked the price of."""
    priced_seconds: list[float] = field(default_factory=list)
    """How long it could take for that."""
    usage: dict[str, int] | None = None
    frames: list[PreviewFrame] = field(default_factory=list)
    """What is handed over before each reaction."""
    has_jobs: bool = False
    """Whether each order is a job, whose ticket is its number."""
    job_answers: list[bytes | Outcome | None] = field(default_factory=lambda: [png()])
    """What a job comes to when it is asked for; ``None`` while it runs."""
    asked: list[str] = field(default_factory=list)
    """The tickets that were asked for."""
    asked_seconds: list[float] = field(default_factory=list)
    is_unbilled: bool = False
    """Whether its errors say that they are not billed."""
    is_billed: bool = False
    """Whether its errors say that their vendor has worked for them, and may bill them."""
    while_asked: Callable[[], None] = lambda: None
    """What happens meanwhile."""

    def generate(self, order: ImageOrder, *, timeout_seconds: float) -> ImageAnswer:
        self.orders.append(order)
        self.timeouts.append(timeout_seconds)
        if order.on_preview is not None:
            for frame in self.frames:
                order.on_preview(frame)
        if self.has_jobs and order.on_job is not None:
            order.on_job(f"job-{len(self.orders)}")
        self.sleep(self.takes_ms)
        reaction = self._next(order)
        if isinstance(reaction, Outcome):
            raise self._error(reaction)
        if isinstance(reaction, BaseException):
            raise reaction
        return ImageAnswer(reaction, usage=self.usage)

    def job_result(self, ticket: str, *, timeout_seconds: float) -> ImageAnswer | None:
        self.asked.append(ticket)
        self.asked_seconds.append(timeout_seconds)
        self.while_asked()
        answer = self.job_answers.pop(0) if len(self.job_answers) > 1 else self.job_answers[0]
        if isinstance(answer, Outcome):
            raise self._error(answer)
        return ImageAnswer(answer) if answer else None

    def check_key(self, *, timeout_seconds: float) -> None:
        outcome = self.key_checks.pop(0) if self.key_checks else None
        if outcome is not None:
            raise self._error(outcome)

    def models(self, *, timeout_seconds: float) -> ServedModels | None:
        if isinstance(self.served, Outcome):
            raise self._error(self.served)
        return self.served

    def stated_prices(
        self, orders: Sequence[ImageOrder], *, timeout_seconds: float
    ) -> Sequence[Statement] | None:
        self.priced.extend(orders)
        self.priced_seconds.append(timeout_seconds)
        if isinstance(self.stated, Outcome):
            raise self._error(self.stated)
        return self.stated

    def _next(self, order: ImageOrder) -> Reaction:
        if not self.reactions:
            is_clear = order.params.get("background") == "transparent"
            return (clear_png if is_clear else png)((order.width, order.height))
        return self.reactions.pop(0) if len(self.reactions) > 1 else self.reactions[0]

    def _error(self, outcome: Outcome) -> ProviderError:
        error = ProviderError(
            self.name,
            outcome,
            f"{self.name} said {outcome}",
            provider_code="a_code",
            retry_after_seconds=self.retry_after_seconds,
        )
        error.is_unbilled = self.is_unbilled
        error.is_billed = self.is_billed
        return error


@dataclass(slots=True)
class ScriptedModerator:
    """``Moderator``: a verdict, or none."""

    verdict: Moderation | Outcome = field(default_factory=lambda: Moderation(flagged=False))
    asked: list[str] = field(default_factory=list)
    pictures: list[InputFile] = field(default_factory=list)
    reads_pictures: bool = True

    def check(
        self, prompt: str, pictures: Sequence[InputFile] = (), *, timeout_seconds: float
    ) -> Moderation:
        self.asked.append(prompt)
        self.pictures.extend(pictures)
        if isinstance(self.verdict, Outcome):
            raise ProviderError("openai", self.verdict, "no verdict")
        return self.verdict
