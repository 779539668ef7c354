"""What an attacker tries with pictures, sets, cursors and deleted images; over HTTP, none works."""

import base64
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from imagegen.domain.errors import ContentRefusedError
from imagegen.domain.gallery import to_cursor
from imagegen.domain.ids import parse_image_id
from imagegen.domain.outcomes import Outcome
from imagegen.domain.quote import PREFIX, PREFIX_WITH_INPUTS, open_quote
from imagegen.domain.records import Place
from imagegen.domain.uploads import sent_upload_id
from tests.fakes.pictures import picture
from tests.fakes.service import IMAGE_ID_KEY, KEYRING, OTHER_USER, Service
from tests.handlers.conftest import Functions
from tests.handlers.test_edges import request
from tests.unit.test_inputs import editors, image_of, mask, upload

CONTENT, OTHER_CONTENT = picture(size=(24, 16)), picture("JPEG", size=(24, 16))
UNKNOWN_IMAGE, UNKNOWN_UPLOAD = "a" * 64, "a" * 16
PROMPT = "make it blue"


@pytest.fixture
def service(functions: Functions) -> Service:
    functions.service = editors()
    return functions.service


def ask(
    functions: Functions, method: str, path: str, body: Any = None, name: str = "generate"
) -> tuple[int, dict[str, Any]]:
    answer = functions.invoke(name, request(functions, method, path, body))
    return answer["statusCode"], json.loads(answer["body"] or "{}")


def priced(functions: Functions, **given: Any) -> tuple[int, dict[str, Any]]:
    body = {"prompt": PROMPT, "quality": "standard", **given}
    return ask(functions, "POST", "/estimate", body, "estimate")


def clicked(functions: Functions, *quotes: str, **more: Any) -> tuple[int, dict[str, Any]]:
    body = {"prompt": PROMPT, "quotes": list(quotes), **more}
    return ask(functions, "POST", "/generate-image", body)


def orders(service: Service) -> list[Any]:
    return [order for one in service.providers.values() for order in one.orders]


# Names of pictures.

PATHS = ("../img/x", "..%2fimg%2fx", "inputs/x", "/etc/passwd", "a\u0000b", "\u0661" * 16, " ",
         "a" * 200, "A" * 16, "AAAAAAAAAAAAAAAA", f"{UNKNOWN_UPLOAD} ", f"{UNKNOWN_UPLOAD}\n",
         "=" * 16, "aaaaaaaaaaaaaaa=", "\ud800" * 16, "http://169.254.169.254/latest")  # fmt: skip


@pytest.mark.parametrize("text", PATHS, ids=ascii)
@pytest.mark.parametrize("kind", ["image", "upload"])
def test_a_path_is_no_name_of_a_picture_and_nothing_is_read(
    functions: Functions, service: Service, kind: str, text: str
) -> None:
    for given in (
        {"inputs": [{kind: text}]},
        {"inputs": [{"image": UNKNOWN_IMAGE}], "mask": {kind: text}},
    ):
        status, body = priced(functions, **given)
        assert (status, body["charged"]) in {(404, False), (422, False)}
    assert not service.uploads.reads


@pytest.mark.parametrize("place", ["inputs", "mask"])
@pytest.mark.parametrize("kind", ["image", "upload"])
def test_another_persons_picture_is_answered_exactly_like_an_unknown_one(
    functions: Functions, service: Service, user: str, kind: str, place: str
) -> None:
    of_another = {
        "image": image_of(service, OTHER_USER),
        "upload": upload(service, mask(), OTHER_USER),
    }[kind]
    mine = upload(service, CONTENT, user)
    unknown = UNKNOWN_IMAGE if kind == "image" else UNKNOWN_UPLOAD

    def answer(name: str) -> tuple[int, dict[str, Any]]:
        named = {kind: name}
        if place == "inputs":
            return priced(functions, inputs=[named])
        return priced(functions, inputs=[{"upload": mine}], mask=named)

    assert answer(of_another) == answer(unknown)
    assert answer(of_another)[0] == 404


def test_a_picture_of_another_call_cannot_be_named(
    functions: Functions, service: Service, user: str
) -> None:
    """Pictures in a call under /v1 have ids, under which nothing is ever stored."""
    for index in range(5):
        name = sent_upload_id(user, index, IMAGE_ID_KEY)
        assert priced(functions, inputs=[{"upload": name}])[0] == 410
        answer = ask(
            functions,
            "POST",
            "/v1/images/edits",
            {"prompt": PROMPT, "images": [{"file_id": name}]},
        )
        assert answer[0] == 410
    assert not orders(service)


def test_an_image_that_is_not_made_yet_or_failed_is_no_input(
    functions: Functions, service: Service, user: str
) -> None:
    offer = service.estimate("a fox", user)
    assert priced(functions, inputs=[{"image": offer.image_id}])[0] == 404
    for provider in service.providers.values():
        provider.reactions = [Outcome.REFUSED]
    with pytest.raises(ContentRefusedError):
        service.confirm(offer, user)
    assert priced(functions, inputs=[{"image": offer.image_id}])[0] == 404


