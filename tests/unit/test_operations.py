"""Upscales and cut-outs: rows of their own, one picture, a known size, and the money as always."""

import io
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pydantic import ValidationError

from imagegen.domain.candidates import Availability
from imagegen.domain.catalog import Offering, Tier, Variant
from imagegen.domain.criteria import SAME_SIZE, Criteria
from imagegen.domain.days import today
from imagegen.domain.errors import (
    AboveMaxCostError,
    ContentRefusedError,
    GenerationFailedError,
    ImagegenError,
    InputGoneError,
    NoProviderError,
    ParameterError,
    QuoteError,
    QuoteExpiredError,
    QuoteMismatchError,
    UnknownModelError,
)
from imagegen.domain.ledger import OpState
from imagegen.domain.money import button_label
from imagegen.domain.operations import Operation, check_opaque, is_promised_size
from imagegen.domain.outcomes import Outcome
from imagegen.domain.pixels import Measured, MediaType
from imagegen.domain.png_chunks import chunks_of, packed_chunk
from imagegen.domain.ports import Moderation
from imagegen.domain.pricing import charge_microusd
from imagegen.domain.quote import open_quote
from imagegen.domain.records import parse_record, record_json
from imagegen.domain.selection import select
from imagegen.domain.transparency import is_invisible
from imagegen.domain.wishes import Wishes
from imagegen.usecases.generate.run import Made, Running
from imagegen.wire.estimates import Estimate, EstimateRequest
from imagegen.wire.gallery import GalleryQuery
from imagegen.wire.images import GenerateRequest
from tests.fakes.catalogs import catalog, real_catalog, row
from tests.fakes.faults import DiedError, Fault
from tests.fakes.pictures import cutout, picture, png
from tests.fakes.providers import ScriptedModerator
from tests.fakes.service import KEYRING, LIFETIME_MS, OTHER_USER, USER, Service
from tests.unit.test_crashes import MOST_CALLS, settle_down
from tests.unit.test_inputs import upload

SOURCE = "https://example.com/prices"
INPUTS = {
    "most": 1,
    "price": {"rule": "free"},
    "needs": "image",
    "field": "image",
    "source": SOURCE,
}
SCALES = {"2": {"factor": "2x"}, "4": {"factor": "4x"}}
REAL = real_catalog()


def upscaler(key: str, priority: int, usd: str = "0.05", **enlarges: Any) -> dict[str, Any]:
    return row(key, priority=priority) | {
        "operation": "upscale",
        "price": {"rule": "perStartedBlock", "usd": usd, "megapixels": "24"},
        "inputs": INPUTS,
        "enlarges": {"scales": SCALES, "mostMegapixels": "48", "source": SOURCE, **enlarges},
        "sizes": [{"size": "4096x4096", "params": {}}],
        "maxPromptCharacters": 0,
    }


def cutter(key: str, priority: int, usd: str = "0.018") -> dict[str, Any]:
    return row(key, priority=priority) | {
        "operation": "cutout",
        "price": {"rule": "perRunPlusMegapixel", "usdPerRun": usd, "usd": "0"},
        "inputs": {**INPUTS, "keepsSize": True},
        "transparent": {},
        "sizes": [{"size": "1024x1024", "params": {}}],
        "maxPromptCharacters": 0,
    }


ROWS = (
    row("alpha-standard", priority=1),
    row("beta-standard", priority=2),
    upscaler("alpha-upscale", 1, "0.05"),
    upscaler("beta-upscale", 2, "0.04"),
    cutter("alpha-cutout", 1),
    cutter("beta-cutout", 2, "0.02"),
)
OPERATIONS: dict[str, dict[str, Any]] = {
    "upscale": {"operation": "upscale"},
    "upscale 4": {"operation": "upscale", "scale": 4},
    "cutout": {"operation": "cutout"},
}


@cache
def clear(size: tuple[int, int] = (1024, 1024), box: tuple[int, int] = (8, 8)) -> bytes:
    """A picture that is transparent in one corner."""
    image = Image.open(io.BytesIO(png(size))).convert("RGBA")
    image.paste((0, 0, 0, 0), (0, 0, *box))
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=1)
    return out.getvalue()


def result_of(wanted: dict[str, Any]) -> bytes:
    scale = wanted.get("scale", 2)
    return clear() if wanted["operation"] == "cutout" else png((1024 * scale, 1024 * scale))


