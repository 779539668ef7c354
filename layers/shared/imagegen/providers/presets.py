"""The servers that have OpenAI's images API: what is peculiar to each, as facts.

An operator's instance names one of them (``imagegen.providers.instances``). Standard library only.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from imagegen.domain.outcomes import Outcome

INLINE: Mapping[str, Any] = {"response_format": "b64_json"}
NO_TOOLS = {"enable_web_search": False, "enable_image_search": False, "enable_shell": False}
AZURE_HOSTS = ("openai.azure.com", "services.ai.azure.com", "cognitiveservices.azure.com")


class SizeWords(StrEnum):
    """How a request names the size."""

    PIXELS = "pixels"
    """``size`` is ``WxH``."""
    RATIO = "ratio"
    """``aspect_ratio`` is ``3:2``, and ``resolution`` is ``1k`` or ``2k``."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Where an answer has the cost of the call, and what one unit of it is."""

    path: tuple[str, ...]
    units_per_usd: int


@dataclass(frozen=True, slots=True)
class Preset:
    """One kind of server. Sources are dated in ``docs/own-servers.md``."""

    title: str
    source: str
    """The page that describes its API."""
    base_url: str = ""
    """Its address without a slash at the end; empty if each operator has another one."""
    hosts: tuple[str, ...] = ()
    """Its base URL is at one of these hosts or below one; empty for any host."""
    result_hosts: tuple[str, ...] = ()
    """Images may be downloaded from these hosts and from below them."""
    needs_key: bool = True
    key_header: str = "authorization"
    """A bearer token in ``authorization``, the bare key in any other header."""
    key_path: str = "/models"
    """What checks a key free of charge; empty if nothing is known to."""
    key_flags: tuple[str, ...] = ()
    """Fields of that answer that are true if the key is of no use."""
    lists_models: bool = True
    size_words: SizeWords = SizeWords.PIXELS
    takes_count: bool = True
    """Whether ``n`` is sent."""
    user_field: str = ""
    """The field that gets the keyed hash of the user; empty for none."""
    fixed: Mapping[str, Any] = field(default_factory=dict)
    """What is sent with each order; a row cannot change it."""
    usual: Mapping[str, Any] = field(default_factory=dict)
    """What is sent unless the row has another value."""
    required: Mapping[str, str] = field(default_factory=dict)
    """Parameters that a row has to have, each with a pattern of the models that need it: without
    one, the server chooses, and the price depends on its choice."""
    codes: Mapping[str, Outcome] = field(default_factory=dict)
    """Outcomes by a pattern of the error's code or type; the first that fits decides."""
    texts: Mapping[str, Outcome] = field(default_factory=dict)
    """The same by the message, for servers whose errors have no code for it."""
    statuses: Mapping[int, Outcome] = field(default_factory=dict)
    """The same by the status of an error in the API's own format."""
    empty_is_refusal: bool = False
    """Whether a success without a picture is how a refusal is answered."""
    bills_refusals: bool = False
    """Whether the vendor bills a request that its policy refuses."""
    cost: Cost | None = None


KEY_BY_STATUS = {401: Outcome.ACCOUNT, 402: Outcome.ACCOUNT}
OWN_STATUSES = {401: Outcome.ACCOUNT, 425: Outcome.RATE_LIMITED}

