"""What a request to price an image means, and which error says why no model can meet it."""

from datetime import date
from typing import Any

import pytest

from imagegen.domain.candidates import LeftOut, Reason
from imagegen.domain.catalog import Catalog, Tier
from imagegen.domain.criteria import SAME_SIZE
from imagegen.domain.errors import (
    AboveMaxCostError,
    ImagegenError,
    InvalidRequestError,
    NoProviderError,
    ParameterError,
    RetiredModelError,
    UnknownModelError,
    UnsupportedSizeError,
)
from imagegen.domain.inputs import QuotedInput, Role
from imagegen.domain.operations import Operation
from imagegen.domain.selection import Selection
from imagegen.domain.wishes import Wishes
from imagegen.usecases import requests
from imagegen.wire.estimates import EstimateRequest
from tests.fakes.catalogs import SOURCE, catalog, row

TODAY = date(2026, 11, 26)
PICTURE = {"upload": "u1"}
TAKING = {"most": 1, "price": {"rule": "free"}, "needs": "image", "source": SOURCE}
CUTTER = row("gamma-cutout", priority=1) | {
    "operation": "cutout",
    "inputs": TAKING | {"keepsSize": True},
    "transparent": {},
    "maxPromptCharacters": 0,
}
GONE = {
    "provider": "alpha",
    "model": "old",
    "shutdownOn": TODAY.isoformat(),
    "replacedBy": "alpha-one",
    "source": SOURCE,
}
KNOWN = catalog(
    row("alpha-one", priority=1),
    row("alpha-high", priority=1, tier="high", model="alpha-one-model"),
    row("beta-fast", priority=1, tier="fast"),
    row("delta-edit", priority=2) | {"inputs": TAKING},
    CUTTER,
    retired=(GONE,),
)


def asked(**changes: Any) -> EstimateRequest:
    prompt = {} if "operation" in changes else {"prompt": "a fox"}
    return EstimateRequest.model_validate(prompt | changes)


def tier(known: Catalog = KNOWN, day: date = TODAY, **changes: Any) -> Tier:
    return requests.choose_tier(asked(**changes), known, day).tier


# Operations.


@pytest.mark.parametrize("operation", ["upscale", "cutout"])
def test_an_operation_takes_one_picture_and_these_fields(operation: str) -> None:
    fields: dict[str, Any] = {
        "inputs": [PICTURE],
        "format": "png",
        "quality": "high",
        "maxCost": "1",
        "provider": "alpha",
        "model": "alpha-one",
    }
    scale = {"scale": 4} if operation == "upscale" else {}
    requests.check_operation(asked(operation=operation, **fields, **scale))


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"style": "ink"}, "style"),
        ({"size": "landscape"}, "size"),
        ({"count": 2}, "count"),
        ({"seed": 0}, "seed"),
        ({"partials": 1}, "partials"),
        ({"background": "opaque"}, "background"),
        ({"mask": PICTURE}, "mask"),
        ({"prompt": "a fox"}, "prompt"),
        ({"inputs": []}, "inputs"),
        ({"inputs": [PICTURE] * 2}, "inputs"),
        ({"inputs": [PICTURE | {"role": "reference"}]}, "inputs.0.role"),
        ({"scale": 2, "operation": "cutout"}, "scale"),
    ],
)
def test_what_an_operation_would_ignore_is_refused(changes: dict[str, Any], param: str) -> None:
    whole = {"operation": "upscale", "inputs": [PICTURE], **changes}
    with pytest.raises(ParameterError) as refused:
        requests.check_operation(asked(**whole))
    assert refused.value.param == param


def test_only_an_upscale_has_a_scale_and_an_image_of_words_takes_everything_else() -> None:
    requests.check_operation(asked(style="ink", count=2, seed=0, inputs=[PICTURE] * 2))
    with pytest.raises(ParameterError) as refused:
        requests.check_operation(asked(scale=2))
    assert refused.value.param == "scale"


