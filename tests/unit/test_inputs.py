"""Edits and references: what is read, priced, bound, checked again and sent, and at what charge."""

import hashlib
import struct
import tracemalloc
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from imagegen.domain import input_files
from imagegen.domain.errors import (
    ContentRefusedError,
    GenerationFailedError,
    ImagegenError,
    InputGoneError,
    LimitError,
    NotFoundError,
    ParameterError,
    QuoteMismatchError,
    StoreUnavailableError,
    UnsupportedSizeError,
)
from imagegen.domain.inputs import MOST_UPLOAD_BYTES, QuotedInput, Role, encoded_bytes
from imagegen.domain.ledger import Ledger, Limits, OpState
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import Moderation, ModerationMode
from imagegen.domain.quote import open_quote
from imagegen.domain.uploads import (
    DAY_MS,
    PLACES_A_DAY,
    UploadRef,
    UploadRequest,
    check_upload_id,
    free_upload_id,
    owner_name,
    sent_upload_id,
    upload_id,
)
from imagegen.usecases.generate.run import Made, Running
from imagegen.usecases.inputs import InputReader
from imagegen.usecases.sent_pictures import SentPictures
from imagegen.wire.estimates import Estimate, EstimateRequest
from imagegen.wire.inputs import MAX_INPUTS, UploadOrder
from tests.fakes.catalogs import SQUARE, catalog, real_catalog, row
from tests.fakes.faults import DiedError, Fault
from tests.fakes.images import MemoryImageStore, MemoryRecordStore
from tests.fakes.marks import with_png_chunk
from tests.fakes.pictures import picture, png
from tests.fakes.providers import ScriptedModerator
from tests.fakes.service import IMAGE_ID_KEY, KEYRING, LIFETIME_MS, OTHER_USER, USER, Service
from tests.fakes.steps import counted_calls
from tests.fakes.uploads import MemoryUploadStore

WIDE = {"size": "1536x1024", "shape": "landscape", "params": {"size": "1536x1024"}}
SOURCE = "https://example.com/prices"
PRICES = {"1024x1024": "0.05", "1536x1024": "0.06"}
DRAWN = 50_000
INPUT = 10_000


def editor(key: str, priority: int, **changes: Any) -> dict[str, Any]:
    support = {"most": 4, "price": {"rule": "perImage", "usd": "0.01"}, "source": SOURCE}
    inputs = {**support, "mask": "alpha", **changes.pop("inputs", {})}
    return row(key, priority=priority) | {
        "sizes": [SQUARE, WIDE],
        "price": {"rule": "perImage", "usd": PRICES},
        "inputs": inputs,
        "transparent": {"background": "transparent"},
        "seed": "seed",
        **changes,
    }


def editors(**more: Any) -> Service:
    rows = (
        editor("alpha-standard", 1),
        editor("beta-standard", 2),
        row("gamma-standard", priority=3),
    )
    return Service(catalog=catalog(*rows), **more)


def upload(service: Service, content: bytes, user: str = USER, kind: str = "image/png") -> str:
    order = UploadOrder(
        media_type=kind,
        bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
    )
    ticket = service.functions.uploader.ticket(order, user)
    assert service.uploads.put(ticket.upload.url, content) == 200
    return ticket.upload_id


def image_of(service: Service, user: str = USER, **wishes: Any) -> str:
    offer = service.estimate("a fox", user, **wishes)
    assert isinstance(service.confirm(offer, user), Made)
    return offer.image_id


def edit(service: Service, **wishes: Any) -> Estimate:
    given = {"inputs": [{"image": image_of(service)}], **wishes}
    return service.estimate("make it blue", **given)


def with_text(content: bytes, text: bytes) -> bytes:
    chunk = b"tEXt" + b"Comment\0" + text
    packed = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return content[:33] + packed + content[33:]


def mask(size: tuple[int, int] = (24, 16), *, clear: bool = True) -> bytes:
    shown = Image.new("RGBA", size, (0, 0, 0, 255))
    if clear:
        shown.putpixel((3, 3), (0, 0, 0, 0))
    out = BytesIO()
    shown.save(out, "PNG")
    return out.getvalue()


def test_an_image_of_ones_own_is_edited_by_its_id_and_its_bytes_arrive_unchanged() -> None:
    service = editors()
    parent = service.estimate("a fox")
    assert isinstance(service.confirm(parent), Made)
    offer = service.estimate("make it blue", inputs=[{"image": parent.image_id}])
    assert isinstance(service.confirm(offer), Made)
    drawn, edited = service.providers["alpha"].orders
    assert not drawn.inputs
    (sent,) = edited.inputs
    assert sent.content == service.images.objects[USER, parent.quote_id][0]
    assert (sent.role, sent.width, sent.height) == (Role.EDIT, 1024, 1024)
    service.check_charged_iff_stored()


def test_an_edit_costs_its_image_and_its_inputs() -> None:
    service = editors()
    one = edit(service)
    assert one.price.expected == DRAWN + INPUT
    two = service.estimate("a", inputs=[{"image": image_of(service)}] * 2)
    assert two.price.expected == DRAWN + 2 * INPUT
    made = service.confirm(one)
    assert isinstance(made, Made)
    assert made.record.charged_microusd == DRAWN + INPUT


def test_a_model_without_a_price_for_inputs_is_left_out_with_that_reason() -> None:
    found = {one.key: one.reason for one in edit(editors()).alternatives}
    assert found["gamma-standard"] == "inputs_unsupported"


def test_without_any_model_for_inputs_the_error_names_the_field() -> None:
    service = Service()
    with pytest.raises(ParameterError, match="no published price") as caught:
        edit(service)
    assert caught.value.param == "inputs"


@pytest.mark.parametrize("size", ["10x10", "1024x1536", "99999x99999"])
def test_without_a_model_for_inputs_that_has_the_size_the_error_names_the_size(size: str) -> None:
    with pytest.raises(UnsupportedSizeError, match=f"No standard model has the size '{size}'"):
        edit(editors(), size=size)


@pytest.mark.parametrize("is_edit", [False, True])
def test_a_prompt_that_is_too_long_for_every_model_is_named(*, is_edit: bool) -> None:
    service = editors()
    given: dict[str, Any] = {"inputs": [{"image": image_of(service)}]} if is_edit else {}
    with pytest.raises(ParameterError, match="prompts of up to 4000 characters") as caught:
        service.estimate("a fox " * 800, **given)
    assert caught.value.param == "prompt"


