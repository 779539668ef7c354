"""Whether one row can make what a request needs: each limit exactly, each reason in words."""

from datetime import date
from typing import Any

import pytest

from imagegen.domain.candidates import Availability, Candidate, LeftOut, Reason
from imagegen.domain.catalog import Offering, Tier
from imagegen.domain.criteria import SAME_SIZE, Criteria, judge, sent_option
from imagegen.domain.operations import Operation
from imagegen.domain.wishes import NONE, Wishes
from tests.fakes.catalogs import SOURCE, SQUARE, catalog, row

TODAY = date(2026, 11, 26)
UP = Availability()
WIDE = {"size": "2000x1000", "shape": "landscape", "params": {"size": "2000x1000"}}
PRICES = {"rule": "perImage", "usd": {"1024x1024": "0.05", "2000x1000": "0.06"}}
INPUTS: dict[str, Any] = {"most": 2, "price": {"rule": "free"}, "source": SOURCE}
UPSCALER: dict[str, Any] = {
    "operation": "upscale",
    "price": {"rule": "perMegapixel", "usd": "0.01"},
    "inputs": INPUTS | {"most": 1, "needs": "image"},
    "enlarges": {
        "scales": {"2": {"factor": "2x"}, "4": {}},
        "leastEdge": 100,
        "mostMegapixels": "48",
        "source": SOURCE,
    },
    "maxPromptCharacters": 0,
}


def offering(**changes: Any) -> Offering:
    both = {"sizes": [SQUARE, WIDE], "price": PRICES}
    (one,) = catalog(row("alpha-one", priority=1) | both | changes).models
    return one


def asked(**changes: Any) -> Criteria:
    least: dict[str, Any] = {
        "tier": Tier.STANDARD,
        "size": "square",
        "prompt_characters": 9,
        "prompt_tokens": 3,
    }
    return Criteria(**(least | changes))


def judged(one: Offering, state: Availability | None = UP, **changes: Any) -> Candidate | LeftOut:
    states = {} if state is None else {one.key: state}
    (found,) = judge([one], asked(**changes), states, TODAY)
    return found


def left_out(one: Offering, **changes: Any) -> tuple[Reason, str]:
    found = judged(one, **changes)
    assert isinstance(found, LeftOut)
    return found.reason, found.detail


def made(one: Offering, **changes: Any) -> Candidate:
    found = judged(one, **changes)
    assert isinstance(found, Candidate)
    return found


# Names.


@pytest.mark.parametrize(
    ("named", "is_meant"),
    [
        ({"model": "alpha-one"}, True),
        ({"model": "alpha-one-model"}, True),
        ({"model": "alpha"}, False),
        ({"model": "other", "provider": "alpha"}, False),
        ({"provider": "alpha"}, True),
        ({"provider": "beta"}, False),
        ({}, False),
        ({"provider": "alpha", "operation": Operation.UPSCALE}, False),
        ({"model": "alpha-one", "operation": Operation.UPSCALE}, False),
    ],
)
def test_a_row_is_meant_by_its_key_or_model_or_else_by_its_provider(
    named: dict[str, Any], *, is_meant: bool
) -> None:
    assert asked(**named).names(offering()) is is_meant


def test_a_request_names_a_model_or_a_provider_or_neither() -> None:
    assert [asked(**one).has_name for one in ({}, {"model": "a"}, {"provider": "a"})] == [
        False,
        True,
        True,
    ]


# Inputs.


@pytest.mark.parametrize(
    ("support", "changes", "words"),
    [
        (None, {}, None),
        (None, {"inputs": ((9, 9),)}, "no published price"),
        ({}, {"inputs": ((9, 9),) * 2}, None),
        ({}, {"inputs": ((9, 9),) * 3}, "at most 2 input images"),
        ({"mostEncodedBytes": 4_000_000}, {"encoded_bytes": 4_000_000}, None),
        ({"mostEncodedBytes": 4_000_000}, {"encoded_bytes": 4_000_001}, "at most 3.0 MB"),
        ({}, {"encoded_bytes": 4_000_001}, None),
        ({}, {"inputs": ((9, 9),), "has_mask": True}, "takes no mask"),
        ({"mask": "alpha"}, {"inputs": ((9, 9),), "has_mask": True}, None),
        ({"mask": "alpha"}, {"inputs": ((9, 9),)}, None),
        ({"mask": "alpha", "needs": "mask"}, {"inputs": ((9, 9),)}, "image and a mask"),
        ({"mask": "alpha", "needs": "mask"}, {"inputs": ((9, 9),), "has_mask": True}, None),
        ({"needs": "image"}, {}, "needs an input image"),
        ({"needs": "image"}, {"inputs": ((9, 9),)}, None),
        ({"mostMegapixels": "4"}, {"inputs": ((1000, 2000),), "size": "landscape"}, None),
        ({"mostMegapixels": "4"}, {"inputs": ((1001, 2000),), "size": "landscape"}, "4 megapixels"),
        ({"mostMegapixels": "1"}, {}, None),
        ({"mostMegapixels": "2.048576"}, {"inputs": ((1_000_000, 1),)}, None),
        ({"mostMegapixels": "2.048576"}, {"inputs": ((1_000_001, 1),)}, "2.048576 megapixels"),
        ({"mostMegapixels": "3"}, {"inputs": ((1, 1), (3000, 1000))}, "3 megapixels"),
        ({"keepsSize": True}, {"inputs": ((2000, 1000), (9, 9)), "size": "2000x1000"}, None),
        (
            {"keepsSize": True},
            {"inputs": ((9, 9), (2000, 1000)), "size": "2000x1000"},
            "in the size",
        ),
        ({}, {"inputs": ((9, 9),), "size": "2000x1000"}, None),
    ],
)
def test_a_row_takes_what_it_has_a_price_and_a_place_for(
    support: dict[str, Any] | None, changes: dict[str, Any], words: str | None
) -> None:
    one = offering(inputs=support if support is None else INPUTS | support)
    if words is None:
        assert made(one, **changes).price_microusd > 0
    else:
        reason, detail = left_out(one, **changes)
        assert reason is Reason.INPUTS
        assert words in detail
        assert asked(**changes).price_of(one) is None