@pytest.mark.parametrize(
    ("operation", "words"), [("upscale", "An upscale takes no"), ("cutout", "A cut-out takes no")]
)
def test_the_refusal_says_which_operation_takes_no_such_field(operation: str, words: str) -> None:
    with pytest.raises(ParameterError, match=f"{words} style"):
        requests.check_operation(asked(operation=operation, inputs=[PICTURE], style="ink"))


# Tiers.


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, Tier.STANDARD),
        ({"quality": "ultra"}, Tier.ULTRA),
        ({"prompt": "a fox, masterpiece in 8k"}, Tier.ULTRA),
        ({"model": "beta-fast"}, Tier.FAST),
        ({"model": "alpha-high"}, Tier.HIGH),
        ({"model": "alpha-one-model"}, Tier.STANDARD),
        ({"model": "beta-fast", "quality": "high"}, Tier.HIGH),
        ({"provider": "alpha"}, Tier.STANDARD),
        ({"operation": "cutout", "inputs": [PICTURE]}, Tier.STANDARD),
        ({"operation": "cutout", "inputs": [PICTURE], "quality": "standard"}, Tier.STANDARD),
        ({"operation": "cutout", "inputs": [PICTURE], "model": "gamma-cutout"}, Tier.STANDARD),
        ({"operation": "cutout", "inputs": [PICTURE], "model": "gamma-cutout-model"}, "standard"),
    ],
)
def test_the_quality_the_model_or_the_words_decide_the_tier(
    changes: dict[str, Any], expected: Tier
) -> None:
    assert tier(**changes) == expected


@pytest.mark.parametrize(
    ("changes", "kind", "words"),
    [
        ({"provider": "nobody"}, InvalidRequestError, "use one of alpha, beta, delta, gamma"),
        ({"model": "nobody"}, UnknownModelError, "GET /models lists them"),
        ({"model": "old"}, RetiredModelError, r"'alpha-one-model' \(alpha-one\) replaces it"),
        ({"model": "gamma-cutout"}, ParameterError, "makes no images of a prompt.*'cutout'"),
        (
            {"operation": "cutout", "inputs": [PICTURE], "model": "alpha-one"},
            ParameterError,
            "not for the operation 'cutout': use gamma-cutout",
        ),
        (
            {"operation": "cutout", "inputs": [PICTURE], "quality": "high"},
            ParameterError,
            "no quality levels",
        ),
        (
            {"operation": "upscale", "inputs": [PICTURE]},
            ParameterError,
            "No model here is for the operation 'upscale'",
        ),
    ],
)
def test_a_provider_or_a_model_that_cannot_be_meant_is_refused(
    changes: dict[str, Any], kind: type[ImagegenError], words: str
) -> None:
    with pytest.raises(kind, match=words):
        tier(**changes)


def test_a_model_ends_until_its_last_day_and_has_ended_from_then_on() -> None:
    for day, words in (("2026-11-25", "'old' ends on"), ("2026-11-26", "'old' ended on")):
        with pytest.raises(RetiredModelError, match=words):
            tier(model="old", day=date.fromisoformat(day))


# What a model needs.

EDIT = QuotedInput(Role.EDIT, 640, 480, "image/png", upload="u1", file_bytes=3_000)
MASK = QuotedInput(Role.MASK, 640, 480, "image/png", upload="u2", file_bytes=300)