def test_an_edit_without_a_size_has_the_size_of_its_input_for_each_candidate() -> None:
    service = editors()
    parent = image_of(service, size="landscape")
    offer = service.estimate("make it blue", inputs=[{"image": parent}])
    assert offer.size == "1536x1024"
    quote = open_quote(offer.quote, KEYRING)
    assert {one.size for one in quote.candidates} == {"1536x1024"}
    assert isinstance(service.confirm(offer), Made)
    assert service.providers["alpha"].orders[-1].params["size"] == "1536x1024"


@pytest.mark.parametrize(
    ("wished", "size"), [({"size": "square"}, "1024x1024"), ({"size": "same"}, "1536x1024")]
)
def test_a_requested_size_is_kept(wished: dict[str, str], size: str) -> None:
    service = editors()
    parent = image_of(service, size="landscape")
    assert service.estimate("x", inputs=[{"image": parent}], **wished).size == size


def test_references_alone_do_not_decide_the_size() -> None:
    service = editors()
    parent = image_of(service, size="landscape")
    offer = service.estimate("x", inputs=[{"image": parent, "role": "reference"}])
    assert offer.size == "1024x1024"


def test_the_same_size_needs_an_input() -> None:
    with pytest.raises(ParameterError) as caught:
        editors().estimate("x", size="same")
    assert caught.value.param == "size"


def test_the_answer_shows_the_inputs_and_only_repeats_ids_that_were_sent() -> None:
    service = editors()
    parent = service.estimate("a fox")
    service.confirm(parent)
    offer = service.estimate("x", inputs=[{"image": parent.image_id}])
    shown = offer.inputs[0]
    assert (shown.role, shown.width, shown.height) == (Role.EDIT, 1024, 1024)
    assert shown.quote_id == parent.quote_id
    assert parent.image_id not in offer.model_dump_json(exclude={"request"})
    assert offer.request["inputs"] == [{"image": parent.image_id}]
    assert parent.image_id[24:] not in str(open_quote(offer.quote, KEYRING))


def test_derived_from_names_the_parent_by_quote_id_in_record_and_answer() -> None:
    service = editors()
    parent = service.estimate("a fox")
    service.confirm(parent)
    sent = upload(service, picture())
    given = [{"image": parent.image_id, "role": "edit"}, {"upload": sent}]
    offer = service.estimate("x", inputs=given)
    answer = service.present(offer)
    assert answer.derived_from == parent.quote_id
    assert answer.inputs == ("edit", "reference")
    assert answer.parents == (parent.quote_id, None)
    record = service.images.objects[USER, offer.quote_id][1]
    assert record.derived_from == parent.quote_id
    assert record.parents == (parent.quote_id, "")
    assert record.uploads == (sent,)
    assert service.records.get(service.ref(offer)) == record
    for one in (answer, record):
        assert parent.image_id not in str(one)


@pytest.mark.parametrize("roles", [["edit"], ["edit", "reference"], ["reference", "reference"]])
def test_roles_are_kept_in_their_order(roles: list[str]) -> None:
    service = editors()
    parent = image_of(service)
    offer = service.estimate("x", inputs=[{"image": parent, "role": one} for one in roles])
    assert [one.role for one in offer.inputs] == roles


@pytest.mark.parametrize(
    ("count", "with_mask", "roles"),
    [
        (1, False, ["edit"]),
        (2, False, ["reference", "reference"]),
        (1, True, ["edit", "mask"]),
        (2, True, ["edit", "reference", "mask"]),
    ],
)
def test_without_roles_a_single_input_is_edited_and_the_masked_one(
    *, count: int, with_mask: bool, roles: list[str]
) -> None:
    service = editors()
    sent = upload(service, picture())
    more: dict[str, Any] = {"mask": {"upload": upload(service, mask())}} if with_mask else {}
    offer = service.estimate("x", inputs=[{"upload": sent}] * count, **more)
    assert [one.role for one in offer.inputs] == roles


@pytest.mark.parametrize(
    ("inputs", "more", "field"),
    [
        ([("reference"), ("edit")], {}, "inputs.1.role"),
        ([("edit"), ("edit")], {}, "inputs.1.role"),
        ([("reference")], {"mask": True}, "mask"),
        ([], {"mask": True}, "mask"),
    ],
)
def test_roles_that_contradict_each_other_are_refused(
    inputs: list[str], more: dict[str, bool], field: str
) -> None:
    service = editors()
    sent = upload(service, picture())
    given: dict[str, Any] = {"inputs": [{"upload": sent, "role": one} for one in inputs]}
    if more:
        given["mask"] = {"upload": upload(service, mask())}
    with pytest.raises(ParameterError) as caught:
        service.estimate("x", **given)
    assert caught.value.param == field


def foreign(service: Service) -> str:
    return image_of(service, OTHER_USER)


def offered(service: Service) -> str:
    return service.estimate("never confirmed").image_id


def failed(service: Service) -> str:
    for name in service.providers:
        service.react(name, Outcome.UNAVAILABLE)
    offer = service.estimate("fails")
    with pytest.raises(GenerationFailedError):
        service.confirm(offer)
    return offer.image_id


@pytest.mark.parametrize(
    "unknown",
    [
        foreign,
        offered,
        failed,
        lambda service: image_of(service)[:-1] + "a",
        lambda service: image_of(service).upper(),
        lambda _service: "nonsense",
        lambda service: service.estimate("x").quote_id,
    ],
)
def test_an_image_that_is_not_ones_own_is_answered_like_an_unknown_one(unknown: Any) -> None:
    service = editors()
    with pytest.raises(NotFoundError) as caught:
        service.estimate("x", inputs=[{"image": unknown(service)}])
    with pytest.raises(NotFoundError) as plain:
        service.estimate("x", inputs=[{"image": "a" * 64}])
    assert str(caught.value) == str(plain.value)


def test_the_upload_of_another_user_is_answered_like_an_unknown_one() -> None:
    service = editors()
    sent = upload(service, picture(), OTHER_USER)
    with pytest.raises(NotFoundError) as caught:
        service.estimate("x", inputs=[{"upload": sent}])
    with pytest.raises(NotFoundError) as plain:
        service.estimate("x", inputs=[{"upload": "nonsense"}])
    assert str(caught.value) == str(plain.value)
    assert not service.uploads.reads