def a_service(user: str = USER, **more: Any) -> tuple[Service, str]:
    """Return a service, and the id of an image that its user has."""
    service = Service(catalog=catalog(*ROWS), **more)
    parent = service.estimate("a fox", user)
    assert isinstance(service.confirm(parent, user), Made)
    return service, parent.image_id


def offer(service: Service, image_id: str, user: str = USER, **wanted: Any) -> Estimate:
    given = {"inputs": [{"image": image_id}], **wanted}
    return service.functions.estimator.estimate(EstimateRequest.model_validate(given), user)


def confirm(service: Service, priced: Estimate, user: str = USER) -> Made | Running:
    request = GenerateRequest(quote=priced.quote, prompt=priced.prompt)
    ends_ms = service.clock() + LIFETIME_MS
    return service.functions.generator.generate(request, user, ends_ms=ends_ms).result


@pytest.fixture(params=list(OPERATIONS))
def wanted(request: pytest.FixtureRequest) -> dict[str, Any]:
    return OPERATIONS[request.param]


def ready(wanted: dict[str, Any], **more: Any) -> tuple[Service, Estimate]:
    """Return a service whose providers can do it, and the offer."""
    service, image_id = a_service(**more)
    for name in ("alpha", "beta"):
        service.react(name, result_of(wanted))
        service.providers[name].orders.clear()
    return service, offer(service, image_id, **wanted)


def spent(service: Service) -> int:
    """Return what is charged or held, in micro-dollars."""
    ops = service.ledger().ops.values()
    return sum(op.price_microusd for op in ops if op.state is not OpState.RELEASED)


# The offer.


@pytest.mark.parametrize(
    ("operation", "label"),
    [
        (Operation.GENERATE, "Generate Image for $0.05"),
        (Operation.UPSCALE, "Upscale Image for $0.05"),
        (Operation.CUTOUT, "Cut Out Image for $0.05"),
    ],
)
def test_a_button_says_what_is_done(operation: Operation, label: str) -> None:
    assert button_label(50_000, operation=operation) == label


@pytest.mark.parametrize(
    ("wanted", "label", "size", "key"),
    [
        ({"operation": "upscale"}, "Upscale Image for $0.05", "2048x2048", "topaz"),
        ({"operation": "upscale", "scale": 2}, "Upscale Image for $0.05", "2048x2048", "topaz"),
        ({"operation": "upscale", "scale": 4}, "Upscale Image for $0.006", "4096x4096", "crisp"),
        (
            {"operation": "upscale", "scale": 4, "model": "topazlabs/image-upscale"},
            "Upscale Image for $0.05",
            "4096x4096",
            "topaz",
        ),
        ({"operation": "cutout"}, "Cut Out Image for $0.018", "1024x1024", "cutout"),
    ],
)
def test_the_shipped_rows_have_their_flat_prices(
    wanted: dict[str, Any], label: str, size: str, key: str
) -> None:
    service = Service(catalog=REAL, price_multiple=Decimal("1.25"))
    parent = service.estimate("a fox")
    assert isinstance(service.confirm(parent), Made)
    found = offer(service, parent.image_id, **wanted)
    assert (found.button_label, found.size) == (label, size)
    assert found.choices[0].request.model.endswith(key)
    assert (found.prompt, found.operation) == ("", wanted["operation"])
    assert found.constraints.sizes == (size,)
    assert not found.constraints.max_prompt_characters


@pytest.mark.parametrize(
    ("edges", "scale", "microusd"),
    [
        ((1024, 1024), 2, 50_000),
        ((3000, 2000), 2, 50_000),  # 24 MP exactly
        ((3001, 2000), 2, 100_000),
        ((1225, 1225), 4, 100_000),  # 24.01 MP
        ((4000, 3000), 2, 100_000),  # 48 MP exactly
        ((1000, 400), 4, 50_000),
    ],
)
def test_topaz_costs_a_price_for_each_24_megapixels_begun(
    edges: tuple[int, int], scale: int, microusd: int
) -> None:
    topaz = REAL.by_key["replicate-upscale-topaz"]
    assert criteria(Operation.UPSCALE, edges, scale).price_of(topaz) == microusd


