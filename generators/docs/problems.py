"""The table of all problem codes that an answer can contain, from the source that raises them."""

import ast
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Final

from generators.docs.blocks import code, table
from generators.sources import nodes
from imagegen.domain import errors
from imagegen.domain.budgets import CODES
from imagegen.domain.call_errors import LlmError, ProviderError
from imagegen.domain.errors import ImagegenError, LimitError
from imagegen.domain.outcomes import Outcome
from imagegen.edge import problems
from local.paths import ROOT

PACKAGE: Final = ROOT / "layers" / "shared" / "imagegen"
MANY_CODES: Final = (LimitError, LlmError, Outcome, ProviderError)
"""Errors whose code is set where they are raised. A ``ProviderError`` never reaches a client: it is
always turned into another error."""
LLM: Final = {
    Outcome.UNAVAILABLE: "The chat's LLM cannot be reached, or failed",
    Outcome.UNKNOWN: "The answer of the chat's LLM broke off",
    Outcome.RATE_LIMITED: "The LLM's provider limits the rate",
    Outcome.ACCOUNT: "The LLM's provider does not accept the key, or the account lacks credit",
    Outcome.MODEL_GONE: "The LLM's provider no longer serves the model",
    Outcome.REFUSED: "The chat's LLM refused to answer this",
    Outcome.BLOCKED: "Something in front of the chat's LLM stopped this request",
    Outcome.BAD_PARAMETER: "The LLM's provider did not accept the request",
}
"""The meaning of each outcome of an LLM call; a call that was never sent has another error."""
TRY_AGAIN: Final = "Try again after `retryAfterSeconds`, or in a moment."
ADVICE: Final = {
    "invalid_json": "Send JSON, encoded as UTF-8.",
    "unsupported_event": "Call the function's URL, or send an event like those of `events/`.",
    "forbidden_origin": "The operator lists the page's origin in `ALLOWED_ORIGINS`.",
    "body_too_large": "Send less; `detail` has the limit. `POST /inputs` stores large pictures.",
    "unsupported_media_type": "Send `Content-Type: application/json`, with no charset but UTF-8; "
    "forms only to `/v1/images/edits`.",
    "invalid_request": "`errors` names each field and what is wrong with it.",
    "unsupported_size": "Use a size from `constraints.sizes` or `GET /models`.",
    "above_max_cost": "Raise `maxCost`, or use a cheaper tier.",
    "model_not_found": "Use a model from `GET /models`.",
    "unsupported_parameter": "Leave out the field that `errors` names.",
    "idempotency_key_reused": "Use a new key for each new request.",
    "still_running": TRY_AGAIN,
    "image_deleted": "Show that it was deleted. A new estimate makes another image.",
    "llm_unavailable": TRY_AGAIN,
    "llm_unknown": TRY_AGAIN,
    "llm_rate_limited": TRY_AGAIN,
    "llm_account": "The operator must check the LLM's key and credit.",
    "llm_model_gone": "The operator must set another `CHAT_MODEL`.",
    "llm_refused": "Rephrase the message.",
    "llm_blocked": "Rephrase the message. If it stays, the operator must check the LLM's address.",
    "llm_bad_parameter": "The operator must set a model that can call tools.",
    "model_retired": "Use the model that `detail` names.",
    "unauthorized": "Get a fresh token, and send the same request again.",
    "forbidden": "The user needs the scope that `JWT_USER_SCOPE` names; or call `PUBLIC_API_URL`.",
    "not_found": "Check the address. An unknown id and another user's id get the same answer.",
    "method_not_allowed": "Use a method that the header `Allow` names.",
    "gone": "Ask for a new estimate; the old image stays charged.",
    "input_gone": "Choose another picture, or upload it again, and ask for a new estimate.",
    "quote_invalid": "If it was confirmed before, look at the image's status. Else ask for a new "
    "estimate, with the same user's token.",
    "quote_expired": "Ask for a new estimate.",
    "upload_limit": "Use pictures that are uploaded, or wait `retryAfterSeconds`: days end at "
    "midnight UTC.",
    "quote_mismatch": "Send the prompt of the estimate unchanged, or ask for a new estimate: an "
    "uploaded picture may have changed, too.",
    "hourly_images": "Wait `retryAfterSeconds`: a slot is free again an hour after its use.",
    "daily_images": "Wait `retryAfterSeconds`: days end at midnight UTC.",
    "daily_attempts": "Wait `retryAfterSeconds`: days end at midnight UTC.",
    "daily_spend": "Use a cheaper tier, or wait `retryAfterSeconds`. Without `retryable`, the "
    "image costs more than a whole day allows.",
    "monthly_spend": "Use a cheaper tier, or wait `retryAfterSeconds`: months are UTC months.",
    **dict.fromkeys(
        CODES.values(),
        "Use a cheaper tier, or wait `retryAfterSeconds`. Others spend from this budget, too: an "
        "operator can raise it.",
    ),
    "daily_chats": "Wait `retryAfterSeconds`: days end at midnight UTC.",
    "daily_chat_tokens": "Send less of the history, or wait `retryAfterSeconds`.",
    "blocked": "The operator has blocked this user.",
    "no_provider_available": TRY_AGAIN + " `detail` contains the reason for each model.",
    "generation_failed": "Show `detail`. With `retryable`, the same quote may be sent again.",
    "content_refused": "Change the prompt. No other provider is tried.",
    "moderation_unavailable": TRY_AGAIN,
    "generation_abandoned": "Send the same quote again while it is valid.",
    "not_configured": "The operator must set what `detail` names.",
    "store_unavailable": TRY_AGAIN + " The same quote is never charged twice.",
    "internal_error": "Details are in the function's log. Sending the same quote again is safe.",
}
NOT_CHARGED: Final = frozenset(
    {
        *("unsupported_size", "above_max_cost", "model_retired", "idempotency_key_reused"),
        *("hourly_images", "daily_images", "daily_attempts", "daily_spend", "blocked"),
        *("monthly_spend", *CODES.values()),
        *("upload_limit", "daily_chats", "daily_chat_tokens"),
        *("quote_expired", "input_gone", "content_refused", "moderation_unavailable"),
        *("no_provider_available", "generation_failed", "generation_abandoned"),
    }
)
"""The codes of errors after which nothing is charged: the ledger was read, or is not involved."""
CHARGED: Final = {
    "gone": "`true`",
    "image_deleted": "`true`",
    "still_running": "`false`, `true` or `null`",
    "store_unavailable": "`true`, `false` or `null`",
    "not_found": "`false` or `null`",
    "quote_mismatch": "`false` or `null`",
    **dict.fromkeys(NOT_CHARGED, "`false`"),
    **{f"llm_{outcome}": "`false`" for outcome in Outcome},
}
"""What ``charged`` may be on a route that takes a quote, a key or an image's id; else ``null``."""


