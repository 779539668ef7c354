"""Whose fault an answer is: the provider's, its account's, a model's, or this one request's."""

import json
from typing import Any

import pytest

from imagegen.domain.breaker import EFFECTS, Effect
from imagegen.domain.call_errors import ProviderError
from imagegen.domain.outcomes import Outcome
from imagegen.providers import PROVIDERS
from imagegen.providers.classification import no_image
from imagegen.providers.faults import HttpAnswer
from imagegen.providers.pictures import MAX_IMAGE_BYTES
from tests.adapters.providers.adapters import build_adapter, order_for, texts_of
from tests.adapters.providers.loopback import Loopback, Reply, json_reply
from tests.vendors import vendor

PAGE = b"<!DOCTYPE html><html><title>Attention Required! | Cloudflare</title>Blocked</html>"
HTML = {"Content-Type": "text/html; charset=UTF-8"}
TEXT = {"Content-Type": "text/plain"}
DECLINES = {
    "Arabic": "لا أستطيع إنشاء هذه الصورة.",
    "Chinese": "抱歉，我无法生成这张图片，因为它违反了安全准则。",  # noqa: RUF001 - Chinese commas
    "English": "I'm unable to depict this person.",
    "English, of another mind": "Let's paint something kinder together!",
    "French": "Je ne peux pas créer cette image.",
    "German": "Das zeichne ich nicht.",
    "Hindi": "मैं यह चित्र नहीं बना सकता।",
    "Japanese": "申し訳ありませんが、その画像は作成できません。",
    "Korean": "죄송합니다. 이 이미지를 만들 수 없습니다.",
    "Spanish": "Lo siento, no puedo crear esa imagen.",
    "with a link": "Nope. Details: https://example.com/rules?why=1",
    "with links in Markdown": "See [our rules](https://example.com/rules) and [help](https://a.b).",
    "about disabled people": "I won't make fun of disabled people.",
}
ANNOUNCES = ("Here is your fire safety poster", "Sure! Here's your image:", "Voici votre image")
TECHNICAL = ("safety checker failed to load", "The moderation service is unavailable.")


def failure(name: str, server: Loopback, *, seconds: float = 10) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        build_adapter(name, server).generate(order_for(name), timeout_seconds=seconds)
    return caught.value


def outcome(name: str, server: Loopback, reply: Reply) -> Outcome:
    server.replies(reply)
    return failure(name, server).outcome


def vendor_error(name: str, status: int, code: str, message: str) -> Reply:
    """Return an error in the format of the vendor's own API."""
    return json_reply(status, vendor(name).error(status, code, message))


def without_image(name: str, **fields: Any) -> Reply:
    """Return a success without an image, with the fields in the place for its words."""
    return json_reply(vendor(name).success[0], vendor(name).empty(fields))


ACCOUNTS = [(name, *one) for name in PROVIDERS for one in vendor(name).accounts]
every = pytest.mark.parametrize("name", PROVIDERS)


@every
@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 406, 410, 413, 418, 451, 500, 503])
def test_a_page_in_front_stops_this_request_alone(name: str, status: int, server: Loopback) -> None:
    found = outcome(name, server, Reply(status, HTML, PAGE))
    assert found is Outcome.BLOCKED
    assert EFFECTS[found] is Effect.NONE


@every
@pytest.mark.parametrize(
    "reply",
    [
        Reply(403, TEXT, b"Access denied"),
        Reply(403, {}, b""),
        Reply(403, {"Content-Type": "application/json"}, b""),
        Reply(403, {"Content-Type": "application/json"}, b"\xef\xbb\xbf<html>no</html>"),
        Reply(406, {"Content-Type": "text/html"}, b"Not Acceptable"),
        Reply(401, {"WWW-Authenticate": "Basic"}, b"Proxy login"),
        Reply(451, TEXT, b"Unavailable For Legal Reasons"),
        Reply(404, TEXT, b"404 page not found"),
        Reply(403, {"Content-Type": "application/xml"}, b"<?xml version='1.0'?><Error/>"),
        json_reply(403, {"message": "Forbidden"}),
        json_reply(403, ["Forbidden"]),
        json_reply(403, "null"),
        json_reply(403, {"success": False, "errors": [{"code": 1020}]}),
        json_reply(401, {"message": "Unauthorized"}),
        json_reply(404, {"message": "no Route matched with those values"}),
    ],
    ids=lambda reply: f"{reply.status}-{reply.body[:20].decode('utf-8', 'replace')}",
)
def test_words_and_json_of_something_in_front_are_no_error_of_the_api(
    name: str, reply: Reply, server: Loopback
) -> None:
    assert outcome(name, server, reply) is Outcome.BLOCKED