def test_what_stands_behind_a_picture_is_not_sent_on(
    functions: Functions, service: Service, user: str
) -> None:
    for content in (CONTENT, OTHER_CONTENT, picture("WEBP", size=(24, 16))):
        sent = upload(service, content + b"<script>alert(1)</script>PK\x03\x04", user)
        status, offer = priced(functions, inputs=[{"upload": sent}])
        if status == 200:
            assert clicked(functions, *offer["quotes"])[0] == 200
    assert orders(service)
    assert not any(b"<script>" in one.content for order in orders(service) for one in order.inputs)


# Quotes.


def retold(token: str, change: Callable[[dict[str, Any]], object], prefix: str = "") -> str:
    """Return a quote with other words under its old signature."""
    head, kid, payload, mac = token.split(".")
    told = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    change(told)
    text = base64.urlsafe_b64encode(json.dumps(told, separators=(",", ":")).encode())
    return ".".join((prefix or head, kid, text.rstrip(b"=").decode(), mac))


CHANGES: dict[str, Callable[[dict[str, Any]], object]] = {
    "inputs in another order": lambda told: told["inputs"].reverse(),
    "another role": lambda told: told["inputs"][0].update(role="reference"),
    "a mask less": lambda told: told["inputs"].pop(),
    "no inputs": lambda told: told["inputs"].clear(),
    "another upload": lambda told: told["inputs"][0].update(upload=told["inputs"][1]["upload"]),
    "another digest": lambda told: told["inputs"][0].update(sha256="0" * 64),
    "fewer pixels": lambda told: told["inputs"][0].update(width=1, height=1),
    "another price": lambda told: told["candidates"][0].update(price_microusd=1),
    "another wish": lambda told: told["wishes"].update(transparent=True),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("is_set", [False, True])
def test_a_quote_with_other_pictures_is_not_a_quote(
    functions: Functions, service: Service, user: str, change: str, *, is_set: bool
) -> None:
    first, second = upload(service, CONTENT, user), upload(service, mask(), user)
    given = {"inputs": [{"upload": first}], "mask": {"upload": second}}
    _, offer = priced(functions, **given)
    forged = retold(offer["quote"], CHANGES[change])
    body = {"quotes": [forged]} if is_set else {"quote": forged}
    status, problem = ask(functions, "POST", "/generate-image", {"prompt": PROMPT, **body})
    assert (status, problem["code"], problem["charged"]) == (400, "quote_invalid", None)
    assert not orders(service)
    assert service.spent(user) == 0


def test_a_quote_with_pictures_is_not_one_of_the_older_form_nor_the_reverse(
    functions: Functions, service: Service, user: str
) -> None:
    _, edit = priced(functions, inputs=[{"upload": upload(service, CONTENT, user)}])
    _, plain = priced(functions)
    assert edit["quote"].startswith(PREFIX_WITH_INPUTS)
    for token, prefix in ((edit["quote"], PREFIX), (plain["quote"], PREFIX_WITH_INPUTS)):
        forged = retold(token, lambda _told: None, prefix)
        assert clicked(functions, forged)[1]["code"] == "quote_invalid"
    swapped = ".".join((*edit["quote"].split(".")[:3], plain["quote"].split(".")[3]))
    assert clicked(functions, swapped)[1]["code"] == "quote_invalid"
    assert not orders(service)


# Sets.


def test_a_set_with_another_persons_quote_makes_only_ones_own(
    functions: Functions, service: Service, user: str
) -> None:
    foreign = service.estimate(PROMPT, OTHER_USER)
    _, mine = priced(functions)
    status, answer = clicked(functions, foreign.quote, mine["quote"])
    assert status == 200
    assert [(one["status"], one["charged"]) for one in answer["images"]] == [
        ("failed", None),
        ("complete", True),
    ]
    assert answer["images"][0]["problem"]["code"] == "quote_invalid"
    assert foreign.image_id not in json.dumps(answer)
    assert service.spent(OTHER_USER) == 0
    service.check_charged_iff_stored(user)


def test_a_set_of_an_edit_and_a_plain_image_gives_each_what_was_priced(
    functions: Functions, service: Service, user: str
) -> None:
    _, edit = priced(functions, inputs=[{"upload": upload(service, CONTENT, user)}])
    _, plain = priced(functions)
    status, answer = clicked(functions, edit["quote"], plain["quote"])
    assert status == 200
    charged = [one["image"]["cost"]["charged"] for one in answer["images"]]
    assert charged == [edit["price"]["expected"], plain["price"]["expected"]]
    assert sorted(len(order.inputs) for order in orders(service)) == [0, 1]
    service.check_charged_iff_stored(user)


def test_a_set_with_a_quote_of_another_prompt_makes_only_what_fits(
    functions: Functions, service: Service, user: str
) -> None:
    other = service.estimate("a wolf", user)
    _, mine = priced(functions)
    status, answer = clicked(functions, mine["quote"], other.quote)
    assert status == 200
    assert [one["status"] for one in answer["images"]] == ["complete", "failed"]
    assert answer["images"][1]["problem"]["code"] == "quote_mismatch"
    assert len(orders(service)) == 1
    service.check_charged_iff_stored(user)


def test_two_clicks_at_once_on_a_set_with_pictures_charge_each_image_once(
    functions: Functions, service: Service, user: str
) -> None:
    _, offer = priced(functions, inputs=[{"upload": upload(service, CONTENT, user)}], count=3)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: clicked(functions, *offer["quotes"]), range(4)))
    assert {status for status, _ in found} <= {200, 202, 422, 502, 503}
    assert len(orders(service)) <= 3
    service.check_charged_iff_stored(user)
    assert service.spent(user) <= 3 * 70_000