@dataclass(frozen=True, slots=True)
class Code:
    """One problem code: its status, its meaning, and whether the same request may succeed later."""

    status: int
    name: str
    means: str
    retryable: bool = False


def made() -> dict[str, str]:
    """Return the generated part of docs/api.md."""
    rows = (
        (
            str(one.status),
            code(one.name),
            one.means,
            "yes" if one.retryable else "no",
            CHARGED.get(one.name, "`null`"),
            ADVICE.get(one.name, ""),
        )
        for one in codes()
    )
    head = ("status", "`code`", "what happened", "`retryable`", "`charged`", "what a client does")
    return {"problems": table(head, rows)}


def codes() -> list[Code]:
    """Return every code, by status and name."""
    found = {one.name: one for one in (*_limits(), *_llm(), *_edge(), *_classes())}
    return sorted(found.values(), key=lambda one: (one.status, one.name))


def _classes() -> Iterator[Code]:
    """Yield the codes of the error classes that have exactly one."""
    for kind in vars(errors).values():
        is_error = isinstance(kind, type) and issubclass(kind, ImagegenError)
        if is_error and kind not in MANY_CODES:
            means = "An unexpected error." if kind is ImagegenError else _first_line(kind)
            yield Code(_status(kind), kind.code, means, kind.retryable)


def _llm() -> Iterator[Code]:
    for outcome, means in LLM.items():
        error = LlmError("", outcome=outcome)
        yield Code(_status(LlmError), error.code, f"{means}.", error.retryable)


def _status(kind: type[ImagegenError]) -> int:
    return int(next(problems.STATUS[one] for one in kind.mro() if one in problems.STATUS))


def _limits() -> Iterator[Code]:
    for call in _calls("LimitError"):
        name, text = call.args[0], call.args[1]
        if isinstance(name, ast.Constant):
            limit = str(name.value)
            message = text.value if isinstance(text, ast.Constant) else "A limit is reached."
            means = {
                "hourly_images": "The user has made all images allowed in an hour.",
                "daily_images": "The user has made all images allowed on this UTC day.",
                "daily_attempts": "The user has used all attempts allowed on this UTC day.",
                "daily_chats": "The user has sent all chat messages allowed on this UTC day.",
                "daily_chat_tokens": "This message could exceed the user's tokens of the UTC day.",
                "upload_limit": "The user has stored all uploads allowed on this UTC day.",
                "blocked": "The operator has switched the service off for this user.",
                "daily_spend": "This image could exceed the user's spending limit of the UTC day.",
                "monthly_spend": "This image could exceed the user's limit of the UTC month.",
            }.get(limit, str(message))
            yield Code(429, limit, means, retryable=LimitError(limit, "").retryable)
    for (level, span), shared in CODES.items():
        owner = "program's" if level == "key" else "user's"
        words = f"This image could exceed the budget of the {owner} {level} for the UTC {span}."
        yield Code(429, shared, words, retryable=True)


def _edge() -> Iterator[Code]:
    """Yield the codes of errors that the edge returns before any use case runs."""
    means = {
        "invalid_json": "The body is not JSON in UTF-8.",
        "unsupported_event": "The event is not a request to a function URL.",
        "forbidden_origin": "A web page of this origin may not call MCP.",
        "unsupported_media_type": "The body's content type is not JSON, or its charset not UTF-8.",
        "body_too_large": "The body is larger than 256 KB; in an edit, its pictures than 4.5 MB.",
        "invalid_request": "A field is missing, unknown or wrong.",
        "not_found": "There is no such route.",
        "method_not_allowed": "The address does not support this method.",
    }
    for call in _calls("edge_problem"):
        status, name = call.args[:2] if len(call.args) > 1 else (None, None)
        if isinstance(name, ast.Constant) and isinstance(status, ast.Attribute):
            text = str(name.value)
            yield Code(int(HTTPStatus[status.attr]), text, means.get(text, ""))


def _calls(name: str, package: Path = PACKAGE) -> Iterator[ast.Call]:
    for path in sorted(package.rglob("*.py")):
        for node in nodes(path):
            if isinstance(node, ast.Call) and node.args and _is_name(node.func, name):
                yield node


def _is_name(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _first_line(kind: type[ImagegenError]) -> str:
    return (inspect.getdoc(kind) or "").partition("\n")[0].replace("``", "`")