POLICY = "content policy violation"
REPEATED: list[Any] = [
    {"error": "Your request was rejected by the safety system"},
    {"errors": [{"message": "no", "code": "content_policy_violation"}]},
    {"detail": [{"msg": "The prompt was flagged as NSFW", "type": "value_error"}]},
    {"success": False, "result": {"reason": POLICY}},
    [{"message": POLICY}],
    {"msg": "内容违规", "code": 1301},
    {"error": "Die Anfrage verstößt gegen unsere Richtlinien."},
]
"""A refusal as proxies of the API repeat it, none of them in its format."""


@every
@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize("body", REPEATED)
def test_a_refusal_that_a_proxy_repeats_in_its_own_format_is_one(
    name: str, body: Any, status: int, server: Loopback
) -> None:
    assert outcome(name, server, json_reply(status, body)) is Outcome.REFUSED


@every
@pytest.mark.parametrize(
    "body",
    [
        {"detail": "safety_identifier is not allowed"},
        {"errors": [{"msg": "content_length: not permitted", "param": "safety_checker"}]},
        {"error": "Invalid size"},
        {"message": "The moderation service is unavailable."},
        {"prompt": "a poster about content that was blocked by a policy"},
    ],
)
def test_an_error_about_a_parameter_is_no_refusal_in_any_format(
    name: str, body: Any, server: Loopback
) -> None:
    assert outcome(name, server, json_reply(400, body)) is not Outcome.REFUSED


@every
@pytest.mark.parametrize("status", [502, 521, 522, 523, 525, 530])
def test_a_gateway_that_cannot_reach_the_api_counts_even_with_a_page(
    name: str, status: int, server: Loopback
) -> None:
    assert outcome(name, server, Reply(status, HTML, PAGE)) is Outcome.UNAVAILABLE


@every
@pytest.mark.parametrize("body", [b"", b"upstream connect error or disconnect/reset"])
def test_a_503_without_a_page_is_an_outage(name: str, body: bytes, server: Loopback) -> None:
    assert outcome(name, server, Reply(503, TEXT, body)) is Outcome.UNAVAILABLE


@every
@pytest.mark.parametrize("status", [504, 520, 524])
@pytest.mark.parametrize("reply", [(HTML, PAGE), ({}, b""), ({}, b'{"error": {"message": "x"}}')])
def test_a_gateway_that_gave_up_leaves_the_call_in_doubt(
    name: str, status: int, reply: tuple[dict[str, str], bytes], server: Loopback
) -> None:
    assert outcome(name, server, Reply(status, *reply)) is Outcome.UNKNOWN


@every
@pytest.mark.parametrize("code", ["brand_new", "user_suspended", "model_not_permitted"])
def test_a_403_without_a_known_code_is_one_models_or_one_users(
    name: str, code: str, server: Loopback
) -> None:
    reply = vendor_error(name, 403, code, "You may not use this here.")
    assert outcome(name, server, reply) is Outcome.BLOCKED


@every
@pytest.mark.parametrize("status", [401, 402])
def test_a_401_or_402_without_a_known_code_counts_as_one_users_failure(
    name: str, status: int, server: Loopback
) -> None:
    found = outcome(name, server, vendor_error(name, status, "brand_new", "No."))
    assert found is Outcome.UNAVAILABLE
    assert EFFECTS[found] is Effect.FAILURE


@pytest.mark.parametrize(("name", "status", "code", "message"), ACCOUNTS)
def test_a_known_code_is_the_accounts(
    name: str, status: int, code: str, message: str, server: Loopback
) -> None:
    assert outcome(name, server, vendor_error(name, status, code, message)) is Outcome.ACCOUNT


