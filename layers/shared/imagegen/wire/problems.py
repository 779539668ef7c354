"""The JSON of errors on our own routes."""

from typing import Any

from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel

from imagegen.wire.values import EdgeModel, optional_field


class Problem(EdgeModel):
    """An error in the format of RFC 9457."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True, frozen=True)

    type: str
    title: str
    status: int
    code: str
    detail: str
    charged: bool | None = Field(
        description="Whether the requested image is charged; null: it was not looked up."
    )
    retryable: bool
    retry_after_seconds: int | None = optional_field()
    errors: list[dict[str, Any]] | None = optional_field()
    resource_metadata: str | None = optional_field(
        "For hosts of MCP without a token: where the issuer is named (RFC 9728).",
        serialization_alias="resource_metadata",
    )