def test_a_row_without_the_size_that_cannot_take_the_inputs_either_says_so_of_the_inputs() -> None:
    one = offering(inputs=INPUTS)
    reason, detail = left_out(one, size="portrait")
    assert (reason, detail) == (Reason.SIZE, "supports 1024x1024, 2000x1000")
    assert left_out(one, size="portrait", inputs=((9, 9),) * 3)[0] is Reason.INPUTS


def test_a_row_that_keeps_the_size_says_that_instead_of_its_examples() -> None:
    one = offering(inputs=INPUTS | {"keepsSize": True})
    assert left_out(one, size="portrait", inputs=((9, 9),))[1] == (
        "supports only the size of its input image"
    )


def test_the_same_size_is_that_of_the_first_input_and_needs_one() -> None:
    one = offering(inputs=INPUTS)
    same = made(one, size=SAME_SIZE, inputs=((4000, 2000), (10, 10)))
    assert same.variant.option.size == "2000x1000"
    assert made(one, size="square", inputs=((4000, 2000),)).variant.option.size == "1024x1024"
    assert left_out(one, size=SAME_SIZE)[0] is Reason.SIZE


@pytest.mark.parametrize(
    ("edge", "scale", "size"), [(100, 2, "200x200"), (100, 4, "400x400"), (99, 2, None)]
)
def test_an_upscale_has_the_size_of_its_input_times_the_scale(
    edge: int, scale: int, size: str | None
) -> None:
    wanted = {
        "size": SAME_SIZE,
        "inputs": ((edge, edge),),
        "wishes": Wishes(scale=scale),
        "operation": Operation.UPSCALE,
        "prompt_characters": 0,
    }
    one = offering(**UPSCALER)
    if size is None:
        assert left_out(one, **wanted)[0] is Reason.INPUTS
    else:
        found = made(one, **wanted)
        assert found.variant.option.size == size
        assert found.variant.option.params == ({"factor": "2x"} if scale == 2 else {})


# Wishes.


PREVIEWS = {
    "most": 2,
    "usd": "0.003",
    "count": "partials",
    "params": {"stream": True},
    "source": SOURCE,
}
ABLE = {"transparent": {"background": "clear"}, "seed": "random_seed", "previews": PREVIEWS}


@pytest.mark.parametrize(
    ("wishes", "detail"),
    [
        (Wishes(transparent=True), "makes no transparent background"),
        (Wishes(seed=0), "has no seed"),
        (Wishes(partials=1), "sends no preview frames"),
        (Wishes(scale=2), "does not enlarge 2 times"),
    ],
)
def test_a_wish_that_a_row_cannot_meet_is_named(wishes: Wishes, detail: str) -> None:
    assert left_out(offering(), wishes=wishes) == (Reason.WISH, detail)


def test_a_row_meets_as_many_preview_frames_and_the_scales_that_it_has() -> None:
    one = offering(**ABLE)
    assert made(one, wishes=Wishes(partials=2))
    assert left_out(one, wishes=Wishes(partials=3)) == (
        Reason.WISH,
        "sends fewer preview frames",
    )
    upscale = {"operation": Operation.UPSCALE, "inputs": ((100, 100),), "size": SAME_SIZE}
    reason = left_out(offering(**UPSCALER), wishes=Wishes(scale=3), **upscale)
    assert reason == (Reason.WISH, "does not enlarge 3 times")


@pytest.mark.parametrize(
    ("wishes", "more"),
    [
        (NONE, {}),
        (Wishes(transparent=True), {"background": "clear"}),
        (Wishes(seed=0), {"random_seed": 0}),
        (Wishes(partials=2), {"partials": 2, "stream": True}),
    ],
)
@pytest.mark.parametrize("with_input", [False, True])
def test_what_is_sent_is_the_size_the_wishes_and_what_goes_with_inputs(
    wishes: Wishes, more: dict[str, Any], *, with_input: bool
) -> None:
    one = offering(**ABLE, inputs=INPUTS | {"params": {"fidelity": "high"}})
    given = {"inputs": ((9, 9),)} if with_input else {}
    found = made(one, wishes=wishes, **given)
    fidelity = {"fidelity": "high"} if with_input else {}
    # A format that can be transparent may be asked for as well.
    assert dict(found.variant.option.params) == {"size": "1024x1024", **more, **fidelity}