def test_a_model_needs_what_the_request_says() -> None:
    request = asked(
        style="ink", maxCost="0.10", count=2, provider="alpha", model="alpha-one", format="webp"
    )
    found = requests.criteria_of(request, Tier.HIGH, 4_000, (EDIT, MASK))
    assert (found.tier, found.size, found.most_bytes) == (Tier.HIGH, "square", 4_000)
    assert (found.provider, found.model, found.file_format) == ("alpha", "alpha-one", "webp")
    assert found.max_cost_microusd == 50_000
    assert (found.inputs, found.has_mask) == (((640, 480),), True)
    assert found.encoded_bytes >= (3_000 + 300) * 4 // 3
    assert found.operation is Operation.GENERATE
    plain = requests.criteria_of(asked(), Tier.HIGH, None)
    assert found.prompt_characters > plain.prompt_characters == len("a fox")
    assert found.prompt_tokens > plain.prompt_tokens > 0
    assert (plain.inputs, plain.has_mask, plain.encoded_bytes) == ((), False, 0)
    assert (plain.max_cost_microusd, plain.most_bytes, plain.wishes) == (None, None, Wishes())


@pytest.mark.parametrize(
    ("changes", "wishes"),
    [
        ({"background": "transparent"}, Wishes(transparent=True)),
        ({"background": "opaque"}, Wishes()),
        ({"seed": 0}, Wishes(seed=0)),
        ({"partials": 2}, Wishes(partials=2)),
        ({"count": 2}, Wishes()),
        ({"operation": "cutout", "inputs": [PICTURE]}, Wishes(transparent=True)),
        ({"operation": "upscale", "inputs": [PICTURE]}, Wishes(scale=2)),
        ({"operation": "upscale", "inputs": [PICTURE], "scale": 4}, Wishes(scale=4)),
    ],
)
def test_each_wish_is_one_of_the_model(changes: dict[str, Any], wishes: Wishes) -> None:
    assert requests.criteria_of(asked(**changes), Tier.HIGH, None).wishes == wishes


def test_only_one_image_has_preview_frames() -> None:
    with pytest.raises(ParameterError) as refused:
        requests.criteria_of(asked(partials=1, count=2), Tier.HIGH, None)
    assert refused.value.param == "partials"


@pytest.mark.parametrize(
    ("changes", "given", "size"),
    [
        ({}, (EDIT,), SAME_SIZE),
        ({}, (), "square"),
        ({}, (QuotedInput(Role.REFERENCE, 9, 9, "image/png"),), "square"),
        ({"size": "square"}, (EDIT,), "square"),
        ({"size": "same"}, (EDIT,), SAME_SIZE),
        ({"operation": "cutout", "inputs": [PICTURE]}, (EDIT,), SAME_SIZE),
        ({"operation": "cutout", "inputs": [PICTURE], "size": "square"}, (EDIT,), SAME_SIZE),
    ],
)
def test_an_edit_without_a_size_has_that_of_its_picture(
    changes: dict[str, Any], given: tuple[QuotedInput, ...], size: str
) -> None:
    assert requests.with_size(asked(**changes), given).size == size


def test_the_same_size_as_nothing_is_refused() -> None:
    with pytest.raises(ParameterError) as refused:
        requests.with_size(asked(size="same"), ())
    assert refused.value.param == "size"


# Why there is no offer.

ONE, NEEDY = KNOWN.by_key["alpha-one"], KNOWN.by_key["delta-edit"]


def no_offer(*reasons: Reason, **changes: Any) -> InvalidRequestError | NoProviderError:
    left = tuple(LeftOut(ONE, one, f"because of {one}") for one in reasons)
    return requests.no_offer(Selection((), left, None), asked(**changes), Tier.HIGH)


