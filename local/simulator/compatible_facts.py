"""What servers with OpenAI's images API accept and answer, by preset: facts, read 2026-11-25.

Written from the vendors' pages and released servers, not from our adapter's table: where the two
disagree, tests that run one against the other fail.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from local.simulator.faults import Fault, Outcome, Shows
from local.simulator.wire import Body

RATIOS = frozenset(
    {
        *("1:1", "3:4", "4:3", "9:16", "16:9", "2:3", "3:2", "1:2", "2:1"),
        *("19.5:9", "9:19.5", "20:9", "9:20", "21:9", "5:2", "auto"),
    }
)
RECRAFT_SIZES = frozenset(
    {
        *("1024x1024", "1536x768", "768x1536", "1280x832", "832x1280", "1216x896", "896x1216"),
        *("1152x896", "896x1152", "832x1344", "1280x896", "896x1280", "1344x768", "768x1344"),
    }
)
type Allowed = frozenset[Any] | range | type | None
"""The values of a field: a set, whole numbers, or a type; ``None`` for any text."""
type Write = Callable[[int, str, str], Body]
"""Returns the body of an error with a status, a code and a message."""

FORMS = frozenset({"url", "b64_json"})
FORM_INLINE = frozenset({"b64_json"})
SEEDS = range(2**31)


def openai_error(status: int, code: str, message: str) -> Body:
    """Return OpenAI's format."""
    kind = "server_error" if status >= 500 else "invalid_request_error"
    return {"error": {"message": message, "type": kind, "param": None, "code": code or None}}


def meta_error(_status: int, _code: str, message: str) -> Body:
    """Return Meta's format, which has no code."""
    return {"error": {"type": "invalid_request_error", "param": None, "message": message}}


def flat_error(_status: int, code: str, message: str) -> Body:
    """Return a code and a message without an envelope."""
    return {"code": code, "message": message}


def xai_error(_status: int, code: str, message: str) -> Body:
    """Return xAI's format: the message is the error."""
    return {"code": code, "error": message}


def nested_error(_status: int, _code: str, message: str) -> Body:
    """Return DeepInfra's format."""
    return {"detail": {"error": message}}


def detail_error(status: int, code: str, message: str) -> Body:
    """Return FastAPI's format: a text, or for a refused field a list."""
    if status == 422:
        place = ["body", message.partition(":")[0]]
        return {"detail": [{"type": code, "loc": place, "msg": message, "input": "as sent"}]}
    return {"detail": message}


def azure_error(_status: int, code: str, message: str) -> Body:
    """Return Azure's format, which explains a refusal in an inner error."""
    error: Body = {"code": code, "message": message}
    if code == "content_filter":
        error["innererror"] = {"code": "ResponsibleAIPolicyViolation"}
    return {"error": error}


@dataclass(frozen=True, slots=True)
class Facts:
    """One kind of server."""

    fields: Mapping[str, Allowed]
    """Besides ``model`` and ``prompt``; any other field is refused."""
    error: Write = openai_error
    form: str = "url"
    """Which form of answer is the default of ``response_format``."""
    image_format: str = "png"
    key_header: str = "authorization"
    needs_key: bool = True
    bad_key: tuple[int, str, str] = (401, "invalid_api_key", "Invalid API key.")
    bad_field: tuple[int, str] = (400, "invalid_request")
    gone: tuple[int, str, str] = (404, "model_not_found", "The model does not exist.")
    gone_outcome: Outcome = Outcome.MODEL_GONE
    no_credit: tuple[int, str, str] = (402, "insufficient_quota", "The balance is used up.")
    refusal: tuple[int, str, str] = (400, "content_policy_violation", "Refused by our policy.")
    withheld: Fault | None = None
    """How a refusal looks that is no error."""
    empty_is_refusal: bool = False
    """Whether a success without pictures is a refusal."""
    key_path: str = "/models"
    """The free look at a key; empty if there is none."""
    key_view: Body = field(default_factory=dict)
    lists_models: bool = True
    units_per_usd: int = 0
    cost: Callable[[int], Body] = lambda _units: {}
    """Returns how an answer states its cost in these units; it adds nothing if it does not."""


PIXELS: Allowed = None
COUNT = range(1, 11)
DIFFUSION: Mapping[str, Allowed] = {
    "n": COUNT,
    "size": PIXELS,
    "seed": SEEDS,
    "negative_prompt": None,
    "num_inference_steps": range(1, 201),
    "guidance_scale": float,
}
NO_KEY = (401, "", "Unauthorized")