@every
@pytest.mark.parametrize("text", DECLINES.values(), ids=DECLINES.keys())
@pytest.mark.parametrize("field", ["text", "refusal", "message"])
def test_an_answer_in_words_is_a_refusal_in_any_language_and_field(
    name: str, text: str, field: str, server: Loopback
) -> None:
    server.replies(without_image(name, **{field: text}))
    error = failure(name, server)
    assert error.outcome is Outcome.REFUSED
    assert text not in texts_of(error)


@every
@pytest.mark.parametrize("text", [*ANNOUNCES, *TECHNICAL])
def test_words_that_refuse_nothing_are_no_refusal(name: str, text: str, server: Loopback) -> None:
    assert outcome(name, server, without_image(name, text=text)) is Outcome.NO_IMAGE


@every
@pytest.mark.parametrize(
    "reply",
    [
        json_reply(200, {}),
        json_reply(200, []),
        json_reply(200, "null"),
        json_reply(200, {"error": {}}),
        Reply(200, {"Content-Type": "application/json"}, b""),
        Reply(200, {"Content-Type": "application/json"}, b'{"data": [{"b64'),
        Reply(204, {}, b""),
    ],
    ids=lambda reply: f"{reply.status}-{reply.body.decode()}",
)
def test_a_success_with_nothing_in_it_counts_for_nothing(
    name: str, reply: Reply, server: Loopback
) -> None:
    found = outcome(name, server, reply)
    assert found is Outcome.NO_IMAGE
    assert EFFECTS[found] is Effect.NONE


@every
def test_an_empty_success_counts_for_nothing(name: str, server: Loopback) -> None:
    assert outcome(name, server, without_image(name)) is Outcome.NO_IMAGE


@pytest.mark.parametrize(
    ("more", "found"), [(0, Outcome.UNAVAILABLE), (1, Outcome.NO_IMAGE)], ids=["broken", "too long"]
)
def test_only_data_that_is_not_too_long_for_an_image_is_a_failure(
    more: int, found: Outcome
) -> None:
    # One prompt may ask for a picture of more bytes than are taken.
    longest = MAX_IMAGE_BYTES * 4 // 3 + 4
    error = no_image("alpha", HttpAnswer(200, {}, {}), data="A" * (longest + more))
    assert (error.outcome, error.is_billed) == (found, True)


@every
def test_a_page_as_a_success_stops_this_request_alone(name: str, server: Loopback) -> None:
    assert outcome(name, server, Reply(200, HTML, PAGE)) is Outcome.BLOCKED


@every
@pytest.mark.parametrize(
    "fields",
    [
        {"finish_reason": "content_filter"},
        {"finish_reason": "CONTENT_FILTERED"},
        {"has_nsfw_concepts": [True]},
        {"nsfw": True},
        {"is_safe": False},
        {"status": "Content Moderated"},
        {"error_type": "CONTENT_MODERATED"},
        {"safety_ratings": [{"category": "SEXUAL", "blocked": True}]},
        {"logs": "Using seed 7\nNSFW content detected in image 0\n"},
    ],
    ids=json.dumps,
)
def test_an_empty_success_whose_fields_say_safety_is_a_refusal(
    name: str, fields: dict[str, Any], server: Loopback
) -> None:
    assert outcome(name, server, without_image(name, **fields)) is Outcome.REFUSED


@every
@pytest.mark.parametrize(
    "fields",
    [
        {"finish_reason": "length"},
        {"has_nsfw_concepts": [False]},
        {"is_safe": True},
        {"safety": "passed"},
        {"enable_safety_checker": True},
        {"logs": "Loading safety checker\nNo NSFW content detected\n"},
        {"logs": "Prompt: a fire safety poster, smoking not allowed\n"},
        {"revised_prompt": "A person who is unable to walk"},
    ],
    ids=json.dumps,
)
def test_an_empty_success_whose_fields_say_nothing_is_no_refusal(
    name: str, fields: dict[str, Any], server: Loopback
) -> None:
    assert outcome(name, server, without_image(name, **fields)) is Outcome.NO_IMAGE