def test_an_upload_that_is_not_stored_is_gone() -> None:
    service = editors()
    sent = upload(service, picture())
    service.uploads.objects.clear()
    with pytest.raises(InputGoneError):
        service.estimate("x", inputs=[{"upload": sent}])


def test_a_deleted_input_stops_the_confirmation_before_anything_is_held() -> None:
    service = editors()
    offer = edit(service)
    before = service.ledger()
    service.images.objects.clear()
    with pytest.raises(InputGoneError) as caught:
        service.confirm(offer)
    assert caught.value.charged is False
    assert service.ledger() == before


@pytest.mark.parametrize(("lost", "field"), [(0, "inputs.0"), (1, "inputs.1"), (2, "mask")])
def test_a_picture_that_is_lost_before_the_click_is_named_by_its_field(
    lost: int, field: str
) -> None:
    service = editors()
    sent = [upload(service, one) for one in (picture(), picture(size=(40, 30)), mask())]
    given = [{"upload": one} for one in sent]
    offer = service.estimate("x", size="square", inputs=given[:2], mask=given[2])
    service.uploads.delete(UploadRef(USER, sent[lost]))
    with pytest.raises(InputGoneError, match=f"^{field}: "):
        service.confirm(offer)


class Vanishing(MemoryUploadStore):
    """A store whose uploads are removed between a look at their size and their bytes."""

    def read(self, ref: UploadRef, *, limit_bytes: int) -> bytes | None:
        self.delete(ref)
        return super().read(ref, limit_bytes=limit_bytes)


def reader(uploads: MemoryUploadStore) -> InputReader:
    return InputReader(MemoryImageStore, MemoryRecordStore(), lambda: uploads, lambda: IMAGE_ID_KEY)


def test_an_upload_that_vanishes_while_it_is_read_is_gone() -> None:
    ref = UploadRef(USER, upload_id(USER, 20_000, 0, IMAGE_ID_KEY))
    wanted = EstimateRequest.model_validate({"prompt": "x", "inputs": [{"upload": ref.upload_id}]})
    with pytest.raises(InputGoneError, match=r"^inputs\.0: "):
        reader(Vanishing({ref: picture()})).quoted(wanted, USER)


def test_a_damaged_file_that_was_priced_is_named_and_not_sent() -> None:
    content = picture()[:-20]
    ref = UploadRef(USER, upload_id(USER, 20_000, 0, IMAGE_ID_KEY))
    digest = hashlib.sha256(content).hexdigest()
    bound = QuotedInput(Role.EDIT, 1, 1, "image/png", upload=ref.upload_id, sha256=digest)
    with pytest.raises(ParameterError, match="damaged") as caught:
        reader(MemoryUploadStore({ref: content})).files((bound,), USER)
    assert caught.value.param == "inputs.0"


def test_a_call_has_its_own_pictures_and_the_users_uploads_behind_them() -> None:
    mine, stored = UploadRef(USER, "in the call"), UploadRef(USER, "stored before")
    uploads = MemoryUploadStore({stored: b"12345"})
    both = SentPictures({mine: b"1234"}, lambda: uploads)
    assert (both.size(mine), both.size(stored)) == (4, 5)
    assert both.used(USER) == {stored.upload_id}
    for limit, found in ((5, [b"1234", b"12345"]), (4, [b"1234", None]), (3, [None, None])):
        assert [both.read(one, limit_bytes=limit) for one in (mine, stored)] == found
    order = UploadRequest("image/png", 1, hashlib.sha256(b"x").hexdigest())
    assert uploads.put(both.link(UploadRef(USER, "new"), order).url, b"x") == 200
    both.delete(stored)
    assert both.size(stored) is None


def test_a_changed_upload_stops_the_confirmation_before_anything_is_held() -> None:
    service = editors()
    sent = upload(service, picture())
    offer = service.estimate("x", inputs=[{"upload": sent}])
    service.uploads.objects[UploadRef(USER, sent)] = picture(size=(16, 16))
    with pytest.raises(QuoteMismatchError) as caught:
        service.confirm(offer)
    assert caught.value.charged is False
    assert service.ledger() == Ledger()
    assert not service.called


def lose_inputs(service: Service) -> None:
    service.uploads.objects.clear()


def change_inputs(service: Service) -> None:
    for ref in service.uploads.objects:
        service.uploads.objects[ref] = picture(size=(16, 16))


@pytest.mark.parametrize("happens", [lose_inputs, change_inputs])
@pytest.mark.parametrize("forgotten", [False, True])
def test_a_replay_returns_the_image_although_its_inputs_are_gone(
    happens: Any, *, forgotten: bool
) -> None:
    service = editors()
    offer = service.estimate("x", inputs=[{"upload": upload(service, picture())}])
    first = service.confirm(offer)
    assert isinstance(first, Made)
    happens(service)
    if forgotten:
        service.ledgers.ledgers.clear()
    again = service.confirm(offer)
    assert isinstance(again, Made)
    assert again.is_replay
    assert again.record == first.record
    assert len(service.called) == 1


def test_while_it_runs_a_second_confirmation_reads_no_inputs() -> None:
    service = editors()
    offer = service.estimate("x", inputs=[{"upload": upload(service, picture())}])
    found: list[object] = []
    reads: list[int] = []

    def click_again(ms: int) -> None:
        reads.append(len(service.uploads.reads))
        found.append(service.confirm(offer))
        reads.append(len(service.uploads.reads))

    service.providers["alpha"].sleep = click_again
    first = service.confirm(offer)
    assert isinstance(first, Made)
    assert isinstance(found[0], Running)
    assert reads[0] == reads[1]
    assert len(service.called) == 1
    service.check_charged_iff_stored()


