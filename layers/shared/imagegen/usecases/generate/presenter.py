"""The answers to confirmed requests: the image, or how far it is."""

from collections.abc import Callable
from dataclasses import dataclass

from imagegen.domain.catalog import Catalog
from imagegen.domain.days import utc_day
from imagegen.domain.ledger import Limits
from imagegen.domain.operations import RESULTS
from imagegen.domain.quote import Quote
from imagegen.domain.records import ImageRecord
from imagegen.usecases.budgets import to_allowance
from imagegen.usecases.conversions import to_image_facts, to_origin, to_run_facts
from imagegen.usecases.generate.run import Made, Running
from imagegen.wire.images import GeneratedImage, ImageInProgress, LlmApiCall

TYPICAL_SECONDS = 30
"""Assumed for a model that was removed from the catalog after it was quoted."""


@dataclass(frozen=True, slots=True)
class Presenter:
    """Writes the answer to a confirmed request."""

    catalog: Catalog
    limits: Limits
    now_ms: Callable[[], int]

    def in_progress(self, quote: Quote, running: Running) -> ImageInProgress:
        """Return the answer while the image is being made."""
        row = self.catalog.by_key.get(quote.candidates[0].key)
        return ImageInProgress(
            id=quote.image_id,
            started_at=running.started_ms,
            typical_seconds=row.typical_seconds if row else TYPICAL_SECONDS,
            charged=running.charged,
        )

    def image(self, quote: Quote, made: Made, prompt: str, base_url: str) -> GeneratedImage:
        """Return the answer with the finished image; ``base_url`` is the URL of this service."""
        record, now_ms = made.record, self.now_ms()
        return GeneratedImage(
            id=quote.image_id,
            image_url=f"{base_url}/images/{quote.image_id}",
            alt=prompt or RESULTS.get(record.operation, ""),
            style=quote.style,
            llm_api_call=_api_call(record),
            # What is left today, which is not the quote's day if midnight has passed since.
            remaining=to_allowance(made.ledger, self.limits, utc_day(now_ms), now_ms=now_ms),
            parents=tuple(one or None for one in record.parents),
            **to_image_facts(record),
            **to_run_facts(record),
            **to_origin(record),
        )


def _api_call(record: ImageRecord) -> LlmApiCall:
    return LlmApiCall(
        provider=record.provider,
        model=record.model,
        size=record.pixels,
        quality=record.tier,
        cost=record.charged_microusd,
        duration_ms=record.duration_ms,
        success=True,
        timestamp=record.created_ms,
    )