# Lists and deleted images.


def test_a_cursor_from_another_persons_list_shows_nothing_of_it(
    functions: Functions, service: Service, user: str
) -> None:
    theirs = [image_of(service, OTHER_USER) for _ in range(2)]
    mine = image_of(service, user)
    ref = open_quote(service.estimate("x", OTHER_USER).quote, KEYRING).ref
    for place in (
        Place(ref.issued_ms, ref.quote_id),
        Place(999_999_999_999_999, theirs[0][:24]),
        Place(0, theirs[1][:24]),
    ):
        event = request(functions, "GET", "/images")
        event["rawQueryString"] = f"cursor={to_cursor(place)}"
        event["queryStringParameters"] = {"cursor": to_cursor(place)}
        answer = functions.invoke("generate", event)
        status, page = answer["statusCode"], json.loads(answer["body"])
        shown = {one["id"] for one in page["images"]}
        assert status == 200
        assert shown <= {mine}


def test_a_deleted_image_is_nowhere_a_picture(
    functions: Functions, service: Service, user: str
) -> None:
    gone = image_of(service, user)
    _, quoted = priced(functions, inputs=[{"image": gone}])
    assert ask(functions, "DELETE", f"/images/{gone}")[0] == 204
    assert priced(functions, inputs=[{"image": gone}])[0] == 410
    assert clicked(functions, quoted["quote"])[1]["code"] == "input_gone"
    for picture_of in ({"file_id": gone}, {"image_url": f"https://{HOST}/images/{gone}"}):
        body = {"prompt": PROMPT, "images": [picture_of]}
        status, answer = ask(functions, "POST", "/v1/images/edits", body)
        assert (status, answer["error"]["imagegen"]["charged"]) in {(410, False), (400, None)}
    assert len(orders(service)) == 1
    ref = parse_image_id(gone, IMAGE_ID_KEY)
    assert service.images.read(ref, limit_bytes=10**9) is None


@pytest.mark.parametrize("is_deleted", [False, True])
def test_the_address_of_another_persons_image_is_no_picture_of_ones_own(
    functions: Functions, service: Service, *, is_deleted: bool
) -> None:
    """Its address opens the image; an edit of it would show whether it was deleted."""
    theirs = image_of(service, OTHER_USER)
    if is_deleted:
        service.functions.gallery.delete(theirs, OTHER_USER)
    found = []
    for image_id in (theirs, UNKNOWN_IMAGE):
        event = request(functions, "POST", "/v1/images/edits", {"prompt": PROMPT})
        url = f"https://{event['requestContext']['domainName']}/images/{image_id}"
        event["body"] = json.dumps({"prompt": PROMPT, "images": [{"image_url": url}]})
        answer = functions.invoke("generate", event)
        found.append((answer["statusCode"], json.loads(answer["body"])))
    assert found[0] == found[1]
    status, body = found[0]
    assert (status, body["error"]["imagegen"]["charged"]) == (404, False)
    assert len(orders(service)) == 1


@pytest.mark.parametrize("path", ["/hooks/replicate", "/webhooks/openai", "/webhook", "/hooks"])
def test_no_event_of_a_vendor_settles_anything(
    functions: Functions, service: Service, user: str, path: str
) -> None:
    """Jobs are asked for with our key; what anybody sends is not believed, signed or not."""
    _, offer = priced(functions)
    told = {"id": offer["quoteId"], "status": "succeeded", "output": ["https://example.com/x.png"]}
    event = request(functions, "POST", path, told)
    event["headers"] |= {"webhook-id": "1", "webhook-timestamp": "1", "webhook-signature": "v1,x"}
    answer = functions.invoke("generate", event)
    assert answer["statusCode"] == 404
    assert service.spent(user) == 0
    assert not service.writes


def test_nobody_deletes_what_another_person_made_or_uses_its_mark(
    functions: Functions, service: Service
) -> None:
    theirs = image_of(service, OTHER_USER)
    unknown = ask(functions, "DELETE", f"/images/{UNKNOWN_IMAGE}")
    assert ask(functions, "DELETE", f"/images/{theirs}") == unknown
    ref = parse_image_id(theirs, IMAGE_ID_KEY)
    assert service.images.read(ref, limit_bytes=10**9)
    service.functions.gallery.delete(theirs, OTHER_USER)
    assert ask(functions, "DELETE", f"/images/{theirs}") == unknown


HOST = "generate.test"