@pytest.mark.parametrize(
    ("key", "edges", "scale", "words"),
    [
        ("topaz", (4001, 3000), 2, "at most 48 megapixels, not 8002x6000"),
        ("topaz", (2000, 2000), 4, "at most 48 megapixels, not 8000x8000"),
        ("crisp", (1025, 800), 4, "at most 4096 pixels, not 4100"),
        ("crisp", (800, 1025), 4, "at most 4096 pixels, not 4100"),
        ("crisp", (31, 600), 4, "edges of at least 32 pixels"),
    ],
)
def test_what_exceeds_a_model_has_no_price(
    key: str, edges: tuple[int, int], scale: int, words: str
) -> None:
    found = criteria(Operation.UPSCALE, edges, scale)
    one = REAL.by_key[f"replicate-upscale-{key}"]
    assert found.price_of(one) is None
    assert words in (found.fit(one).missing_inputs or "")


def criteria(operation: Operation, edges: tuple[int, int], scale: int = 0) -> Criteria:
    wishes = Wishes(transparent=operation is Operation.CUTOUT, scale=scale)
    given = () if operation is Operation.GENERATE else (edges,)
    size = "square" if operation is Operation.GENERATE else SAME_SIZE
    return Criteria(
        Tier.STANDARD, size, 10, prompt_tokens=3, inputs=given, wishes=wishes, operation=operation
    )


@given(
    st.sampled_from(Operation),
    st.tuples(st.integers(1, 9_000), st.integers(1, 9_000)),
    st.sampled_from([2, 4]),
    st.sampled_from(["1.25", "3", "100"]),
    st.sampled_from([None, "replicate", *(one.key for one in REAL.models)]),
)
def test_no_offer_ever_contains_a_row_of_another_operation(
    operation: Operation, edges: tuple[int, int], scale: int, multiple: str, named: str | None
) -> None:
    wanted = criteria(operation, edges, scale if operation is Operation.UPSCALE else 0)
    if named == "replicate":
        wanted = replace(wanted, provider=named)
    else:
        wanted = replace(wanted, model=named)
    free = {one.key: Availability() for one in REAL.models}
    for tier in Tier:
        found = select(
            REAL,
            replace(wanted, tier=tier),
            free,
            price_multiple=Decimal(multiple),
            today=today(1_795_000_000_000),
        )
        rows = [one.variant.row for one in found.candidates] + [one.row for one in found.left_out]
        rows += [found.replaced.row] if found.replaced else []
        assert {one.operation for one in rows} <= {operation}
        for one in found.candidates:
            assert one.price_microusd > 0
            if operation is Operation.UPSCALE:
                assert one.variant.option.pixels == (edges[0] * scale, edges[1] * scale)
            if operation is Operation.CUTOUT:
                assert one.variant.option.pixels == edges


def test_every_operation_of_the_shipped_catalog_is_priced_and_in_one_tier() -> None:
    for operation in (Operation.UPSCALE, Operation.CUTOUT):
        rows = REAL.rows_of(operation)
        assert rows
        assert len({one.tier for one in rows}) == 1
        for one in rows:
            scale = 4 if operation is Operation.UPSCALE else 0
            assert criteria(operation, (512, 512), scale).price_of(one)
            assert one not in REAL.tier(one.tier)


def test_fallbacks_are_rows_of_the_same_operation(wanted: dict[str, Any]) -> None:
    service, priced = ready(wanted)
    service.react("alpha", Outcome.UNAVAILABLE)
    made = confirm(service, priced)
    assert isinstance(made, Made)
    first = made.record.fallback
    assert first is not None
    assert first.model == f"alpha-{wanted['operation']}-model"
    assert made.record.key == f"beta-{wanted['operation']}"
    assert made.record.charged_microusd <= priced.price.ceiling
    quote = open_quote(priced.quote, KEYRING)
    assert {one.key.split("-")[1] for one in quote.candidates} == {wanted["operation"]}


def test_no_reason_for_a_quality_is_given_where_there_are_no_levels(wanted: dict[str, Any]) -> None:
    _, priced = ready(wanted)
    assert priced.quality_reason == ""


# What a request may have.


@pytest.mark.parametrize(
    ("more", "field", "words"),
    [
        ({"prompt": "make it larger"}, "prompt", "takes no prompt"),
        ({"style": "oil"}, "style", "takes no style"),
        ({"size": "landscape"}, "size", "takes no size"),
        ({"size": "2048x2048"}, "size", "takes no size"),
        ({"count": 2}, "count", "takes no count"),
        ({"seed": 0}, "seed", "takes no seed"),
        ({"partials": 1}, "partials", "takes no partials"),
        ({"background": "opaque"}, "background", "takes no background"),
        ({"background": "transparent"}, "background", "takes no background"),
        ({"quality": "ultra"}, "quality", "no quality levels"),
        ({"inputs": []}, "inputs", "exactly one picture"),
        ({"model": "alpha-standard"}, "model", "is not for the operation"),
        ({"format": "webp"}, "format", ""),
    ],
)
def test_what_an_operation_would_ignore_is_refused_by_its_name(
    wanted: dict[str, Any], more: dict[str, Any], field: str, words: str
) -> None:
    service, image_id = a_service()
    before = spent(service)
    with pytest.raises(ParameterError) as refused:
        offer(service, image_id, **wanted, **more)
    assert refused.value.param == field
    assert words in str(refused.value)
    assert spent(service) == before


