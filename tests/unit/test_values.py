"""Numbers in our JSON: an integer in each spelling of clients and LLMs, and never a truth value."""

from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from imagegen.openai_api.models import ImagesRequest
from imagegen.wire.estimates import EstimateRequest
from imagegen.wire.inputs import UploadOrder

PROMPT = {"prompt": "A red bicycle"}
FILE = {"mediaType": "image/png", "sha256": "0" * 64}
FIELDS: list[tuple[type[BaseModel], Mapping[str, Any], str]] = [
    (EstimateRequest, PROMPT, "count"),
    (EstimateRequest, PROMPT, "seed"),
    (EstimateRequest, PROMPT, "partials"),
    (UploadOrder, FILE, "bytes"),
    (ImagesRequest, PROMPT, "n"),
]
every_field = pytest.mark.parametrize(("model", "others", "name"), FIELDS)


@every_field
@pytest.mark.parametrize("spelling", [2, 2.0, "2"])
def test_a_whole_number_is_read_in_each_spelling(
    model: type[BaseModel], others: Mapping[str, Any], name: str, spelling: object
) -> None:
    read = getattr(model.model_validate({**others, name: spelling}), name)
    assert (type(read), read) == (int, 2)


@every_field
@pytest.mark.parametrize("value", [True, False, 1.5, "1.5", "true", "", [1], {}, float("nan")])
def test_what_is_not_a_whole_number_is_refused_by_its_field(
    model: type[BaseModel], others: Mapping[str, Any], name: str, value: object
) -> None:
    with pytest.raises(ValidationError) as refused:
        model.model_validate({**others, name: value})
    assert [one["loc"] for one in refused.value.errors()] == [(name,)]


@every_field
def test_a_truth_value_has_the_fault_of_every_value_of_another_type(
    model: type[BaseModel], others: Mapping[str, Any], name: str
) -> None:
    """Clients tell faults by their type: this one is that of a list or an object."""
    for value in (True, [1]):
        with pytest.raises(ValidationError) as refused:
            model.model_validate({**others, name: value})
        assert [one["type"] for one in refused.value.errors()] == ["int_type"]