def test_a_row_that_cannot_send_a_wish_sends_nothing_for_it() -> None:
    one = offering()
    every = Wishes(transparent=True, seed=7, partials=1, scale=2)
    assert sent_option(one, one.sizes[0], "", every, has_inputs=True) == one.sizes[0]


def test_a_format_that_a_row_lacks_is_not_sent_as_another() -> None:
    one = offering(formats={"jpeg": {"output": "jpg"}})
    sent = sent_option(one, one.sizes[0], "jpeg", NONE, has_inputs=False)
    assert sent
    assert dict(sent.params) == {"size": "1024x1024", "output": "jpg"}
    assert sent_option(one, one.sizes[0], "webp", NONE, has_inputs=False) is None


# Prices, prompts, days and states.


def test_a_price_that_is_above_what_the_caller_allows_is_named_with_both_amounts() -> None:
    one = offering()
    assert made(one, max_cost_microusd=50_000).price_microusd == 50_000
    assert left_out(one, max_cost_microusd=49_999)[0] is Reason.TOO_DEAR
    assert left_out(one, max_cost_microusd=40_000) == (
        Reason.TOO_DEAR,
        "$0.05 is above the maxCost of $0.04",
    )
    found = judged(one, max_cost_microusd=0)
    assert isinstance(found, LeftOut)
    assert found.price_microusd == 50_000


def test_amounts_that_round_to_one_label_are_named_exactly() -> None:
    """Otherwise "$0.05 is above the maxCost of $0.05" would name no reason."""
    assert left_out(offering(), max_cost_microusd=49_999) == (
        Reason.TOO_DEAR,
        "$0.050000 is above the maxCost of $0.049999",
    )


def test_a_size_without_a_price_is_not_sold() -> None:
    free = offering(price={"rule": "perMegapixel", "usd": "0"})
    assert left_out(free) == (Reason.UNPRICED, "no price for 1024x1024")


def test_a_prompt_may_be_as_long_as_the_row_allows() -> None:
    one = offering(maxPromptCharacters=9)
    assert made(one, prompt_characters=9)
    reason, detail = left_out(one, prompt_characters=10)
    assert reason is Reason.PROMPT
    assert "up to 9 characters" in detail


def test_a_row_past_its_last_day_is_left_out_whatever_else_it_lacks() -> None:
    gone = offering(shutdownOn=TODAY.isoformat())
    expected = (Reason.RETIRED, "shut down on 2026-11-26")
    assert left_out(gone) == left_out(gone, inputs=((9, 9),)) == expected


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (None, "no key is set"),
        (Availability(Reason.NO_KEY), "no key is set"),
        (Availability(Reason.DISABLED), "switched off"),
        (Availability(Reason.CIRCUIT), "too many failures"),
        (Availability(Reason.MARKS), "no known mark of origin"),
        (Availability(Reason.PRICE), "its price is checked"),
    ],
)
def test_a_row_that_cannot_be_called_now_says_why_and_what_it_would_cost(
    state: Availability | None, words: str
) -> None:
    found = judged(offering(), state)
    assert isinstance(found, LeftOut)
    assert found.reason is (Reason.NO_KEY if state is None else state.reason)
    assert words in found.detail
    assert found.price_microusd == 50_000


def test_no_format_is_requested_unless_the_caller_needs_one() -> None:
    one = offering(formats={"webp": {"output": "webp"}, "jpeg": {"output": "jpeg"}})
    assert made(one).file_format == ""
    assert made(one, file_format="webp").file_format == "webp"
    assert made(one, most_bytes=1_500_000).file_format == "webp"
    assert left_out(one, file_format="gif")[0] is Reason.FORMAT


def test_a_format_that_comes_anyway_is_not_requested_and_a_transparent_one_is_no_jpeg() -> None:
    assert made(offering(formats={"png": {"output": "png"}})).file_format == ""
    one = offering(**ABLE, params={"output_format": "jpeg"}, formats={"png": {"output": "png"}})
    assert made(one).file_format == ""
    assert made(one, wishes=Wishes(transparent=True)).file_format == "png"


def test_a_row_that_changed_since_its_quote_sends_no_format_and_no_scale_that_it_lacks() -> None:
    one = offering(**ABLE)
    assert sent_option(one, one.sizes[0], "webp", Wishes(seed=7), has_inputs=False) is None
    upscaler = offering(**UPSCALER | {"enlarges": UPSCALER["enlarges"] | {"scales": {"2": {}}}})
    size = upscaler.sizes[0]
    assert sent_option(upscaler, size, "", Wishes(scale=4), has_inputs=False) == size
