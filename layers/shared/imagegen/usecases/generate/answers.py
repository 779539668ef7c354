"""The answers of POST /generate-image."""

from collections.abc import Callable
from dataclasses import dataclass

from imagegen.domain.catalog import Catalog
from imagegen.domain.ledger import Limits
from imagegen.domain.quote import Quote
from imagegen.domain.records import ImageRecord
from imagegen.usecases.conversions import allowance, attempts_of, cost_of, replaced
from imagegen.usecases.generate.run import Made, Running
from imagegen.wire.images import GeneratedImage, ImageInProgress, LlmApiCall

TYPICAL_SECONDS = 30
"""Assumed for a model that has left the catalog since it was quoted."""


@dataclass(frozen=True, slots=True)
class Presenter:
    """Writes the answer to a confirmed request."""

    catalog: Catalog
    limits: Limits
    now_ms: Callable[[], int]

    def in_progress(self, quote: Quote, running: Running) -> ImageInProgress:
        """Return that the image is being made."""
        row = self.catalog.by_key.get(quote.candidates[0].key)
        return ImageInProgress(
            id=quote.image_id,
            started_at=running.started_ms,
            typical_seconds=row.typical_seconds if row else TYPICAL_SECONDS,
        )

    def image(self, quote: Quote, made: Made, prompt: str, base_url: str) -> GeneratedImage:
        """Return the finished image; ``base_url`` is where this service is reached."""
        record = made.record
        return GeneratedImage(
            id=quote.image_id,
            image_url=f"{base_url}/images/{quote.image_id}",
            alt=prompt,
            media_type=record.media_type,
            width=record.width,
            height=record.height,
            provider=record.provider,
            model=record.model,
            quality=record.tier,
            size=f"{record.width}x{record.height}",
            style=quote.style,
            cost=cost_of(record),
            fallback=replaced(record.fallback),
            attempts=attempts_of(record),
            duration_ms=record.duration_ms,
            created_at=record.created_ms,
            llm_api_call=_api_call(record),
            remaining=allowance(made.ledger, self.limits, quote.day, now_ms=self.now_ms()),
        )


def _api_call(record: ImageRecord) -> LlmApiCall:
    return LlmApiCall(
        provider=record.provider,
        model=record.model,
        size=f"{record.width}x{record.height}",
        quality=record.tier,
        cost=record.charged_microusd,
        duration_ms=record.duration_ms,
        success=True,
        timestamp=record.created_ms,
    )
