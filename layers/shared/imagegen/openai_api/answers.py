"""The answers of the routes under /v1: an image as base64 or as a URL, and the list of models."""

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
    QUALITY_OF_TIER,
    ImageData,
    ImagesAnswer,
    ImagesRequest,
    ListedModel,
    ModelList,
    Receipt,
    to_token_usage,
)
from imagegen.usecases.conversions import to_allowance, to_cost, to_replaced
from imagegen.usecases.generate.run import Made
from imagegen.wire.images import Allowance
from imagegen.wire.reports import Models

INLINE_BYTES = 4_500_000
"""The largest image that is sent as base64. It is then 6,000,000 bytes, and with the rest of the
answer below Lambda's limit of 6 MB.
Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""
OWNER = "imagegen"


@dataclass(frozen=True, slots=True)
class OpenAiPresenter:
    """Writes the answers of the routes under /v1."""

    catalog: Catalog
    contents: ImageContent
    limits: Limits
    image_id_key: Callable[[], bytes]
    now_ms: Callable[[], int]

    def image(self, made: Made, request: ImagesRequest, base_url: str) -> ImagesAnswer:
        """Return the answer with an image; ``base_url`` is the URL of this service.

        The image has been charged, so this raises no error if its bytes cannot be read or are too
        large: the answer then has the image's URL.
        """
        record = made.record
        image_id = ids.image_id(made.ref, self.image_id_key())
        url = f"{base_url}/images/{image_id}"
        text = None if request.response_format == "url" else self._base64(made)
        return ImagesAnswer(
            created=record.created_ms // 1000,
            data=(ImageData(url=url) if text is None else ImageData(b64_json=text),),
            size=record.pixels,
            quality=QUALITY_OF_TIER[record.tier],
            output_format=record.media_type.removeprefix("image/"),
            usage=to_token_usage(record.tokens),
            imagegen=Receipt(
                image_id=image_id,
                image_url=url,
                repeated=made.is_replay,
                provider=record.provider,
                model=record.model,
                quality=record.tier,
                cost=to_cost(record),
                fallback=to_replaced(record.fallback),
                duration_ms=record.duration_ms,
                url_instead=text is None and request.response_format != "url",
                remaining=self._remaining(made),
            ),
        )

    def models(self, models: Models) -> ModelList:
        """Return the values that ``model`` may have now: tiers, catalog keys and model ids."""
        rows = [row for row in models.models if row.available]
        tiers = dict.fromkeys(row.quality for row in rows)
        newest = max(epoch_seconds(row.checked_on) for row in self.catalog.models)
        listed = [ListedModel(id=tier, created=newest, owned_by=OWNER) for tier in tiers]
        for row in rows:
            created = epoch_seconds(self.catalog.by_key[row.key].checked_on)
            listed += [
                ListedModel(
                    id=name, created=created, owned_by=row.provider, shutdown_date=row.shutdown_on
                )
                for name in (row.key, row.model)
            ]
        return ModelList(data=tuple({one.id: one for one in listed}.values()))

    def _base64(self, made: Made) -> str | None:
        """Return the image's bytes, ``None`` if they cannot be read or are too large."""
        try:
            content = self.contents.read(made.ref, limit_bytes=INLINE_BYTES)
        except StoreUnavailableError:
            return None
        return None if content is None else base64.b64encode(content).decode()

    def _remaining(self, made: Made) -> Allowance:
        now_ms = self.now_ms()
        return to_allowance(made.ledger, self.limits, utc_day(now_ms), now_ms=now_ms)
