"""The built-in image providers: title, key, address and colour of each, in one place.

Only the standard library is loaded here, because the page function reads it too.
"""

from dataclasses import dataclass

COLOUR = "#3f3f46"
"""Of a provider that has chosen none."""


@dataclass(frozen=True, slots=True)
class About:
    """What is fixed about one provider."""

    title: str
    """The provider's name as people write it."""
    key_name: str
    """The name of the parameter, and of the line in ``.env``, that contains its keys; empty if the
    functions' own role is the credential."""
    keys_url: str
    """The page where its customers create keys, or read how they get access without one."""
    base_url: str
    """The vendor's own address of the API, without a trailing slash."""
    colour: str = COLOUR
    """As ``#rrggbb``, dark enough to be readable on a light tint of the same colour."""
    region: str = ""
    """The AWS Region in which it is called by default; empty for a provider with keys."""
    advice: str = ""
    """What an operator can do when it does not let the functions' role in."""
    route_advice: str = ""
    """What an operator can do when it does not have the routes that are called."""
    off_by_default: bool = False
    """Whether it is out of service until its switch is ``true``: its vendor bills refusals."""

    @property
    def is_open(self) -> bool:
        """Whether it is called without any credential: a server of the operator's own."""
        return not self.key_name and not self.region


PROVIDERS = {
    "openai": About(
        title="OpenAI",
        key_name="OPENAI_API_KEY",
        keys_url="https://platform.openai.com/api-keys",
        base_url="https://api.openai.com/v1",
        colour="#166534",
    ),
    "together": About(
        title="Together AI",
        key_name="TOGETHER_API_KEY",
        keys_url="https://api.together.ai/settings/api-keys",
        base_url="https://api.together.ai/v1",
        colour="#1e40af",
    ),
    "replicate": About(
        title="Replicate",
        key_name="REPLICATE_API_TOKEN",
        keys_url="https://replicate.com/account/api-tokens",
        base_url="https://api.replicate.com/v1",
        colour="#6b21a8",
    ),
    "gemini": About(
        title="Google Gemini",
        key_name="GEMINI_API_KEY",
        keys_url="https://aistudio.google.com/apikey",
        base_url="https://generativelanguage.googleapis.com/v1beta",
        colour="#854d0e",
    ),
    "bedrock": About(
        title="Amazon Bedrock",
        key_name="",
        keys_url="https://docs.aws.amazon.com/bedrock/latest/userguide/model-access.html",
        base_url="https://bedrock-runtime.us-west-2.amazonaws.com",
        colour="#9f1239",
        region="us-west-2",
        advice=(
            "Its role needs bedrock:InvokeModel in its Region, and its account access to the "
            "model: see docs/providers.md, Amazon Bedrock."
        ),
    ),
    "ideogram": About(
        title="Ideogram",
        key_name="IDEOGRAM_API_KEY",
        keys_url="https://ideogram.ai/manage-api",
        base_url="https://api.ideogram.ai",
        colour="#3730a3",
        off_by_default=True,
    ),
    "bfl": About(
        title="Black Forest Labs",
        key_name="BFL_API_KEY",
        keys_url="https://dashboard.bfl.ai",
        base_url="https://api.bfl.ai/v1",
        colour="#134e4a",
        off_by_default=True,
    ),
    "fal": About(
        title="fal",
        key_name="FAL_KEY",
        keys_url="https://fal.ai/dashboard/keys",
        base_url="https://queue.fal.run",
        colour="#831843",
        off_by_default=True,
    ),
}
"""By name. The file in this package that contains ``build``, and the catalog's rows, use it too."""