@pytest.mark.parametrize(
    ("reasons", "changes", "kind", "param"),
    [
        ([Reason.NO_KEY], {}, NoProviderError, None),
        ([Reason.DISABLED, Reason.SIZE], {}, NoProviderError, None),
        ([Reason.CIRCUIT, Reason.TOO_DEAR], {}, NoProviderError, None),
        ([Reason.PRICE], {}, NoProviderError, None),
        ([Reason.SIZE], {}, UnsupportedSizeError, None),
        ([Reason.SIZE, Reason.INPUTS], {}, UnsupportedSizeError, None),
        ([Reason.SIZE, Reason.TOO_DEAR], {}, AboveMaxCostError, None),
        ([Reason.FORMAT], {}, ParameterError, "format"),
        ([Reason.FORMAT, Reason.PROMPT], {}, ParameterError, "format"),
        ([Reason.FORMAT, Reason.TOO_DEAR], {}, AboveMaxCostError, None),
        ([Reason.INPUTS], {}, ParameterError, "inputs"),
        ([Reason.PROMPT, Reason.WISH, Reason.INPUTS], {}, ParameterError, "prompt"),
        ([Reason.WISH, Reason.INPUTS], {"seed": 0}, ParameterError, "seed"),
        ([Reason.WISH], {"partials": 1}, ParameterError, "partials"),
        ([Reason.WISH], {"background": "transparent", "seed": 1}, ParameterError, "background"),
        ([Reason.WISH, Reason.TOO_DEAR], {"seed": 0}, AboveMaxCostError, None),
        ([Reason.TOO_DEAR], {}, AboveMaxCostError, None),
        ([Reason.RETIRED], {}, InvalidRequestError, None),
        ([], {}, InvalidRequestError, None),
        (
            [Reason.WISH, Reason.INPUTS],
            {"operation": "upscale", "inputs": [PICTURE]},
            ParameterError,
            "inputs",
        ),
        ([Reason.WISH], {"operation": "upscale", "inputs": [PICTURE]}, ParameterError, "scale"),
    ],
)
def test_the_error_names_what_to_change_unless_waiting_helps(
    reasons: list[Reason], changes: dict[str, Any], kind: type[ImagegenError], param: str | None
) -> None:
    error = no_offer(*reasons, **changes)
    assert type(error) is kind
    assert error.param == param
    assert all(f"alpha-one: because of {one}" in str(error) for one in reasons)
    assert reasons or "There is none." in str(error)


def test_models_are_spoken_of_with_their_tier_if_they_have_one() -> None:
    assert "No high model" in str(no_offer(Reason.TOO_DEAR))
    operation = str(no_offer(Reason.TOO_DEAR, operation="cutout", inputs=[PICTURE]))
    assert "No model fits" in operation


def test_models_that_need_a_picture_explain_nothing_to_a_request_without_one() -> None:
    left = (
        LeftOut(NEEDY, Reason.INPUTS, "needs an input image"),
        LeftOut(ONE, Reason.TOO_DEAR, "dear"),
    )
    for found, words in ((left, "alpha-one: dear"), (left[:1], "delta-edit: needs")):
        text = str(requests.no_offer(Selection((), found, None), asked(), Tier.HIGH))
        assert words in text
        assert ("delta-edit" in text) == (len(found) == 1)
    with_picture = requests.no_offer(Selection((), left, None), asked(inputs=[PICTURE]), Tier.HIGH)
    assert "delta-edit" in str(with_picture)


@pytest.mark.parametrize("count", [2, 3])
def test_a_maximum_for_a_set_is_shared_by_its_images(count: int) -> None:
    several = str(no_offer(Reason.TOO_DEAR, maxCost=f"0.{count * 4:02}", count=count))
    assert f"within maxCost. It is for all {count} images, $0.04 each. alpha-one" in several
    for one in ({"maxCost": "0.12"}, {"count": count}):
        assert "within maxCost. alpha-one" in str(no_offer(Reason.TOO_DEAR, **one))


def test_reasons_and_models_are_listed_with_marks_between_them() -> None:
    text = str(no_offer(Reason.RETIRED, Reason.UNPRICED))
    assert text.endswith("alpha-one: because of retired; alpha-one: because of unpriced")
    second = CUTTER | {"key": "beta-cutout", "fallbackPriority": 2}
    several = catalog(row("alpha-one", priority=1), CUTTER, second)
    with pytest.raises(ParameterError, match="use gamma-cutout, beta-cutout"):
        tier(several, operation="cutout", inputs=[PICTURE], model="alpha-one")
