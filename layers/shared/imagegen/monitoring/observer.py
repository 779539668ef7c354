"""Events of the service, written to the logs and, as samples, to the metrics.

A log line has counts and outcomes, never the text of a prompt or an answer.
"""

import sys
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from imagegen.domain.money import usd_text
from imagegen.domain.records import ImageRecord
from imagegen.guard import Transition
from imagegen.logs import logger, place_of
from imagegen.monitoring import samples
from imagegen.monitoring.metrics import Sample, line

if TYPE_CHECKING:
    # For types only: a function does not load a module that it does not use.
    from imagegen.usecases.generate.reconciler import EndedHold
    from imagegen.usecases.key_checks import KeyCheckResults
    from imagegen.usecases.price_checks import PriceCheckResults
    from imagegen.wire.messages import MessageComplete


@dataclass(frozen=True, slots=True)
class LogObserver:
    """Writes every event to the function's log, from which CloudWatch reads the metrics."""

    stack_name: str
    level: str
    providers: Collection[str]
    now_ms: Callable[[], int]

    def circuit_moved(self, transition: Transition) -> None:
        """Report a circuit that changed its state."""
        old, new = transition.old, transition.new
        logger.warning(
            "circuit moved", circuit=transition.name, old=old, new=new, why=transition.why
        )
        self._emit(samples.transition_samples(transition))

    def request_finished(self, record: ImageRecord) -> None:
        """Report a confirmed request that ended."""
        self._emit(samples.image_samples(record, self.providers))
        logger.info(
            "generation finished",
            status_word=record.status,
            quote_id=record.quote_id,
            tier=record.tier,
            provider=record.provider,
            model=record.model,
            row=record.key,
            charged_usd=usd_text(record.charged_microusd),
            billed_usd=_usd_or_none(record.actual_microusd),
            in_doubt_usd=usd_text(record.in_doubt_microusd),
            duration_ms=record.duration_ms,
            code=record.code,
            attempts=[
                {"provider": a.provider, "model": a.model, "outcome": a.outcome, "code": a.code}
                for a in record.attempts
            ],
        )

        if record.is_over_price:
            logger.warning(
                "billed above price",
                row=record.key,
                charged_usd=usd_text(record.charged_microusd),
                billed_usd=_usd_or_none(record.actual_microusd),
            )

    def dead_run_ended(self, ended: "EndedHold") -> None:
        """Report a request whose run died and was ended by the reconciler."""
        outcome = "settled" if ended.is_settled else "released"
        logger.warning("dead run ended", outcome=outcome, held_usd=usd_text(ended.microusd))
        self._emit(samples.reconciled_samples(ended))

    def swept(self) -> None:
        """Report a scheduled sweep that ended; an alarm notices when these stop."""
        self._emit(samples.sweep_samples())

    def keys_checked(self, results: "KeyCheckResults") -> None:
        """Report a check of the keys; of all instances, only one reports a changed key."""
        logger.info("keys checked", outcomes=results.outcomes)
        for change in results.changes:
            logger.warning("key changed", provider=change.provider, old=change.old, new=change.new)
        for model in results.unlisted:
            logger.warning("model not listed", model=model)
        self._emit(samples.key_check_samples(results))

    def prices_checked(self, results: "PriceCheckResults") -> None:
        """Report a check of the catalog's prices; the next key check sends the metric."""
        logger.info("prices checked", outcomes=results.outcomes)
        for one in results.drifts:
            logger.warning(
                "price differs",
                provider=one.row.provider,
                model=one.row.model,
                tier=one.row.tier,
                listed_usd=usd_text(one.microusd),
                stated_usd=_usd_or_none(one.stated_microusd),
            )

    def key_set_aside(self, provider: str, number: int) -> None:
        """Report a refused key by its number among its provider's keys; no part of it is logged."""
        logger.warning("key set aside", provider=provider, key_number=number)

    def chat_answered(self, message: "MessageComplete") -> None:
        """Report a chat's answer: its counts and how it ended, not its text."""
        calls = [one for one in message.llm_api_calls if one.type == "text"]
        logger.info(
            "chat answered",
            outcome=message.stop_reason,
            code=message.problem.code if message.problem else None,
            hint=message.problem.detail if message.problem else None,
            llm_calls=len(calls),
            offers=len(message.image_generations),
            input_tokens=sum(one.input_tokens or 0 for one in calls),
            output_tokens=sum(one.output_tokens or 0 for one in calls),
            duration_ms=sum(one.duration_ms for one in calls),
        )
        self._emit(samples.chat_samples(message))

    def unexpected_error(self, error: Exception) -> None:
        """Report an error that no code handles, without its text, which may contain a prompt."""
        logger.error("unexpected error", kind=type(error).__name__, place=place_of(error))

    def _emit(self, found: Iterable[Sample]) -> None:
        """Write samples in CloudWatch's embedded metric format."""
        at_ms = self.now_ms()
        for sample in found:
            text = line(sample, stack=self.stack_name, level=self.level, now_ms=at_ms)
            sys.stdout.write(f"{text}\n")


def _usd_or_none(microusd: int | None) -> str | None:
    return None if microusd is None else usd_text(microusd)