PRESETS: Mapping[str, Preset] = {
    "meta": Preset(
        title="Meta",
        source="https://developer.meta.com/ai/models/muse-image/",
        base_url="https://api.meta.ai/v1",
        hosts=("api.meta.ai",),
        # Its search is on by default, and would send the prompt to others.
        fixed={**INLINE, "output_format": "png", "tool_enablement": NO_TOOLS},
        usual={"reasoning_strength": "high"},
        statuses=KEY_BY_STATUS,
        empty_is_refusal=True,
    ),
    "recraft": Preset(
        title="Recraft",
        source="https://www.recraft.ai/docs/api-reference/usage",
        base_url="https://external.api.recraft.ai/v1",
        hosts=("external.api.recraft.ai",),
        result_hosts=("img.recraft.ai",),
        key_path="/users/me",
        lists_models=False,
        fixed=INLINE,
        codes={r".*credits.*": Outcome.ACCOUNT},
        statuses=KEY_BY_STATUS,
        cost=Cost(("credits",), 1_000),
    ),
    "deepinfra": Preset(
        title="DeepInfra",
        source="https://deepinfra.com/docs/openai_api",
        base_url="https://api.deepinfra.com/v1",
        hosts=("api.deepinfra.com",),
        key_path="",  # its list of models needs no key
        fixed=INLINE,
        statuses=KEY_BY_STATUS,
    ),
    "byteplus": Preset(
        title="BytePlus ModelArk",
        source="https://docs.byteplus.com/en/docs/ModelArk/1541523",
        base_url="https://ark.ap-southeast.bytepluses.com/api/v3",
        hosts=("bytepluses.com", "volces.com"),
        result_hosts=("tos-ap-southeast-1.volces.com",),
        key_path="",
        lists_models=False,
        takes_count=False,
        # By default it stamps the picture, and may draw and bill up to 15 of them.
        fixed={**INLINE, "watermark": False, "sequential_image_generation": "disabled"},
        codes={
            r".*SensitiveContentDetected.*": Outcome.REFUSED,
            r"AuthenticationFailed|InvalidApiKey|Arrearage": Outcome.ACCOUNT,
            r"InsufficientBalance|InsufficientQuota": Outcome.ACCOUNT,
            r"InvalidEndpoint\.ClosedEndpoint": Outcome.UNAVAILABLE,
            r"InvalidEndpoint\..*": Outcome.MODEL_GONE,
            r"RateLimitExceeded|TooManyRequests": Outcome.RATE_LIMITED,
            r"MissingParameter.*|InvalidParameter.*": Outcome.BAD_PARAMETER,
        },
    ),
    "xai": Preset(
        title="xAI",
        source="https://docs.x.ai/docs/guides/image-generations",
        base_url="https://api.x.ai/v1",
        hosts=("api.x.ai",),
        result_hosts=("imgen.x.ai",),
        key_path="/api-key",
        key_flags=("api_key_blocked", "api_key_disabled", "team_blocked"),
        lists_models=False,
        size_words=SizeWords.RATIO,
        user_field="user",
        fixed=INLINE,
        # It may bill its own choice as the dearer one.
        required={"quality": r".*-2\.0.*"},
        # A wrong key is a 400 with the code of a wrong argument. Only the message's start counts:
        # the rest may repeat a prompt.
        texts={r"^incorrect api key": Outcome.ACCOUNT},
        statuses=KEY_BY_STATUS,
        empty_is_refusal=True,
        bills_refusals=True,
        cost=Cost(("usage", "cost_in_usd_ticks"), 10_000_000_000),
    ),
    "azure": Preset(
        title="Azure OpenAI",
        source="https://learn.microsoft.com/en-us/azure/ai-foundry/openai/reference",
        hosts=AZURE_HOSTS,
        key_header="api-key",
        required={"quality": r".*"},
        codes={
            r"contentFilter|content_filter|content_policy_violation": Outcome.REFUSED,
            r"ResponsibleAIPolicyViolation": Outcome.REFUSED,
            # The name of a deployment is the operator's own, so nobody retired a model.
            r"DeploymentNotFound": Outcome.ACCOUNT,
        },
        statuses={**KEY_BY_STATUS, 403: Outcome.ACCOUNT},
    ),
    "vllm": Preset(
        title="vLLM-Omni",
        source="https://docs.vllm.ai/projects/vllm-omni/en/latest/",
        needs_key=False,
        fixed=INLINE,
        statuses=OWN_STATUSES,
    ),
    "sglang": Preset(
        title="SGLang Diffusion",
        source="https://docs.sglang.ai/",
        needs_key=False,
        fixed=INLINE,
        statuses=OWN_STATUSES,
    ),
    "localai": Preset(
        title="LocalAI",
        source="https://localai.io/features/image-generation/",
        needs_key=False,
        fixed=INLINE,
        statuses=OWN_STATUSES,
    ),
    "generic": Preset(
        title="Another server with OpenAI's images API",
        source="https://developers.openai.com/api/docs/guides/image-generation",
        needs_key=False,
        usual=INLINE,
        statuses={**OWN_STATUSES, 402: Outcome.ACCOUNT},
    ),
}
