"""Answers calls for images, new or changed: with base64, URLs or both, and with the receipt."""

import base64
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from imagegen.domain import ids
from imagegen.domain.catalog import Catalog
from imagegen.domain.days import utc_day
from imagegen.domain.errors import ImagegenError, StoreUnavailableError
from imagegen.domain.ledger import Limits
from imagegen.domain.stores import ImageContent
from imagegen.openai_api.answer_models import (
    Adapted,
    FailedImage,
    ImageData,
    ImageReceipt,
    ImagesAnswer,
    Receipt,
    TokenDetails,
    TokenUsage,
)
from imagegen.openai_api.model_names import ModelNames, Named
from imagegen.openai_api.models import (
    NO_PICTURES,
    QUALITY_OF_TIER,
    ImagesRequest,
    Pictures,
    canonical_body,
    check_count,
    tier_of,
    to_estimate_request,
)
from imagegen.openai_api.retries import parse_call
from imagegen.openai_api.sets import Bought, SetBuyer, Wanted
from imagegen.usecases.budgets import to_allowance
from imagegen.usecases.conversions import to_cost, to_replaced
from imagegen.usecases.generate.run import Made
from imagegen.wire.estimates import Allowance
from imagegen.wire.headers import MAX_COST
from imagegen.wire.images import Cost

