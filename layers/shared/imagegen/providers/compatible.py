"""An operator's own instance of a server with OpenAI's images API.

The mechanism is that of OpenAI itself (``openai_images``); the facts are those of its preset.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import SecretStr

from imagegen.domain.call_errors import ProviderError
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import ImageOrder, Json
from imagegen.domain.pricing import COST
from imagegen.providers.classification import key_fault, outcome_in_front
from imagegen.providers.download import Downloader
from imagegen.providers.faults import (
    MAX_COUNT,
    HttpAnswer,
    answered_fault,
    bearer,
    counts_at,
    dig,
    key_text,
    outcome_of,
    text_at,
    values_at,
    with_part,
)
from imagegen.providers.http import JsonHttp
from imagegen.providers.instances import Instance
from imagegen.providers.openai import KEY, MONEY, REFUSALS, USAGE
from imagegen.providers.openai_images import IMAGES_READ, OpenAIProvider
from imagegen.providers.presets import Cost, Preset
from imagegen.providers.refusals import is_refusal_code, states_refusal

MICROUSD_PER_USD = 1_000_000
REFUSES = frozenset({200, 400, 403, 422, 451})
"""The statuses with which an error in words may refuse the content."""
CODES = (("error", "code"), ("error", "type"), ("error", "innererror", "code"))
MORE_CODES = (("error", "inner_error", "code"), ("code",), ("type",), ("detail", "code"))
MESSAGES = (("error", "message"), ("error",), ("detail", "error"), ("detail", "message"))
MORE_MESSAGES = (("detail",), ("message",))


@dataclass(frozen=True, slots=True)
class CompatibleEndpoint:
    """One instance."""

    name: str
    preset: Preset

    @property
    def key_path(self) -> str:
        """The path that checks a key free of charge; empty if there is none."""
        return self.preset.key_path

    @property
    def lists_models(self) -> bool:
        """Whether ``/models`` lists the models."""
        return self.preset.lists_models

    def headers(self, api_key: SecretStr) -> dict[str, str]:
        """Return the headers with the key; none without a key, for a server that needs none.

        Raises:
            ProviderError: a header cannot contain the key.
        """
        if not api_key.get_secret_value() and not self.preset.needs_key:
            return {}
        if self.preset.key_header == "authorization":
            return bearer(self.name, api_key)
        return {self.preset.key_header: key_text(self.name, api_key)}

    def to_body(self, order: ImageOrder) -> dict[str, Json]:
        """Return the body of POST /images/generations."""
        count = {"n": 1} if self.preset.takes_count else {}
        user = {self.preset.user_field: order.user} if self.preset.user_field else {}
        return {**order.params, "model": order.model, "prompt": order.prompt, **count, **user}

    def classify(self, answer: HttpAnswer) -> ProviderError | None:
        """Return the error in an answer, ``None`` for a success.

        A success may contain a refusal: in the place of a picture, as a flag, or as an empty list
        where the preset says so.
        """
        error = answer.body
        if 200 <= answer.status < 300 and not dig(error, "error"):
            if answer.image:
                return None
            if _is_withheld(answer.body, self.preset):
                return answered_fault(self.name, Outcome.REFUSED, answer, code="withheld")
            error = dig(answer.body, "data", 0)
            if not dig(error, "error"):
                return None
        codes = list(_texts(error, (*CODES, *MORE_CODES)))
        outcome = _outcome(self.preset, answer, error, codes)
        return answered_fault(self.name, outcome, answer, code=next(iter(codes), None))

    def usage_of(self, answer: HttpAnswer) -> dict[str, int] | None:
        """Return tokens and cost as the answer states them, ``None`` if it states neither."""
        tokens = counts_at(answer.body, USAGE, "usage")
        usage = with_part(tokens, "input_image_tokens", dig(answer.body, *IMAGES_READ)) or {}
        cost = _cost_microusd(answer.body, self.preset.cost) if self.preset.cost else None
        return (usage if cost is None else {**usage, COST: cost}) or None

    def key_error(self, answer: HttpAnswer) -> ProviderError | None:
        """Return the error in the answer to a key check, ``None`` if the key is good."""
        flags = self.preset.key_flags
        if answer.status == 200 and any(dig(answer.body, one) is True for one in flags):
            return answered_fault(self.name, Outcome.ACCOUNT, answer, code="key_blocked")
        return key_fault(self.name, answer, self.classify(answer))


def build_instance(instance: Instance, api_key: SecretStr, base_url: str) -> OpenAIProvider:
    """Return the provider; its images are downloaded from the instance's hosts alone."""
    name = instance.name
    downloader = Downloader(name, base_url, hosts=instance.allowed_result_hosts)
    endpoint = CompatibleEndpoint(name, instance.kind)
    return OpenAIProvider(JsonHttp(name), downloader, api_key, base_url, endpoint)


def _is_withheld(body: Json, preset: Preset) -> bool:
    if dig(body, "data") == [] and preset.empty_is_refusal:
        return True
    first = dig(body, "data", 0)
    has_picture = text_at(first, "b64_json") or text_at(first, "url")
    return dig(first, "respect_moderation") is False and not has_picture


def _texts(error: Json, paths: tuple[tuple[str, ...], ...]) -> Iterator[str]:
    return (one for one in values_at(error, paths) if isinstance(one, str) and one)


def _outcome(preset: Preset, answer: HttpAnswer, error: Json, codes: list[str]) -> Outcome:
    message = next(_texts(error, (*MESSAGES, *MORE_MESSAGES)), "")
    if not codes and not message and not isinstance(dig(error, "detail"), list):
        return outcome_in_front(answer)
    if known := _known(preset, codes, message):
        return known
    param = text_at(error, "error", "param")
    if "model_not_found" in codes or (answer.status == 400 and param == "model"):
        return Outcome.MODEL_GONE
    if answer.status in REFUSES and not param and _refuses(codes, message):
        return Outcome.REFUSED
    return preset.statuses.get(answer.status) or outcome_of(answer.status)


def _known(preset: Preset, codes: list[str], message: str) -> Outcome | None:
    for pattern, outcome in preset.codes.items():
        if any(re.fullmatch(pattern, code, re.IGNORECASE) for code in codes):
            return outcome
    for pattern, outcome in preset.texts.items():
        if re.search(pattern, message, re.IGNORECASE):
            return outcome
    if REFUSALS.intersection(codes):
        return Outcome.REFUSED
    return Outcome.ACCOUNT if (KEY | MONEY).intersection(codes) else None


def _refuses(codes: list[str], message: str) -> bool:
    return any(map(is_refusal_code, codes)) or states_refusal(message)


def _cost_microusd(body: Json, cost: Cost) -> int | None:
    """Return what the answer says that the call cost, rounded up, in micro-dollars."""
    units = dig(body, *cost.path)
    if type(units) is not int or not 0 <= units <= MAX_COUNT * 100:
        return None
    return -(-units * MICROUSD_PER_USD // cost.units_per_usd)