def test_two_confirmations_at_once_make_one_image() -> None:
    """The second one reads the ledger before the first one holds, and its inputs after that."""
    service = editors()
    offer = service.estimate("x", inputs=[{"upload": upload(service, picture())}])
    real = service.uploads.read
    begun: list[object] = []

    class Store:
        def __getattr__(self, name: str) -> Any:
            return getattr(service.uploads, name)

        def read(self, ref: UploadRef, *, limit_bytes: int) -> bytes | None:
            if not begun:
                begun.append(None)
                begun.append(service.confirm(offer))
            return real(ref, limit_bytes=limit_bytes)

    reader = replace(service.functions.input_reader, uploads=Store)
    generator = replace(service.generator, inputs=reader)
    service.functions.__dict__["generator"] = generator
    second = service.confirm(offer)
    assert isinstance(begun[1], Made)
    assert isinstance(second, Made)
    assert len(service.called) == 1
    service.check_charged_iff_stored()


def test_a_process_that_dies_at_any_call_leaves_no_charge_without_an_image() -> None:
    for at in range(60):
        service = editors()
        offer = service.estimate("x", inputs=[{"upload": upload(service, picture())}])
        service.wire.mend()
        service.wire.faults[at] = Fault.DIES_AFTER
        try:
            service.confirm(offer)
        except DiedError:
            pass
        else:
            assert at > 5
            return
        service.new_process()
        service.clock.advance(LIFETIME_MS + 60_000)
        service.reconciler.sweep(limit=10)
        service.check_charged_iff_stored()
    pytest.fail("the request has more calls than the test")


@pytest.mark.parametrize("name", ["uploads.read", "ledgers.load", "ledgers.reserve"])
def test_a_store_that_fails_before_the_hold_says_nothing_of_the_charge_or_that_it_is_none(
    name: str,
) -> None:
    service = editors()
    offer = service.estimate("x", inputs=[{"upload": upload(service, picture())}])
    service.wire.mend()
    calls = ["ledgers.load", "uploads.read", "ledgers.reserve"]
    service.wire.faults[calls.index(name)] = Fault.BEFORE
    with pytest.raises(StoreUnavailableError) as caught:
        service.confirm(offer)
    assert service.wire.calls[calls.index(name)] == name
    assert caught.value.charged is not True
    assert not service.called


def test_an_unreachable_input_of_a_made_image_is_reported_as_charged() -> None:
    """The ledger has released the first run, and a later one of the same quote has made it."""
    service = editors()
    offer = service.estimate("x", inputs=[{"upload": upload(service, picture())}])
    service.confirm(offer)
    service.ledgers.ledgers.clear()
    service.wire.mend()
    service.wire.faults[1] = Fault.BEFORE
    with pytest.raises(StoreUnavailableError) as caught:
        service.confirm(offer)
    assert service.wire.calls[1] == "uploads.read"
    assert caught.value.charged is True


def test_after_a_failure_the_same_quote_reads_its_inputs_again() -> None:
    service = editors()
    offer = service.estimate("x", inputs=[{"upload": upload(service, picture())}])
    for name in service.providers:
        service.react(name, Outcome.UNAVAILABLE)
    with pytest.raises(GenerationFailedError):
        service.confirm(offer)
    service.react("alpha", png())
    assert isinstance(service.confirm(offer), Made)
    assert service.providers["alpha"].orders[-1].inputs
    service.check_charged_iff_stored()


def test_an_upload_leaves_without_what_it_says_about_its_owner() -> None:
    service = editors()
    content = with_text(picture(), b"taken at 52.5 N, 13.4 E by Ada")
    offer = service.estimate("x", inputs=[{"upload": upload(service, content)}])
    assert isinstance(service.confirm(offer), Made)
    (sent,) = service.providers["alpha"].orders[0].inputs
    assert b"Ada" not in sent.content
    assert Image.open(BytesIO(sent.content)).tobytes() == Image.open(BytesIO(content)).tobytes()
    assert service.moderator is not None
    assert service.moderator.pictures == [sent]


def test_the_fallback_gets_the_same_inputs() -> None:
    service = editors()
    service.react("alpha", Outcome.UNAVAILABLE)
    offer = service.estimate("x", inputs=[{"upload": upload(service, picture())}])
    assert isinstance(service.confirm(offer), Made)
    first, second = (service.providers[name].orders[0] for name in ("alpha", "beta"))
    assert first.inputs == second.inputs != ()


def test_moderation_sees_the_prompt_and_every_picture_but_not_the_mask() -> None:
    service = editors()
    sent = upload(service, picture())
    offer = service.estimate(
        "x", inputs=[{"upload": sent}, {"upload": sent}], mask={"upload": upload(service, mask())}
    )
    assert isinstance(service.confirm(offer), Made)
    assert service.moderator is not None
    roles = [one.role for one in service.moderator.pictures]
    assert roles == [Role.EDIT, Role.REFERENCE]
    assert service.moderator.asked == ["x"]


@pytest.mark.parametrize("mode", list(ModerationMode))
def test_a_flagged_picture_is_refused_and_released_unless_moderation_is_off(
    mode: ModerationMode,
) -> None:
    flagged = ScriptedModerator(Moderation(flagged=True, categories=("sexual",)))
    service = editors(moderation=mode)
    offer = service.estimate("x", inputs=[{"upload": upload(service, picture())}])
    service.moderator = flagged
    if mode is ModerationMode.OFF:
        assert isinstance(service.confirm(offer), Made)
        assert not flagged.asked
        return
    with pytest.raises(ContentRefusedError, match=r"picture.*sexual") as caught:
        service.confirm(offer)
    assert caught.value.charged is False
    assert not service.called
    assert service.spent() == 0


def test_a_mask_must_fit_its_first_input() -> None:
    service = editors()
    sent, other = upload(service, picture()), upload(service, mask((8, 8)))
    opaque = upload(service, mask(clear=False))
    for one in (other, opaque, sent):
        with pytest.raises(ParameterError) as caught:
            service.estimate("x", inputs=[{"upload": sent}], mask={"upload": one})
        assert caught.value.param == "mask"


def test_a_mask_is_sent_last_and_priced() -> None:
    service = editors()
    sent = upload(service, picture())
    offer = service.estimate(
        "x", size="square", inputs=[{"upload": sent}], mask={"upload": upload(service, mask())}
    )
    assert offer.price.expected == DRAWN + 2 * INPUT
    assert isinstance(service.confirm(offer), Made)
    assert [one.role for one in service.providers["alpha"].orders[0].inputs] == ["edit", "mask"]


