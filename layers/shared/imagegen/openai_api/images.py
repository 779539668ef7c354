"""Answers POST /v1/images/generations: checks the request, buys its images, writes the answer."""

from collections.abc import Mapping
from dataclasses import dataclass

from imagegen.domain.catalog import Catalog
from imagegen.openai_api.aliases import ModelNames
from imagegen.openai_api.answer_models import ImagesAnswer
from imagegen.openai_api.answers import OpenAiPresenter, most_bytes
from imagegen.openai_api.calls import parse_call
from imagegen.openai_api.models import (
    ImagesRequest,
    canonical_body,
    check_count,
    tier_of,
    to_estimate_request,
)
from imagegen.openai_api.sets import SetBuyer, Wanted
from imagegen.wire.headers import MAX_COST


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
    ) -> ImagesAnswer:
        """Return the answer with every image that is stored, at least one.

        Lambda ends this run at ``ends_ms``; ``base_url`` is the URL of this service.

        Raises:
            ParameterError, UnknownModelError: a parameter or the model is not supported.
            ImagegenError: no image is stored; ``SetBuyer.buy`` has the reasons.
        """
        call = parse_call(headers, canonical_body(request), user)
        count = check_count(request, self.max_count)
        named = self.names.resolve(request.model, request.quality, tier_of(request))
        priced = to_estimate_request(request, named, self.catalog, headers.get(MAX_COST))
        wanted = Wanted(priced, count, most_bytes(request))
        bought = self.buyer.buy(wanted, call, ends_ms=ends_ms)
        return self.presenter.images(bought, request, named, base_url)