INLINE_BYTES = 4_500_000
"""The most bytes of images that are sent as base64. They are then 6,000,000 bytes, and with the
rest of the answer below Lambda's limit of 6 MB.
Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""


def most_bytes(request: ImagesRequest) -> int | None:
    """Return the largest file of one image that the answer must contain, ``None`` without a limit.

    Only a client that requires base64 cannot use the URL of a larger one.
    """
    return INLINE_BYTES // (request.n or 1) if request.response_format == "b64_json" else None


@dataclass(frozen=True, slots=True)
class OpenAiPresenter:
    """Writes the answers with images."""

    catalog: Catalog
    contents: ImageContent
    limits: Limits
    image_id_key: Callable[[], bytes]
    now_ms: Callable[[], int]

    def images(
        self, bought: Bought, request: ImagesRequest, named: Named, base_url: str
    ) -> ImagesAnswer:
        """Return the answer with the images; ``base_url`` is the URL of this service.

        The images have been charged, so this raises no error if their bytes cannot be read or are
        too large: the answer then has their URLs.
        """
        first = bought.made[0].record
        texts = list(self._texts(bought, request))
        receipts = tuple(
            self._receipt(made, request, named, base_url, has_text=text is not None)
            for made, text in zip(bought.made, texts, strict=True)
        )
        data = tuple(
            ImageData(
                b64_json=text,
                url=one.image_url if text is None or request.response_format is None else None,
            )
            for one, text in zip(receipts, texts, strict=True)
        )
        return ImagesAnswer(
            created=first.created_ms // 1000,
            data=data,
            background=None if request.background == "auto" else request.background,
            size=first.pixels,
            quality=QUALITY_OF_TIER[first.tier],
            output_format=first.media_type.removeprefix("image/"),
            usage=_usage(bought),
            imagegen=self._whole_receipt(bought, receipts, request, named),
        )

    def _receipt(
        self, made: Made, request: ImagesRequest, named: Named, base_url: str, *, has_text: bool
    ) -> ImageReceipt:
        record = made.record
        image_id = ids.image_id(made.ref, self.image_id_key())
        return ImageReceipt(
            image_id=image_id,
            image_url=f"{base_url}/images/{image_id}",
            repeated=made.is_replay,
            provider=record.provider,
            model=record.model,
            quality=record.tier,
            cost=to_cost(record),
            fallback=named.replaced or to_replaced(record.fallback),
            duration_ms=record.duration_ms,
            url_instead=not has_text and request.response_format != "url",
        )

    def _whole_receipt(
        self,
        bought: Bought,
        receipts: tuple[ImageReceipt, ...],
        request: ImagesRequest,
        named: Named,
    ) -> Receipt:
        first = receipts[0]
        costs = [one.cost for one in receipts]
        total = Cost(
            charged=sum(one.charged for one in costs),
            expected=sum(one.expected for one in costs),
            ceiling=sum(one.ceiling for one in costs),
        )
        values = {name: getattr(first, name) for name in ImageReceipt.model_fields}
        whole = {
            "cost": total,
            "repeated": all(one.repeated for one in receipts),
            "duration_ms": max(one.duration_ms for one in receipts),
            "url_instead": any(one.url_instead for one in receipts),
            "images": receipts,
            "failed": tuple(_failed(index, error) for index, error in bought.failed),
            "adapted": tuple(_adapted(bought.made[0], request, named)),
            "remaining": self._remaining(bought.made[-1]),
        }
        return Receipt.model_validate(values | whole)

    def _texts(self, bought: Bought, request: ImagesRequest) -> Iterator[str | None]:
        """Yield each image as base64, ``None`` where it is not wanted, unreadable or too large."""
        left = INLINE_BYTES
        for made in bought.made:
            content = None if request.response_format == "url" else self._content(made, left)
            left -= len(content or b"")
            yield None if content is None else base64.b64encode(content).decode()

    def _content(self, made: Made, limit_bytes: int) -> bytes | None:
        try:
            return self.contents.read(made.ref, limit_bytes=limit_bytes)
        except StoreUnavailableError:
            return None

    def _remaining(self, made: Made) -> Allowance:
        now_ms = self.now_ms()
        return to_allowance(made.ledger, self.limits, utc_day(now_ms), now_ms=now_ms)


@dataclass(frozen=True, slots=True)
class ImagesRoute:
    """Buys what a request asks for."""

    catalog: Catalog
    names: ModelNames
    buyer: SetBuyer
    presenter: OpenAiPresenter
    max_count: int

    def answer(
        self,
        request: ImagesRequest,
        headers: Mapping[str, str],
        user: str,
        *,
        ends_ms: int,
        base_url: str,
        pictures: Pictures = NO_PICTURES,
    ) -> ImagesAnswer:
        """Return the answer with every image that is stored, at least one.

        Lambda ends this run at ``ends_ms``; ``base_url`` is the URL of this service.

        Raises:
            ParameterError, UnknownModelError: a parameter or the model is not supported.
            ImagegenError: no image is stored; ``SetBuyer.buy`` has the reasons.
        """
        call = parse_call(headers, canonical_body(request, pictures), user)
        count = check_count(request, self.max_count)
        named = self.names.resolve(request.model, request.quality, tier_of(request))
        max_cost = headers.get(MAX_COST)
        priced = to_estimate_request(request, named, self.catalog, max_cost, pictures=pictures)
        wanted = Wanted(priced, count, most_bytes(request))
        bought = self.buyer.buy(wanted, call, ends_ms=ends_ms)
        return self.presenter.images(bought, request, named, base_url)


def _failed(index: int, error: ImagegenError) -> FailedImage:
    return FailedImage(
        index=index,
        code=error.code,
        message=str(error),
        charged=error.charged,
        retryable=error.retryable,
    )


def _adapted(made: Made, request: ImagesRequest, named: Named) -> Iterator[Adapted]:
    """Yield the parameters of which something else was used than what was sent."""
    record = made.record
    if named.replaced is not None:
        yield Adapted(param="model", requested=named.replaced.model, used=record.model)
    if request.size and request.size[0].isdigit() and request.size != record.pixels:
        yield Adapted(param="size", requested=request.size, used=record.pixels)


def _usage(bought: Bought) -> TokenUsage | None:
    """Return the tokens of all images in OpenAI's form, ``None`` if one has no count."""
    counts = [made.record.tokens for made in bought.made]
    known = [one for one in counts if one is not None]
    if len(known) < len(counts):
        return None
    read, made = sum(one[0] for one in known), sum(one[1] for one in known)
    return TokenUsage(
        input_tokens=read,
        input_tokens_details=_input_details(bought, read),
        output_tokens=made,
        total_tokens=read + made,
    )


def _input_details(bought: Bought, read: int) -> TokenDetails | None:
    """Return what the input tokens are of, ``None`` if an image's pictures were not counted."""
    records = [made.record for made in bought.made]
    if any(one.input_roles and not one.input_image_tokens for one in records):
        return None
    images = min(read, sum(one.input_image_tokens for one in records))
    return TokenDetails(text_tokens=read - images, image_tokens=images)