FACTS: Mapping[str, Facts] = {
    "meta": Facts(
        fields={
            "n": COUNT,
            "size": PIXELS,
            "response_format": FORMS,
            "output_format": frozenset({"webp", "png", "jpeg"}),
            "background": frozenset({"opaque"}),
            "reasoning_strength": frozenset({"high", "low"}),
            "tool_enablement": dict,
            "moderation": frozenset({"auto", "low"}),
        },
        error=meta_error,
        withheld=Fault(Outcome.REFUSED, Shows.EMPTY),  # not billed
        empty_is_refusal=True,
        image_format="webp",
    ),
    "recraft": Facts(
        fields={
            "n": range(1, 7),
            "size": RECRAFT_SIZES,
            "response_format": FORMS,
            "random_seed": SEEDS,
            "style": None,
        },
        error=flat_error,
        no_credit=(402, "not_enough_credits", "Not enough credits."),
        refusal=(400, "invalid_request", "The prompt violates our content policy."),
        key_path="/users/me",
        key_view={"id": "user_simulated", "credits": 10_000},
        lists_models=False,
        units_per_usd=1_000,
        cost=lambda units: {"credits": units},
    ),
    "deepinfra": Facts(
        fields={"n": COUNT, "size": PIXELS, "response_format": FORMS},
        error=nested_error,
        image_format="jpeg",
        refusal=(400, "", "The prompt was flagged as NSFW by the content moderation."),
        key_path="",
    ),
    "byteplus": Facts(
        fields={
            "size": PIXELS,
            "response_format": FORMS,
            "output_format": frozenset({"png", "jpeg"}),
            "watermark": bool,
            "sequential_image_generation": frozenset({"auto", "disabled"}),
            "seed": SEEDS,
            "stream": bool,
        },
        image_format="jpeg",
        bad_key=(401, "AuthenticationFailed", "The API key is not valid."),
        bad_field=(400, "InvalidParameter"),
        gone=(404, "InvalidEndpoint.NotFound", "The model or endpoint does not exist."),
        no_credit=(403, "Arrearage", "The account is overdue."),
        withheld=Fault(Outcome.REFUSED, Shows.EMPTY, details={"form": "failed"}),
        key_path="",
        lists_models=False,
    ),
    "xai": Facts(
        fields={
            "n": COUNT,
            "response_format": FORMS,
            "aspect_ratio": RATIOS,
            "resolution": frozenset({"1k", "1.5k", "2k"}),
            "quality": frozenset({"low", "medium"}),
            "user": None,
        },
        error=xai_error,
        image_format="jpeg",
        bad_key=(400, "invalid-argument", "Incorrect API key provided: sk***."),
        bad_field=(400, "invalid-argument"),
        gone=(404, "not-found", "The model does not exist or your team has no access to it."),
        no_credit=(402, "payment-required", "Your team has used all of its credits."),
        key_path="/api-key",
        key_view={"api_key_blocked": False, "api_key_disabled": False, "team_blocked": False},
        lists_models=False,
        units_per_usd=10_000_000_000,
        cost=lambda units: {"usage": {"cost_in_usd_ticks": units}},
        # Drawn, withheld and billed.
        withheld=Fault(Outcome.REFUSED, Shows.IMAGE, details={"form": "withheld"}),
        empty_is_refusal=True,
    ),
    "azure": Facts(
        fields={
            "n": COUNT,
            "size": PIXELS,
            "quality": frozenset({"low", "medium", "high", "xhigh", "max"}),
            "output_format": frozenset({"png", "jpeg", "webp"}),
            "background": frozenset({"opaque", "transparent"}),
            "moderation": frozenset({"auto", "low"}),
            "output_compression": range(101),
        },
        error=azure_error,
        form="b64_json",
        key_header="api-key",
        bad_key=(401, "401", "Access denied due to invalid subscription key."),
        gone=(404, "DeploymentNotFound", "The API deployment does not exist."),
        gone_outcome=Outcome.ACCOUNT,  # the name is that of the operator's own deployment
        refusal=(400, "content_filter", "Filtered by the content management policy."),
    ),
    "vllm": Facts(
        fields={
            **DIFFUSION,
            "response_format": FORM_INLINE,
            "output_format": frozenset({"png", "jpeg", "webp"}),
            "layers": range(1, 20),
        },
        error=detail_error,
        form="b64_json",
        needs_key=False,
        bad_key=NO_KEY,
        bad_field=(422, "value_error"),
        gone=(404, "", "The model does not exist."),
    ),
    "sglang": Facts(
        fields={
            **DIFFUSION,
            # Links need a cloud storage, which a plain server has not.
            "response_format": FORM_INLINE,
            "width": range(64, 4097),
            "height": range(64, 4097),
        },
        error=detail_error,
        needs_key=False,
        bad_key=NO_KEY,
        gone=(404, "", "The model does not exist."),
    ),
    "localai": Facts(
        fields={**DIFFUSION, "response_format": FORMS},
        needs_key=False,
        bad_key=NO_KEY,
        gone=(404, "", "could not load model: not found"),
    ),
    "generic": Facts(fields={**DIFFUSION, "response_format": FORMS, "quality": None}),
}