def test_one_picture_and_no_mask(wanted: dict[str, Any]) -> None:
    service, image_id = a_service()
    one = {"image": image_id}
    for more, field in (
        ({"inputs": [one, one]}, "inputs"),
        ({"mask": one}, "mask"),
        ({"inputs": [{**one, "role": "reference"}]}, "inputs.0.role"),
    ):
        with pytest.raises(ParameterError) as refused:
            offer(service, image_id, **{**wanted, **more})
        assert refused.value.param == field
    assert offer(service, image_id, **wanted, inputs=[{**one, "role": "edit"}]).inputs


@pytest.mark.parametrize("more", [{"prompt": ""}, {"prompt": None}, {"style": "", "count": 1}])
def test_empty_fields_are_as_if_they_were_left_out(
    wanted: dict[str, Any], more: dict[str, Any]
) -> None:
    service, image_id = a_service()
    plain, with_more = (offer(service, image_id, **wanted, **one) for one in ({}, more))
    assert plain.price == with_more.price


@pytest.mark.parametrize("body", [{}, {"prompt": None}, {"operation": "generate"}])
def test_an_image_needs_its_prompt_as_before(body: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as refused:
        EstimateRequest.model_validate(body)
    (error,) = refused.value.errors()
    assert (error["type"], error["loc"]) == ("missing", ("prompt",))


@pytest.mark.parametrize(
    "body", [{"operation": "enlarge"}, {"scale": 3}, {"scale": "2"}, {"scale": 0}, {"scale": True}]
)
def test_other_words_and_scales_are_refused(body: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        EstimateRequest.model_validate({"operation": "upscale", "inputs": [{"image": "x"}], **body})


@pytest.mark.parametrize("operation", ["generate", "cutout"])
def test_only_an_upscale_has_a_scale(operation: str) -> None:
    service, image_id = a_service()
    prompt = {"prompt": "a fox"} if operation == "generate" else {}
    with pytest.raises(ParameterError) as refused:
        offer(service, image_id, operation=operation, scale=2, **prompt)
    assert refused.value.param == "scale"


def test_a_prompt_is_not_made_by_a_model_of_an_operation() -> None:
    service, _ = a_service()
    for name in ("alpha-upscale", "alpha-upscale-model", "beta-cutout"):
        with pytest.raises(ParameterError, match="send the operation") as refused:
            service.estimate("a fox", model=name)
        assert refused.value.param == "model"
    with pytest.raises(UnknownModelError):
        service.estimate("a fox", model="alpha-enlarge")


def test_a_choice_can_be_requested_with_its_fields(wanted: dict[str, Any]) -> None:
    service, image_id = a_service()
    for choice in offer(service, image_id, **wanted).choices:
        asked = {"quality": choice.request.quality, "model": choice.request.model}
        again = offer(service, image_id, **wanted, **asked)
        assert (again.price.ceiling, again.model) == (choice.price.ceiling, choice.model)


def test_an_offer_can_be_requested_again_with_what_it_repeats(wanted: dict[str, Any]) -> None:
    service, image_id = a_service()
    first = offer(service, image_id, **wanted)
    again = {**first.request, "prompt": first.prompt}
    second = service.functions.estimator.estimate(EstimateRequest.model_validate(again), USER)
    assert (second.price, second.size, second.scale) == (first.price, first.size, first.scale)


def test_max_cost_and_provider_hold(wanted: dict[str, Any]) -> None:
    service, image_id = a_service()
    assert offer(service, image_id, **wanted, provider="beta").provider == "beta"
    with pytest.raises(AboveMaxCostError):
        offer(service, image_id, **wanted, maxCost="0.001")


def test_without_a_row_or_a_circuit_there_is_no_offer_and_the_reason_is_said() -> None:
    service = Service()
    parent = service.estimate("a fox")
    assert isinstance(service.confirm(parent), Made)
    with pytest.raises(ParameterError, match="upscale") as refused:
        offer(service, parent.image_id, operation="upscale")
    assert refused.value.param == "operation"
    service, image_id = a_service()
    for name in service.setups:
        service.setups[name] = replace(service.setups[name], enabled=False)
    with pytest.raises(NoProviderError, match="No model is available now"):
        offer(service, image_id, operation="cutout")


def test_too_large_a_picture_is_refused_before_it_is_priced() -> None:
    service, _ = a_service()
    large = upload(service, png((4000, 3001)))
    with pytest.raises(ParameterError, match="at most 48 megapixels") as refused:
        offer(service, "", operation="upscale", inputs=[{"upload": large}])
    assert refused.value.param == "inputs"


def test_a_scale_that_no_model_has_is_refused_by_its_name() -> None:
    only = upscaler("alpha-upscale", 1, scales={"2": {}})
    service = Service(catalog=catalog(row("alpha-standard", priority=1), only))
    parent = service.estimate("a fox")
    assert isinstance(service.confirm(parent), Made)
    with pytest.raises(ParameterError, match="does not enlarge 4 times") as refused:
        offer(service, parent.image_id, operation="upscale", scale=4)
    assert refused.value.param == "scale"


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_a_transparent_picture_is_not_upscaled(kind: str) -> None:
    service, _ = a_service()
    media_type = f"image/{kind.lower()}"
    given = [{"upload": upload(service, cutout(kind), kind=media_type)}]
    with pytest.raises(ParameterError, match="transparent"):
        offer(service, "", operation="upscale", inputs=given)
    assert offer(service, "", operation="cutout", inputs=given)
    opaque = [{"upload": upload(service, picture(kind, alpha=True), kind=media_type)}]
    assert offer(service, "", operation="upscale", inputs=opaque)


def test_a_cutout_is_not_upscaled_and_a_clear_image_costs_nothing() -> None:
    service, priced = ready(OPERATIONS["cutout"])
    assert isinstance(confirm(service, priced), Made)
    with pytest.raises(ParameterError, match="transparent"):
        offer(service, priced.image_id, operation="upscale")
    assert offer(service, priced.image_id, operation="cutout")
    service.react("alpha", clear())
    parent = service.estimate("a ghost")
    assert isinstance(service.confirm(parent), Made)
    upscale = offer(service, parent.image_id, operation="upscale")
    before, called = spent(service), len(service.called)
    with pytest.raises(ParameterError, match="transparent"):
        confirm(service, upscale)
    assert (spent(service), len(service.called)) == (before, called)


# The run.


def test_it_is_made_of_the_picture_charged_at_its_price_and_recorded(
    wanted: dict[str, Any],
) -> None:
    service, priced = ready(wanted)
    made = confirm(service, priced)
    assert isinstance(made, Made)
    (order,) = service.providers["alpha"].orders
    assert order.prompt == ""
    (sent,) = order.inputs
    assert (sent.width, sent.height) == (1024, 1024)
    scale = {"factor": f"{wanted.get('scale', 2)}x"} if wanted["operation"] == "upscale" else {}
    assert order.params == {"steps": 4, **scale}
    record = made.record
    assert record.operation == wanted["operation"]
    assert record.charged_microusd == priced.price.expected <= priced.price.ceiling
    assert (f"{record.width}x{record.height}", record.input_roles) == (priced.size, ("edit",))
    assert record.derived_from == record.parents[0] != ""
    assert parse_record(record_json(record)) == record
    service.check_charged_iff_stored()


def test_the_answer_the_status_and_the_gallery_say_what_was_done(wanted: dict[str, Any]) -> None:
    service, priced = ready(wanted)
    made = confirm(service, priced)
    assert isinstance(made, Made)
    shown = service.presenter.image(open_quote(priced.quote, KEYRING), made, "", "https://a.test")
    assert (shown.operation, shown.derived_from) == (wanted["operation"], made.record.derived_from)
    assert shown.alt in ("Upscaled image", "Image without background")
    status = service.finder.status(priced.image_id, "https://a.test", viewer=USER)
    assert (status.operation, status.prompt) == (wanted["operation"], None)
    page = service.gallery.page(GalleryQuery(), USER, "https://a.test")
    newest, oldest = page.images
    assert (newest.operation, newest.prompt, newest.alt) == (wanted["operation"], None, shown.alt)
    assert oldest.operation == "generate"


def test_without_a_picture_of_ones_own_there_is_no_offer(wanted: dict[str, Any]) -> None:
    service, image_id = a_service()
    for named, user in ((image_id, OTHER_USER), ("nothing", USER)):
        with pytest.raises(ImagegenError, match="no such image of yours"):
            offer(service, named, user, **wanted)


WRONG: dict[str, Callable[[dict[str, Any]], bytes]] = {
    "as it was": lambda _wanted: png((1024, 1024)),
    "smaller": lambda _wanted: clear((1000, 1000)),
    "larger": lambda wanted: clear((1024 * 2 * wanted.get("scale", 2),) * 2),
    "turned": lambda _wanted: clear((1024, 2048)),
    "damaged": lambda wanted: result_of(wanted)[:-40],
    "nothing": lambda _wanted: b"",
}


# A picture of 64 megapixels takes seconds to make.
LARGER = pytest.param("larger", marks=pytest.mark.thorough)


@pytest.mark.parametrize("wrong", [LARGER if one == "larger" else one for one in WRONG])
def test_another_picture_than_was_sold_is_not_charged(wanted: dict[str, Any], wrong: str) -> None:
    service, priced = ready(wanted)
    before = spent(service)
    for name in ("alpha", "beta"):
        service.react(name, WRONG[wrong](wanted))
    with pytest.raises(GenerationFailedError):
        confirm(service, priced)
    assert spent(service) == before
    service.check_charged_iff_stored()


def with_surplus(content: bytes) -> bytes:
    """A PNG whose pixel data go on behind its last row."""
    found = list(chunks_of(content))
    data = zlib.decompress(b"".join(body for kind, body in found if kind == b"IDAT"))
    parts = (found[0], (b"IDAT", zlib.compress(data + b"more")), (b"IEND", b""))
    return content[:8] + b"".join(packed_chunk(kind, bytes(body)) for kind, body in parts)


@pytest.mark.thorough
@pytest.mark.parametrize("left", ["opaque", "empty", "broken"])
def test_a_cutout_has_something_left_and_something_cut(left: str) -> None:
    service, priced = ready(OPERATIONS["cutout"])
    found = Image.open(io.BytesIO(picture(size=(1024, 1024), alpha=True)))
    if left != "opaque":
        found.putalpha(0)
    out = io.BytesIO()
    found.save(out, "PNG")
    content = with_surplus(out.getvalue()) if left == "broken" else out.getvalue()
    service.react("alpha", content)
    made = confirm(service, priced)
    assert isinstance(made, Made)
    first, second = made.record.attempts
    assert (first.code, second.outcome) == (f"{left}_image", "success")
    assert made.record.key == "beta-cutout"


@pytest.mark.parametrize(
    ("content", "is_empty"),
    [
        (clear((64, 48), (64, 48)), True),
        (clear((64, 48), (64, 47)), False),
        (clear((64, 48), (63, 48)), False),
        (picture("PNG"), False),
        (picture("JPEG"), False),
        (cutout("PNG"), False),
    ],
)
def test_a_picture_is_invisible_if_no_pixel_can_be_seen(content: bytes, *, is_empty: bool) -> None:
    assert is_invisible(content) is is_empty


def test_a_turned_photo_is_upscaled_as_it_is_seen() -> None:
    service, _ = a_service()
    exif = Image.Exif()
    exif[0x0112] = 6
    photo = picture("JPEG", size=(300, 200), exif=exif.tobytes())
    given = [{"upload": upload(service, photo, kind="image/jpeg")}]
    priced = offer(service, "", operation="upscale", inputs=given)
    assert priced.size == "400x600"
    for result in (
        picture("JPEG", size=(400, 600)),
        picture("JPEG", size=(600, 400), exif=exif.tobytes()),
    ):
        service.react("alpha", result)
        made = confirm(service, offer(service, "", operation="upscale", inputs=given))
        assert isinstance(made, Made)
        assert (made.record.key, made.record.width, made.record.height) == (
            "alpha-upscale", 400, 600,
        )  # fmt: skip


@given(st.integers(10, 9_000), st.integers(10, 9_000), st.integers(-99, 99), st.integers(-99, 99))
def test_an_upscale_is_within_a_hundredth_and_a_cutout_exact(
    width: int, height: int, wider: int, higher: int
) -> None:
    arrived = (width + wider, height + higher)
    near = abs(wider) * 100 <= width and abs(higher) * 100 <= height
    sold = (width, height)
    assert is_promised_size(Operation.UPSCALE, sold, arrived) is near
    assert is_promised_size(Operation.CUTOUT, sold, arrived) is (arrived == sold)


@pytest.mark.parametrize("one", REAL.rows_of(Operation.UPSCALE) + REAL.rows_of(Operation.CUTOUT))
def test_the_quoted_price_is_charged_for_the_promised_size_and_nothing_else(one: Offering) -> None:
    option = one.option("640x480")
    assert option
    for (width, height), charged in (((640, 480), 7), ((480, 640), None), ((1280, 960), None)):
        measured = Measured(MediaType.PNG, width, height)
        assert charge_microusd(Variant(one, option), measured, quoted_microusd=7) == charged


def test_the_picture_is_moderated_and_a_refusal_costs_nothing(wanted: dict[str, Any]) -> None:
    service, priced = ready(wanted)
    before = spent(service)
    service.moderator = ScriptedModerator(Moderation(flagged=True, categories=("violence",)))
    service.redeploy()
    with pytest.raises(ContentRefusedError, match=r"refused this picture \(violence\)"):
        confirm(service, priced)
    assert service.moderator.asked == [""]
    assert len(service.moderator.pictures) == 1
    assert not service.providers["alpha"].orders
    assert spent(service) == before


def test_a_refusal_of_the_provider_speaks_of_the_picture(wanted: dict[str, Any]) -> None:
    service, priced = ready(wanted)
    service.react("alpha", Outcome.REFUSED)
    with pytest.raises(ContentRefusedError, match="refused this picture"):
        confirm(service, priced)
    assert not service.providers["beta"].orders


def test_a_quote_cannot_be_turned_into_another_operation(wanted: dict[str, Any]) -> None:
    service, priced = ready(wanted)
    quote = open_quote(priced.quote, KEYRING)
    assert (quote.operation, quote.wishes.scale) == (
        wanted["operation"],
        wanted.get("scale", 2) if wanted["operation"] == "upscale" else 0,
    )
    for prompt in ("a fox", " "):
        with pytest.raises(QuoteMismatchError):
            service.functions.generator.open(priced.quote, prompt, USER)
    with pytest.raises(QuoteError):
        service.functions.generator.open(priced.quote, "", OTHER_USER)


def test_a_row_that_does_something_else_now_is_not_called(wanted: dict[str, Any]) -> None:
    service, priced = ready(wanted)
    service.redeploy(catalog=catalog(*ROWS[:2]))
    with pytest.raises(QuoteError):
        confirm(service, priced)
    other = [one | {"enlarges": None, "operation": "cutout"} for one in ROWS[2:4]]
    kept = [cutter(one["key"], one["fallbackPriority"]) for one in other]
    swapped = catalog(*ROWS[:2], *kept) if wanted["operation"] == "upscale" else None
    if swapped:
        service.redeploy(catalog=swapped)
        with pytest.raises(QuoteError):
            confirm(service, priced)


def test_a_row_that_does_something_else_since_the_quote_makes_nothing_of_it() -> None:
    service, priced = ready({"operation": "cutout"})
    same = [row("alpha-standard", priority=1)]
    for key, priority in (("alpha-cutout", 2), ("beta-cutout", 3)):
        # Model and parameters, which the quote binds, are the same.
        generates = {"operation": "generate", "maxPromptCharacters": 4000}
        same.append(cutter(key, priority) | generates)
    service.redeploy(catalog=catalog(*same))
    with pytest.raises(QuoteExpiredError) as found:
        confirm(service, priced)
    assert found.value.charged is False
    assert not service.providers["alpha"].orders
    settle_down(service)


# Money, replays and crashes.


def test_the_same_quote_again_is_the_same_image_and_one_charge(wanted: dict[str, Any]) -> None:
    service, priced = ready(wanted)
    first = confirm(service, priced)
    service.clock.advance(3_600_000)
    again = confirm(service, priced)
    assert isinstance(first, Made)
    assert isinstance(again, Made)
    assert again.is_replay
    assert again.record == first.record
    assert len(service.providers["alpha"].orders) == 1


def test_a_lost_answer_is_never_bought_twice_from_the_same_provider(
    wanted: dict[str, Any],
) -> None:
    service, priced = ready(wanted)
    service.react("alpha", Outcome.UNKNOWN)
    made = confirm(service, priced)
    assert isinstance(made, Made)
    assert made.record.key == f"beta-{wanted['operation']}"
    assert made.record.in_doubt_microusd == priced.choices[0].price.expected
    assert len(service.providers["alpha"].orders) == 1
    service.check_charged_iff_stored()


def test_a_deleted_picture_stops_the_click_before_anything_is_held(wanted: dict[str, Any]) -> None:
    service, image_id = a_service()
    priced = offer(service, image_id, **wanted)
    before = spent(service)
    service.gallery.delete(image_id, USER)
    with pytest.raises(InputGoneError):
        confirm(service, priced)
    assert spent(service) == before


@pytest.mark.thorough
@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("wanted", [OPERATIONS["upscale"], OPERATIONS["cutout"]], indirect=False)
def test_a_fault_at_any_call_ends_with_what_is_stored_charged(
    wanted: dict[str, Any], fault: Fault
) -> None:
    for index in range(MOST_CALLS):
        service, priced = ready(wanted)
        service.wire.mend()
        service.wire.faults[index] = fault
        with suppress(DiedError, ImagegenError):
            confirm(service, priced)
        is_hit = index < len(service.wire.calls)
        settle_down(service)
        if not is_hit:
            assert index > 6
            return
    pytest.fail("the request has more calls than the test")


@pytest.mark.parametrize("fault", [Fault.DIES_BEFORE, Fault.DIES_AFTER])
def test_a_process_that_dies_at_the_put_leaves_one_charge_or_none(
    wanted: dict[str, Any], fault: Fault
) -> None:
    service, priced = ready(wanted)
    confirm(service, priced)
    put = service.wire.calls.index("images.put", 10)
    service, priced = ready(wanted)
    service.wire.faults[put] = fault
    with suppress(DiedError):
        confirm(service, priced)
    stored = (USER, priced.quote_id) in service.images.objects
    assert stored is (fault is Fault.DIES_AFTER)
    settle_down(service)
    # The parent is older than the hour that the ledger remembers.
    assert spent(service) == (priced.price.expected if stored else 0)


def test_a_row_of_an_operation_that_lacks_something_stops_the_start() -> None:
    broken: dict[str, dict[str, Any]] = {
        "has enlarges if and only if": upscaler("alpha-upscale", 1) | {"enlarges": None},
        "if and only if it upscales": cutter("alpha-cutout", 1)
        | {"enlarges": upscaler("alpha-upscale", 1)["enlarges"]},
        "has a prompt if and only if": cutter("alpha-cutout", 1) | {"maxPromptCharacters": 9},
        "exactly one input": upscaler("alpha-upscale", 1) | {"inputs": {**INPUTS, "most": 2}},
        "needs exactly one": upscaler("alpha-upscale", 1) | {"inputs": None},
        "a cut-out is transparent": cutter("alpha-cutout", 1) | {"transparent": None},
        "keeps its size": cutter("alpha-cutout", 1) | {"inputs": INPUTS},
    }
    for words, one in broken.items():
        with pytest.raises(ValidationError, match=words):
            catalog(row("alpha-standard", priority=1), one)
    with pytest.raises(ValidationError, match="if and only if it generates"):
        catalog(row("alpha-standard", priority=1, maxPromptCharacters=0))
    high = upscaler("beta-upscale", 1) | {"tier": "high"}
    with pytest.raises(ValidationError, match="in several tiers"):
        catalog(row("alpha-standard", priority=1), upscaler("alpha-upscale", 1), high)
    with pytest.raises(ValidationError, match="priorities used twice"):
        catalog(upscaler("alpha-upscale", 1), upscaler("beta-upscale", 1))


@pytest.mark.parametrize(
    ("sold", "arrived", "is_promised"),
    [
        ((1000, 3000), (1010, 2970), True),
        ((1000, 3000), (1011, 3000), False),
        ((1000, 3000), (1000, 2969), False),
    ],
)
def test_a_hundredth_of_an_edge_is_the_most_that_an_upscale_may_differ(
    sold: tuple[int, int], arrived: tuple[int, int], *, is_promised: bool
) -> None:
    assert is_promised_size(Operation.UPSCALE, sold, arrived) is is_promised


@pytest.mark.parametrize("content", [clear(), clear()[:-40]], ids=["transparent", "damaged"])
@pytest.mark.parametrize("field", ["inputs.0", "image"])
def test_a_picture_that_cannot_be_upscaled_is_named_by_its_field(
    content: bytes, field: str
) -> None:
    named = () if field == "inputs.0" else (field,)
    with pytest.raises(ParameterError) as refused:
        check_opaque(content, *named)
    assert refused.value.param == field