@pytest.mark.parametrize(
    ("finish", "found"),
    [
        ("IMAGE_OTHER", Outcome.REFUSED),
        ("OTHER", Outcome.REFUSED),
        ("NO_IMAGE", Outcome.REFUSED),
        ("LANGUAGE", Outcome.REFUSED),
        ("PROHIBITED_CONTENT", Outcome.REFUSED),
        ("RECITATION", Outcome.REFUSED),
        ("IMAGE_SAFETY", Outcome.REFUSED),
        ("IMAGE_PROHIBITED_CONTENT_NEW", Outcome.REFUSED),
        ("MAX_TOKENS", Outcome.NO_IMAGE),
        ("MALFORMED_RESPONSE", Outcome.NO_IMAGE),
        ("MALFORMED_FUNCTION_CALL", Outcome.NO_IMAGE),
        ("MALFORMED_OF_A_NEW_KIND", Outcome.NO_IMAGE),
        ("UNEXPECTED_TOOL_CALL", Outcome.NO_IMAGE),
        ("STOP", Outcome.NO_IMAGE),
        ("BRAND_NEW", Outcome.NO_IMAGE),
        # About the account, and the end of one answer: a failure of its user.
        ("PUP_LIMITED_DISABLED", Outcome.UNAVAILABLE),
    ],
)
def test_how_gemini_ended_without_an_image(finish: str, found: Outcome, server: Loopback) -> None:
    assert outcome("gemini", server, json_reply(200, ended(finish))) is found


def ended(finish: str, *parts: dict[str, Any]) -> dict[str, Any]:
    candidate = {
        "content": {"role": "model", "parts": list(parts)},
        "finishReason": finish,
        "finishMessage": "Unable to show the generated image. Try rephrasing the prompt.",
    }
    return {"candidates": [candidate]}


@pytest.mark.parametrize("finish", ["STOP", "", "BRAND_NEW"])
@pytest.mark.parametrize("message", ["I can't create that picture.", "抱歉，我无法生成这张图片。"])  # noqa: RUF001 - Chinese
def test_geminis_reason_in_words_is_a_refusal_whatever_it_ended_with(
    finish: str, message: str, server: Loopback
) -> None:
    body = ended(finish)
    body["candidates"][0]["finishMessage"] = message
    assert outcome("gemini", server, json_reply(200, body)) is Outcome.REFUSED


@every
def test_a_refusal_inside_a_list_is_read(name: str, server: Loopback) -> None:
    body = vendor(name).empty({"text": "I can't create that picture."})
    reply = json_reply(vendor(name).success[0], [body])
    assert outcome(name, server, reply) is Outcome.REFUSED


@pytest.mark.parametrize(("name", "status", "code", "message"), ACCOUNTS)
def test_an_error_of_the_account_inside_a_list_is_read(
    name: str, status: int, code: str, message: str, server: Loopback
) -> None:
    body = [vendor(name).error(status, code, message)]
    assert outcome(name, server, json_reply(status, body)) is Outcome.ACCOUNT


def test_the_words_of_a_broken_gemini_answer_are_not_its_last_ones(server: Loopback) -> None:
    body = ended("MAX_TOKENS", {"text": "First I will think about the fox and"})
    assert outcome("gemini", server, json_reply(200, body)) is Outcome.NO_IMAGE


@pytest.mark.parametrize("text", ["Sorry.", "Nein", "いいえ"])
def test_one_word_is_an_answer_where_the_models_words_stand(text: str, server: Loopback) -> None:
    assert outcome("gemini", server, without_image("gemini", text=text)) is Outcome.REFUSED


def test_geminis_thoughts_are_no_words_of_its_answer(server: Loopback) -> None:
    body = ended("STOP", {"text": "I can't decide on a colour.", "thought": True})
    assert outcome("gemini", server, json_reply(200, body)) is Outcome.NO_IMAGE


@pytest.mark.parametrize("reason", ["SAFETY", "OTHER", "IMAGE_SAFETY", "BRAND_NEW"])
def test_a_blocked_prompt_of_gemini_is_a_refusal(reason: str, server: Loopback) -> None:
    body = {"promptFeedback": {"blockReason": reason}}
    assert outcome("gemini", server, json_reply(200, body)) is Outcome.REFUSED