def test_an_uploaded_mask_is_read_once_for_its_price_and_not_again_for_its_run() -> None:
    """The quote binds its bytes; to restore a large one takes a second of a core."""
    service = editors()
    sent, drawn = upload(service, picture("JPEG")), upload(service, mask())
    with counted_calls() as calls:
        offer = service.estimate("x", inputs=[{"upload": sent}], mask={"upload": drawn})
    assert (calls["inflated"], calls["plane_of"]) == (1, 1)
    with counted_calls() as calls:
        made = service.confirm(offer)
    assert isinstance(made, Made)
    assert (made.record.provider, calls["plane_of"]) == ("alpha", 0)


def test_a_mask_that_is_an_image_is_read_when_its_run_begins() -> None:
    service = editors()
    offer = masked(service, see_through())
    with counted_calls() as calls:
        assert isinstance(service.confirm(offer), Made)
    assert calls["plane_of"] == 1


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (lambda content: with_png_chunk(content, b"acTL", bytes(8)), "animated"),
        (lambda content: content[:-20], "cut off"),
        (lambda content: content[:60] + bytes([content[60] ^ 255]) + content[61:], "damaged"),
    ],
    ids=["animated", "cut off", "damaged"],
)
def test_a_mask_that_is_uploaded_is_a_file_like_any_other(
    changed: Callable[[bytes], bytes], words: str
) -> None:
    service = editors()
    sent, drawn = upload(service, picture()), upload(service, changed(mask()))
    with pytest.raises(ParameterError, match=words) as caught:
        service.estimate("x", inputs=[{"upload": sent}], mask={"upload": drawn})
    assert caught.value.param == "mask"


def masked(service: Service, drawn: bytes) -> Estimate:
    """Return the offer of an edit whose mask is an image of one's own."""
    service.react("alpha", png())
    first = image_of(service)
    service.react("alpha", drawn)
    second = image_of(service)
    service.react("alpha", png())
    return service.estimate("x", inputs=[{"image": first}], mask={"image": second})


def test_an_image_of_ones_own_can_be_the_mask() -> None:
    service = editors()
    offer = masked(service, see_through())
    assert isinstance(service.confirm(offer), Made)
    assert service.providers["alpha"].orders[-1].inputs[1].content == see_through()


def test_a_mask_is_as_large_as_the_picture_it_changes_whatever_else_is_looked_at() -> None:
    service = editors()
    first = image_of(service)
    service.react("alpha", see_through())
    drawn = image_of(service)
    service.react("alpha", png())
    given = [{"image": first}, {"upload": upload(service, picture(size=(40, 30)))}]
    offer = service.estimate("x", size="square", inputs=given, mask={"image": drawn})
    assert isinstance(service.confirm(offer), Made)


def test_pictures_to_look_at_may_have_any_size() -> None:
    service = editors()
    sizes = [image_of(service, size=size) for size in ("square", "landscape")]
    assert service.estimate("x", inputs=[{"image": one} for one in sizes])


def test_an_image_that_is_no_mask_is_refused_before_anything_is_held() -> None:
    service = editors()
    offer = masked(service, unused_alpha())
    before = service.ledger()
    with pytest.raises(ParameterError) as caught:
        service.confirm(offer)
    assert (caught.value.param, caught.value.charged) == ("mask", False)
    assert service.ledger() == before


def test_an_image_of_another_size_is_no_mask() -> None:
    service = editors()
    first, second = image_of(service), image_of(service, size="landscape")
    with pytest.raises(ParameterError) as caught:
        service.estimate("x", inputs=[{"image": first}], mask={"image": second})
    assert caught.value.param == "mask"


def test_images_count_with_the_bytes_of_their_files() -> None:
    service = editors()
    large = with_text(png(), b"x" * 7_000_000)
    service.react("alpha", large)
    one = image_of(service)
    with pytest.raises(ParameterError, match="20 MB"):
        service.estimate("x", inputs=[{"image": one}] * 3)


