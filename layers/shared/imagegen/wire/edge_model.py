"""The base of every model that is JSON at the edge."""

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class EdgeModel(BaseModel):
    """The base of everything that a request or a response has as JSON."""

    model_config = ConfigDict(
        alias_generator=to_camel, validate_by_name=True, frozen=True, extra="forbid"
    )