@pytest.mark.parametrize(
    ("error", "found"),
    [
        ("NSFW content detected. Try running it again.", Outcome.REFUSED),
        ("Error generating image: Prompt contains sensitive words", Outcome.REFUSED),
        ("The input or output was flagged as sensitive. (E005)", Outcome.REFUSED),
        ("Request moderated", Outcome.REFUSED),
        ("提示词包含敏感内容", Outcome.REFUSED),
        ({"code": "content_policy_violation", "message": "x"}, Outcome.REFUSED),
        ("safety checker failed to load", Outcome.NO_IMAGE),
        ("Here is your fire safety poster", Outcome.NO_IMAGE),
        ("CUDA out of memory. Tried to allocate 2 GiB", Outcome.NO_IMAGE),
        ("Prediction interrupted; please retry (code: PA)", Outcome.NO_IMAGE),
        ("a text that nobody has seen before", Outcome.NO_IMAGE),
        ("", Outcome.NO_IMAGE),
        (None, Outcome.NO_IMAGE),
        ("Timeout starting prediction (E6716)", Outcome.UNAVAILABLE),
    ],
)
def test_a_failed_prediction_is_a_refusal_only_by_its_words(
    error: object, found: Outcome, server: Loopback
) -> None:
    job = {"id": "p1", "status": "failed", "error": error, "output": None, "logs": ""}
    assert outcome("replicate", server, json_reply(201, job)) is found


@pytest.mark.parametrize("output", [None, [], "", [None]])
def test_replicates_empty_output_is_a_refusal_if_the_logs_say_so(
    output: object, server: Loopback
) -> None:
    job = {"id": "p1", "status": "succeeded", "output": output}
    log = "Safety checker: potential NSFW content was detected in one or more images."
    assert outcome("replicate", server, json_reply(201, {**job, "logs": log})) is Outcome.REFUSED
    assert outcome("replicate", server, json_reply(201, {**job, "logs": ""})) is Outcome.NO_IMAGE


@pytest.mark.parametrize(
    "output",
    [
        "I can't draw this.",
        ["Sorry, not this one."],
        "ขออภัยฉันไม่สามารถสร้างภาพนี้ได้",
        ["申し訳ありませんが、その画像は作成できません。"],
        "I will not draw a person who exists, because that could harm them. " * 8,
    ],
    ids=["words", "a list", "Thai", "Japanese", "a long text"],
)
def test_words_as_replicates_output_are_a_refusal(output: object, server: Loopback) -> None:
    job = {"id": "p1", "status": "succeeded", "output": output}
    assert outcome("replicate", server, json_reply(201, job)) is Outcome.REFUSED


@pytest.mark.parametrize(
    ("status", "code", "param", "message", "found"),
    [
        (400, "moderation_blocked", None, "x", Outcome.REFUSED),
        (400, "content_filter", None, "x", Outcome.REFUSED),
        (403, "safety_violation", None, "x", Outcome.REFUSED),
        (400, None, None, "Your request was rejected by the safety system.", Outcome.REFUSED),
        (400, None, None, "The safety system is unavailable.", Outcome.BAD_PARAMETER),
        (400, "invalid_value", "safety_identifier", "Rejected by policy", Outcome.BAD_PARAMETER),
        (500, "server_error", None, "The safety system failed to load.", Outcome.UNAVAILABLE),
        (403, "model_not_found", None, "No access to the model", Outcome.MODEL_GONE),
    ],
)
def test_openais_codes_come_before_its_words(  # noqa: PLR0917 - the columns of a table
    status: int,
    code: str | None,
    param: str | None,
    message: str,
    found: Outcome,
    server: Loopback,
) -> None:
    error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    assert outcome("openai", server, json_reply(status, {"error": error})) is found


def test_a_prompt_in_a_repeated_request_is_no_answer_in_words(server: Loopback) -> None:
    job = {
        "id": "p1",
        "status": "succeeded",
        "output": [],
        "input": {"prompt": "I can't draw", "options": {"text": "Sorry, no nudity"}},
    }
    assert outcome("replicate", server, json_reply(201, job)) is Outcome.NO_IMAGE
