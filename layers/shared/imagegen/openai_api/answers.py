"""What a made image is answered with under /v1: its bytes as text, or where they are."""

import base64
from collections.abc import Callable
from dataclasses import dataclass

from imagegen.domain import ids
from imagegen.domain.catalog import Catalog
from imagegen.domain.days import epoch_seconds, utc_day
from imagegen.domain.errors import StoreUnavailableError
from imagegen.domain.ledger import Limits
from imagegen.domain.stores import ImageContent
from imagegen.openai_api.models import (
    SAID_QUALITIES,
    ImageData,
    ImagesAnswer,
    ImagesRequest,
    ListedModel,
    ModelList,
    Receipt,
    usage_of,
)
from imagegen.usecases.conversions import allowance, cost_of, replaced
from imagegen.usecases.generate.run import Made
from imagegen.wire.images import Allowance
from imagegen.wire.reports import Models

INLINE_BYTES = 4_500_000
"""As base64 6,000,000: with what stands around it below Lambda's 6 MB.
Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""
OURS = "imagegen"


@dataclass(frozen=True, slots=True)
class OpenAiPresenter:
    """Writes the answers of the routes under /v1."""

    catalog: Catalog
    contents: ImageContent
    limits: Limits
    image_id_key: Callable[[], bytes]
    now_ms: Callable[[], int]

    def image(self, made: Made, asked: ImagesRequest, base_url: str) -> ImagesAnswer:
        """Return the image; ``base_url`` is where this service is reached.

        Whatever goes wrong here, the image is paid for: where its bytes cannot be had or are too
        many, the answer says where they are.
        """
        record = made.record
        image_id = ids.image_id(made.ref, self.image_id_key())
        url = f"{base_url}/images/{image_id}"
        text = None if asked.response_format == "url" else self._text(made)
        return ImagesAnswer(
            created=record.created_ms // 1000,
            data=(ImageData(url=url) if text is None else ImageData(b64_json=text),),
            size=f"{record.width}x{record.height}",
            quality=SAID_QUALITIES[record.tier],
            output_format=record.media_type.removeprefix("image/"),
            usage=usage_of(record.tokens),
            imagegen=Receipt(
                image_id=image_id,
                image_url=url,
                repeated=made.is_replay,
                provider=record.provider,
                model=record.model,
                quality=record.tier,
                cost=cost_of(record),
                fallback=replaced(record.fallback),
                duration_ms=record.duration_ms,
                url_instead=text is None and asked.response_format != "url",
                remaining=self._remaining(made),
            ),
        )

    def models(self, offered: Models) -> ModelList:
        """Return what ``model`` may say now: tiers, catalog keys and providers' models."""
        rows = [row for row in offered.models if row.available]
        tiers = dict.fromkeys(row.quality for row in rows)
        newest = max(epoch_seconds(row.checked_on) for row in self.catalog.models)
        listed = [ListedModel(id=tier, created=newest, owned_by=OURS) for tier in tiers]
        for row in rows:
            created = epoch_seconds(self.catalog.by_key[row.key].checked_on)
            listed += [
                ListedModel(
                    id=name, created=created, owned_by=row.provider, shutdown_date=row.shutdown_on
                )
                for name in (row.key, row.model)
            ]
        return ModelList(data=tuple({one.id: one for one in listed}.values()))

    def _text(self, made: Made) -> str | None:
        try:
            content = self.contents.read(made.ref, limit_bytes=INLINE_BYTES)
        except StoreUnavailableError:
            return None
        return None if content is None else base64.b64encode(content).decode()

    def _remaining(self, made: Made) -> Allowance:
        now_ms = self.now_ms()
        return allowance(made.ledger, self.limits, utc_day(now_ms), now_ms=now_ms)