@pytest.mark.parametrize(("more", "first"), [(0, "alpha"), (1, "beta")])
def test_a_model_that_cannot_be_sent_so_many_bytes_is_left_out_before_the_click(
    more: int, first: str
) -> None:
    content = picture()
    fits = -(-len(content) // 3) * 4 + -(-len(mask()) // 3) * 4
    limited = editor("alpha-standard", 1, inputs={"mostEncodedBytes": fits})
    service = Service(catalog=catalog(limited, editor("beta-standard", 2)))
    given: dict[str, Any] = {
        # Three bytes more are four in base64.
        "inputs": [{"upload": upload(service, content + bytes(3 * more))}],
        "mask": {"upload": upload(service, mask())},
    }
    offer = service.estimate("make it blue", **given)
    assert offer.provider == first
    reasons = {one.key: one.detail for one in offer.alternatives if one.reason}
    assert reasons == (
        {} if more == 0 else {"alpha-standard": "takes at most 0.0 MB of input images"}
    )


@pytest.mark.parametrize(("less", "first"), [(0, "alpha"), (1, "beta")])
def test_so_is_one_that_cannot_be_sent_an_image_of_ones_own(less: int, first: str) -> None:
    drawn = png()
    fits = -(-len(drawn) // 3) * 4 - less
    limited = editor("alpha-standard", 1, inputs={"mostEncodedBytes": fits})
    service = Service(catalog=catalog(limited, editor("beta-standard", 2)))
    service.react("alpha", drawn)
    given = [{"image": image_of(service)}]
    assert service.estimate("make it blue", inputs=given).provider == first


def test_how_large_a_file_is_stands_in_no_quote() -> None:
    service = editors()
    for one in ({"upload": upload(service, picture())}, {"image": image_of(service)}):
        quote = open_quote(service.estimate("x", inputs=[one]).quote, KEYRING)
        assert [found.file_bytes for found in quote.inputs] == [0]
        # So the same input is the same, whether its size is known or not.
        assert quote.inputs == tuple(replace(found, file_bytes=9) for found in quote.inputs)


@pytest.mark.parametrize(("sizes", "encoded"), [((), 0), ((0,), 0), ((1, 3), 8), ((4, 2), 12)])
def test_bytes_of_inputs_are_counted_as_they_are_sent(sizes: tuple[int, ...], encoded: int) -> None:
    inputs = tuple(QuotedInput(Role.REFERENCE, 1, 1, "image/png", file_bytes=one) for one in sizes)
    assert encoded_bytes(inputs) == encoded


def test_images_of_unknown_size_count_when_they_are_read() -> None:
    service = editors()
    service.react("alpha", with_text(png(), b"x" * 7_000_000))
    one = service.estimate("a fox")
    service.confirm(one)
    ref = service.ref(one)
    service.records.records[ref] = replace(service.records.records[ref], file_bytes=0)
    offer = service.estimate("x", inputs=[{"image": one.image_id}] * 3)
    with pytest.raises(ParameterError, match="20 MB") as caught:
        service.confirm(offer)
    assert caught.value.charged is False


@pytest.mark.parametrize("first", ["openai-high", "replicate-high-fill"])
def test_a_picture_on_a_larger_canvas_is_extended_beyond_its_edges(first: str) -> None:
    service = Service(catalog=real_catalog())
    canvas = Image.new("RGBA", (1536, 1024))
    may_change = canvas.copy()
    canvas.paste(Image.open(BytesIO(picture(size=(1024, 1024)))), (256, 0))
    may_change.paste((0, 0, 0, 255), (256, 0, 1280, 1024))
    sent = []
    for drawn in (canvas, may_change):
        drawn.save(out := BytesIO(), "PNG")
        sent.append(out.getvalue())
    edited, mask_id = (upload(service, one) for one in sent)
    wishes: dict[str, Any] = {"inputs": [{"upload": edited}], "mask": {"upload": mask_id}}
    offer = service.estimate("more of the forest", quality="high", model=first, **wishes)
    named = real_catalog().by_key[first]
    assert (offer.provider, offer.model, offer.size) == (named.provider, named.model, "1536x1024")
    assert isinstance(service.confirm(offer), Made)
    (order,) = service.providers[named.provider].orders
    assert [one.role for one in order.inputs] == [Role.EDIT, Role.MASK]
    assert [one.content for one in order.inputs] == sent


def test_a_row_without_masks_is_left_out_if_one_is_given() -> None:
    rows = (editor("alpha-standard", 1, inputs={"mask": None}), editor("beta-standard", 2))
    service = Service(catalog=catalog(*rows))
    sent = upload(service, picture())
    offer = service.estimate(
        "x", inputs=[{"upload": sent}], mask={"upload": upload(service, mask())}
    )
    assert offer.model == "beta-standard-model"


@pytest.mark.parametrize(
    "content",
    [b"", b"<svg onload=alert(1)>", b"GIF89a" + b"\0" * 20, png()[:-20], b"\x89PNG\r\n\x1a\n"],
)
def test_a_file_that_is_no_whole_picture_is_refused_with_its_field(content: bytes) -> None:
    service = editors()
    sent = upload(service, picture())
    service.uploads.objects[UploadRef(USER, sent)] = content
    with pytest.raises(ParameterError) as caught:
        service.estimate("x", inputs=[{"upload": sent}])
    assert caught.value.param == "inputs.0"


def test_the_bytes_decide_the_type_and_not_what_was_announced() -> None:
    service = editors()
    sent = upload(service, picture("JPEG"), kind="image/png")
    assert service.estimate("x", inputs=[{"upload": sent}]).inputs[0].media_type == "image/jpeg"


def test_all_inputs_together_have_at_most_20_mb_and_none_is_read_beyond() -> None:
    service = editors()
    content = with_text(picture(), b"x" * 6_999_000)
    sent = upload(service, content)
    service.estimate("x", inputs=[{"upload": sent}] * 2)
    half = with_text(picture(), b"x" * (10_000_000 - len(with_text(picture(), b""))))
    exact = upload(service, half)
    assert service.estimate("x", inputs=[{"upload": exact}] * 2)
    service.uploads.reads.clear()
    with pytest.raises(ParameterError, match="20 MB") as caught:
        service.estimate("x", inputs=[{"upload": sent}] * 3)
    assert caught.value.param == "inputs.2"
    assert len(service.uploads.reads) == 2


@pytest.mark.parametrize(
    "given",
    [
        {"inputs": [{"image": "a", "upload": "b"}]},
        {"inputs": [{}]},
        {"inputs": [{"image": "a"}] * 5},
        {"inputs": [{"image": ""}]},
        {"inputs": [{"image": "a", "role": "mask"}]},
        {"inputs": [{"image": "a", "url": "https://example.com/a.png"}]},
        {"inputs": [{"url": "https://example.com/a.png"}]},
        {"inputs": {"image": "a"}},
        {"mask": {"image": "a", "role": "edit"}},
        {"seed": -1},
        {"seed": 2**31},
        {"partials": 3},
        {"background": "blue"},
    ],
)
def test_other_shapes_of_a_request_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        EstimateRequest.model_validate({"prompt": "x", **given})


def see_through() -> bytes:
    image = Image.new("RGBA", (1024, 1024), (9, 9, 9, 255))
    image.paste((1, 2, 3, 0), (0, 0, 500, 500))
    out = BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def unused_alpha() -> bytes:
    image = Image.new("RGBA", (1024, 1024), (9, 9, 9, 255))
    image.paste((1, 2, 3, 255), (0, 0, 500, 500))
    out = BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize("opaque", [png(), unused_alpha()])
def test_an_opaque_image_is_not_sold_as_a_transparent_one(opaque: bytes) -> None:
    service = editors()
    service.react("alpha", opaque)
    service.react("beta", see_through())
    offer = service.estimate("a logo", background="transparent")
    made = service.confirm(offer)
    assert isinstance(made, Made)
    assert made.record.provider == "beta"
    assert made.record.attempts[0].code == "opaque_image"
    service.check_charged_iff_stored()


def test_an_image_whose_alpha_cannot_be_read_is_not_sold_as_a_transparent_one() -> None:
    shown = Image.effect_noise((1024, 1024), 60).convert("RGBA")
    shown.putalpha(Image.effect_noise((1024, 1024), 90))
    shown.save(out := BytesIO(), "WEBP")
    content = bytearray(out.getvalue())
    content[content.index(b"ALPH") + 8] = 0  # raw alpha, for which there are too few bytes
    service = editors()
    service.react("alpha", bytes(content))
    service.react("beta", see_through())
    made = service.confirm(service.estimate("a logo", background="transparent"))
    assert isinstance(made, Made)
    assert made.record.provider == "beta"
    assert made.record.attempts[0].code == "broken_image"
    service.check_charged_iff_stored()


def test_without_any_transparent_image_nothing_is_charged() -> None:
    service = editors()
    for name in service.providers:
        service.react(name, png())
    offer = service.estimate("a logo", background="transparent")
    with pytest.raises(GenerationFailedError):
        service.confirm(offer)
    assert service.spent() == 0
    service.check_charged_iff_stored()


@pytest.mark.parametrize(
    ("wishes", "sent"),
    [
        ({"seed": 7}, {"seed": 7}),
        ({"background": "transparent"}, {"background": "transparent"}),
        ({"background": "opaque"}, {}),
    ],
)
def test_wishes_are_priced_bound_and_sent(wishes: dict[str, Any], sent: dict[str, Any]) -> None:
    service = editors()
    service.react("alpha", see_through())
    offer = service.estimate("x", **wishes)
    assert isinstance(service.confirm(offer), Made)
    params = dict(service.providers["alpha"].orders[0].params)
    assert params == {"steps": 4, "size": "1024x1024", **sent}


@pytest.mark.parametrize(
    ("wishes", "field"),
    [
        ({"partials": 1}, "partials"),
        ({"seed": 1}, "seed"),
        ({"background": "transparent"}, "background"),
    ],
)
def test_a_wish_that_no_model_meets_is_refused_with_its_field(
    wishes: dict[str, Any], field: str
) -> None:
    with pytest.raises(ParameterError) as caught:
        Service().estimate("x", **wishes)
    assert caught.value.param == field


def test_a_request_without_inputs_reads_no_store_of_pictures() -> None:
    service = editors()
    service.wire.mend()
    offer = service.estimate("x")
    service.confirm(offer)
    assert not [name for name in service.wire.calls if name.startswith("uploads.")]
    assert "images.read" not in service.wire.calls


def test_an_upload_has_one_place_of_the_day_and_is_stored_once() -> None:
    service = editors()
    content = picture()
    order = UploadOrder(
        media_type="image/png", bytes=len(content), sha256=hashlib.sha256(content).hexdigest()
    )
    ticket = service.functions.uploader.ticket(order, USER)
    assert ticket.expires_at == service.clock() + 300_000
    assert service.uploads.put(ticket.upload.url, content + b"x") == 403
    assert service.uploads.put(ticket.upload.url, content[::-1]) == 400
    assert service.uploads.put(ticket.upload.url, content) == 200
    assert service.uploads.put(ticket.upload.url, content) == 412


def test_a_user_can_store_a_limited_number_of_uploads_a_day_however_many_links_there_are() -> None:
    service = editors()
    content = picture()
    order = UploadOrder(
        media_type="image/png", bytes=len(content), sha256=hashlib.sha256(content).hexdigest()
    )
    tickets = [service.functions.uploader.ticket(order, USER) for _ in range(3 * PLACES_A_DAY)]
    stored = [service.uploads.put(one.upload.url, content) for one in tickets]
    assert stored.count(200) <= PLACES_A_DAY
    for _ in range(PLACES_A_DAY - stored.count(200)):
        upload(service, content)
    with pytest.raises(LimitError) as caught:
        service.functions.uploader.ticket(order, USER)
    assert caught.value.code == "upload_limit"
    assert service.functions.uploader.ticket(order, OTHER_USER)
    service.clock.advance(DAY_MS)
    assert service.functions.uploader.ticket(order, USER)


@given(st.integers(0, 60_000), st.integers(0, PLACES_A_DAY - 1))
def test_only_its_user_can_use_an_upload_id(day: int, place: int) -> None:
    found = upload_id(USER, day, place, IMAGE_ID_KEY)
    assert check_upload_id(found, USER, IMAGE_ID_KEY).upload_id == found
    for user, key in ((OTHER_USER, IMAGE_ID_KEY), (USER, b"another key" * 4)):
        with pytest.raises(NotFoundError):
            check_upload_id(found, user, key)


def test_an_upload_has_one_spelling() -> None:
    found = upload_id(USER, 20_000, 5, IMAGE_ID_KEY)
    with pytest.raises(NotFoundError):
        check_upload_id(found.upper(), USER, IMAGE_ID_KEY)


def test_names_and_ids_of_uploads_are_the_same_in_every_release() -> None:
    """What was uploaded before a deployment can be used, and erased, after it."""
    assert upload_id(USER, 20_000, 5, IMAGE_ID_KEY) == "jyqalmyrft4rwz5n"
    assert owner_name(USER, IMAGE_ID_KEY) == "ed929d06098e67cb1e4fcf006be40959"
    assert owner_name(OTHER_USER, IMAGE_ID_KEY) != owner_name(USER, IMAGE_ID_KEY)


def test_a_picture_in_a_call_has_an_id_beyond_those_of_a_day() -> None:
    sent = {sent_upload_id(USER, index, IMAGE_ID_KEY) for index in range(MAX_INPUTS + 1)}
    assert len(sent) == MAX_INPUTS + 1
    assert not sent & {upload_id(USER, 0, at, IMAGE_ID_KEY) for at in range(PLACES_A_DAY)}


@given(st.text(max_size=20))
@example("1" * 16)
@example("\u00e9" * 16)
def test_no_text_is_an_upload_id_by_chance(text: str) -> None:
    with pytest.raises(NotFoundError):
        check_upload_id(text, USER, IMAGE_ID_KEY)


@given(
    st.sets(st.integers(0, PLACES_A_DAY - 1), max_size=PLACES_A_DAY - 1), st.integers(0, 2**32 - 1)
)
def test_a_free_place_is_found_while_there_is_one(used: set[int], random_number: int) -> None:
    taken = {upload_id(USER, 7, place, IMAGE_ID_KEY) for place in used}
    found = free_upload_id(
        USER, taken, IMAGE_ID_KEY, now_ms=7 * DAY_MS + 5, random_number=random_number
    )
    assert found not in taken
    assert check_upload_id(found, USER, IMAGE_ID_KEY)


def test_an_upload_may_be_as_large_as_an_input() -> None:
    assert MOST_UPLOAD_BYTES == input_files.MAX_BYTES
    assert PLACES_A_DAY <= 256


def test_the_errors_of_inputs_are_not_retried_by_programs() -> None:
    for error in (InputGoneError(""), QuoteMismatchError(""), ParameterError("x", "")):
        assert isinstance(error, ImagegenError)
        assert not error.retryable


def test_limits_hold_for_edits() -> None:
    service = editors(limits=Limits(daily_microusd=DRAWN + INPUT - 1, hourly_images=0))
    sent = upload(service, picture())
    with pytest.raises(LimitError):
        service.confirm(service.estimate("x", inputs=[{"upload": sent}]))
    assert OpState.HELD not in {op.state for op in service.ledger().ops.values()}


ROLES = st.lists(st.sampled_from([None, "edit", "reference"]), max_size=4)


@given(asked=ROLES, has_mask=st.booleans())
def test_of_any_roles_at_most_the_first_is_edited_and_a_mask_is_last(
    *, asked: list[str | None], has_mask: bool
) -> None:
    service = editors()
    sent = upload(service, picture())
    inputs = [{"upload": sent, **({"role": one} if one else {})} for one in asked]
    more: dict[str, Any] = {"mask": {"upload": upload(service, mask())}} if has_mask else {}
    try:
        found = [one.role for one in service.estimate("x", inputs=inputs, **more).inputs]
    except ParameterError:
        assert "edit" in asked[1:] or (has_mask and (not asked or asked[0] == "reference"))
        return
    pictures = found[:-1] if has_mask else found
    assert len(pictures) == len(asked)
    assert Role.EDIT not in pictures[1:]
    assert Role.MASK not in pictures
    if has_mask:
        assert (found[0], found[-1]) == (Role.EDIT, Role.MASK)
    for role, wanted in zip(pictures, asked, strict=True):
        assert wanted in {None, role}


def test_while_a_request_reads_its_inputs_their_bytes_are_in_memory_at_most_twice() -> None:
    service = editors()
    content = with_text(picture(), b"x" * 4_000_000)
    ids = [upload(service, content + bytes([number])) for number in range(4)]
    quote = open_quote(
        service.estimate("x", inputs=[{"upload": one} for one in ids]).quote, KEYRING
    )
    tracemalloc.start()
    try:
        service.functions.input_reader.files(quote.inputs, USER)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak <= 2 * 4 * len(content)


def turned_photo() -> bytes:
    """Return a JPEG of a phone: stored wide, shown upright, with its place and its owner."""
    data = Image.Exif()
    data[0x0112] = 6
    data[0x013B] = "Ada Lovelace"
    place = data.get_ifd(0x8825)
    place[1], place[2] = "N", (52.0, 30.0, 59.0)
    return picture("JPEG", size=(96, 64), exif=data.tobytes())


def test_a_photo_is_measured_as_it_is_shown_and_leaves_without_its_place_and_owner() -> None:
    service = editors()
    content = turned_photo()
    assert b"Ada Lovelace" in content
    offer = service.estimate("x", inputs=[{"upload": upload(service, content)}])
    assert (offer.inputs[0].width, offer.inputs[0].height) == (64, 96)
    assert isinstance(service.confirm(offer), Made)
    (sent,) = service.providers["alpha"].orders[0].inputs
    assert (sent.width, sent.height) == (64, 96)
    left = Image.open(BytesIO(sent.content)).getexif()
    assert dict(left) == {0x0112: 6}
    assert not left.get_ifd(0x8825)
    assert b"Ada" not in sent.content


def animated(kind: str) -> bytes:
    frames = [Image.new("RGB", (16, 16), (number, 0, 0)) for number in (0, 99, 200)]
    out = BytesIO()
    frames[0].save(out, kind, save_all=True, append_images=frames[1:])
    return out.getvalue()


def cmyk() -> bytes:
    out = BytesIO()
    Image.new("CMYK", (16, 16)).save(out, "JPEG")
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(animated("PNG"), "animated", id="animated PNG"),
        pytest.param(animated("WEBP"), "animated", id="animated WebP"),
        pytest.param(cmyk(), "CMYK", id="CMYK"),
        pytest.param(picture(size=(400, 100)), "3 times", id="4:1"),
        pytest.param(picture(size=(8_200, 16)), "8192", id="a long side"),
        pytest.param(picture(size=(24, 16))[:-30], "damaged", id="cut off"),
        pytest.param(b"%PDF-1.7", "a PDF", id="PDF"),
        pytest.param(b"<html>", "SVG or HTML", id="HTML"),
    ],
)
def test_a_picture_that_no_provider_takes_is_refused_with_its_reason(
    content: bytes, reason: str
) -> None:
    service = editors()
    sent = upload(service, content)
    with pytest.raises(ParameterError, match=reason) as caught:
        service.estimate("x", inputs=[{"upload": sent}])
    assert caught.value.param == "inputs.0"


def test_a_deleted_image_is_no_input_any_more_and_what_was_made_of_it_stays() -> None:
    service = editors()
    parent = image_of(service)
    asked: dict[str, Any] = {"inputs": [{"image": parent}]}
    child, late = service.estimate("make it blue", **asked), service.estimate("red", **asked)
    assert isinstance(service.confirm(child), Made)
    service.functions.gallery.delete(parent, USER)
    with pytest.raises(InputGoneError):
        service.estimate("make it green", **asked)
    before = service.spent()
    with pytest.raises(InputGoneError) as caught:
        service.confirm(late)
    assert (caught.value.charged, service.spent()) == (False, before)
    assert isinstance(service.confirm(child), Made)
    assert service.spent() == before


def test_a_deleted_image_takes_its_uploads_with_it() -> None:
    service = editors()
    sent = upload(service, png())
    offer = service.estimate("make it blue", inputs=[{"upload": sent}])
    assert isinstance(service.confirm(offer), Made)
    place = check_upload_id(sent, USER, IMAGE_ID_KEY)
    assert service.uploads.size(place)
    service.wire.faults = {len(service.wire.calls): Fault.BEFORE}
    for _ in range(2):
        with suppress(StoreUnavailableError):
            service.functions.gallery.delete(offer.image_id, USER)
    assert service.uploads.size(place) is None
    record = service.records.get(service.ref(offer))
    assert record is not None
    assert (record.deleted_ms > 0, record.uploads, record.parents) == (True, (), ())
