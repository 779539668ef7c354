"""Inputs over HTTP: links for uploads, what an estimate refuses, and what is said of the charge."""

import hashlib
import json
from typing import Any

import pytest

from imagegen.domain.inputs import MOST_UPLOAD_BYTES
from imagegen.domain.uploads import PLACES_A_DAY, UploadRef
from imagegen.mcp import tools
from imagegen.mcp.tools import Toolbox
from tests.fakes.pictures import picture
from tests.fakes.service import OTHER_USER, USER, Service
from tests.handlers.conftest import Functions
from tests.handlers.test_edges import request
from tests.unit.test_inputs import editors, image_of, upload
from tests.unit.test_operations import OPERATIONS, a_service, result_of

CONTENT = picture()
ORDER = {
    "mediaType": "image/png",
    "bytes": len(CONTENT),
    "sha256": hashlib.sha256(CONTENT).hexdigest(),
}


def answered(
    functions: Functions, path: str, body: Any, name: str = "estimate"
) -> tuple[int, dict[str, Any]]:
    answer = functions.invoke(name, request(functions, "POST", path, body))
    return answer["statusCode"], json.loads(answer["body"])


def with_editors(functions: Functions) -> Service:
    """Let the functions sell edits, and return their service."""
    functions.service = editors()
    return functions.service


def test_a_link_names_method_headers_and_its_end(functions: Functions) -> None:
    status, body = answered(functions, "/inputs", ORDER)
    assert status == 200
    assert body.keys() == {"uploadId", "upload", "expiresAt"}
    assert body["upload"]["method"] == "PUT"
    assert functions.service.uploads.put(body["upload"]["url"], CONTENT) == 200


@pytest.mark.parametrize(
    "changed",
    [
        {"mediaType": "image/svg+xml"},
        {"mediaType": "image/gif"},
        {"mediaType": "IMAGE/PNG"},
        {"bytes": 0},
        {"bytes": -1},
        {"bytes": MOST_UPLOAD_BYTES + 1},
        {"bytes": 1.5},
        {"bytes": None},
        {"sha256": "A" * 64},
        {"sha256": "a" * 63},
        {"sha256": ""},
        {"sha256": None},
        {"key": "img/x"},
        {"uploadId": "mine"},
    ],
)
def test_another_order_is_refused_with_its_field(
    functions: Functions, changed: dict[str, Any]
) -> None:
    status, body = answered(functions, "/inputs", {**ORDER, **changed})
    assert (status, body["code"], body["charged"]) == (422, "invalid_request", False)
    assert [one["field"] for one in body["errors"]] == [f"body.{next(iter(changed))}"]
    assert not functions.service.uploads.links


def test_a_user_without_a_free_place_waits_for_the_next_day(
    functions: Functions, user: str
) -> None:
    for _ in range(PLACES_A_DAY):
        upload(functions.service, CONTENT, user)
    status, body = answered(functions, "/inputs", ORDER)
    assert (status, body["code"], body["charged"]) == (429, "upload_limit", False)
    assert body["retryable"] is True
    assert 0 < body["retryAfterSeconds"] <= 86_460


@pytest.mark.parametrize(
    ("given", "status", "code"),
    [
        ({"inputs": [{"image": "a" * 64}]}, 404, "not_found"),
        ({"inputs": [{"upload": "a" * 16}]}, 404, "not_found"),
        ({"inputs": [{"image": "a", "upload": "b"}]}, 422, "invalid_request"),
        ({"inputs": [{}]}, 422, "invalid_request"),
        ({"inputs": [{"image": "a" * 64}] * 5}, 422, "invalid_request"),
        ({"mask": {"image": "a" * 64}}, 422, "unsupported_parameter"),
        ({"size": "same"}, 422, "unsupported_parameter"),
    ],
)
def test_an_estimate_refuses_what_cannot_be_an_input(
    functions: Functions, given: dict[str, Any], status: int, code: str
) -> None:
    with_editors(functions)
    found, body = answered(functions, "/estimate", {"prompt": "blue", **given})
    assert (found, body["code"], body["charged"]) == (status, code, False)


def test_a_missing_upload_is_gone(functions: Functions, user: str) -> None:
    service = with_editors(functions)
    sent = upload(service, CONTENT, user)
    service.uploads.delete(UploadRef(user, sent))
    given = {"prompt": "blue", "inputs": [{"upload": sent}]}
    status, body = answered(functions, "/estimate", given)
    assert (status, body["code"], body["charged"]) == (410, "input_gone", False)


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [(None, 410, "input_gone"), (picture(size=(8, 8)), 409, "quote_mismatch")],
)
def test_a_click_on_an_edit_whose_input_is_not_the_same_says_not_charged(
    functions: Functions, user: str, content: bytes | None, status: int, code: str
) -> None:
    service = with_editors(functions)
    sent = upload(service, CONTENT, user)
    given = {"prompt": "blue", "quality": "standard", "inputs": [{"upload": sent}]}
    _, offer = answered(functions, "/estimate", given)
    if content is None:
        service.uploads.delete(UploadRef(user, sent))
    else:
        service.uploads.objects[UploadRef(user, sent)] = content
    body = {"quote": offer["quote"], "prompt": "blue"}
    found, problem = answered(functions, "/generate-image", body, "generate")
    assert (found, problem["code"], problem["charged"]) == (status, code, False)


def test_an_edit_over_http_names_its_parent_by_quote_id(functions: Functions, user: str) -> None:
    service = with_editors(functions)
    parent = image_of(service, user)
    given = {"prompt": "blue", "quality": "standard", "inputs": [{"image": parent}]}
    status, offer = answered(functions, "/estimate", given)
    assert status == 200
    body = {"quote": offer["quote"], "prompt": "blue"}
    status, made = answered(functions, "/generate-image", body, "generate")
    assert status == 200
    assert (made["derivedFrom"], made["inputs"]) == (parent[:24], ["edit"])
    # The offer repeats the request to who sent it, and has the id nowhere else.
    assert offer.pop("request")["inputs"] == given["inputs"]
    assert parent not in json.dumps([offer, made])


def toolbox(service: Service) -> Toolbox:
    return Toolbox(
        lambda request: service.estimator.estimate(request, USER),
        service.status_reader.status,
        service.lister.models,
        page_url=lambda: "https://page.test",
    )


def test_mcp_takes_images_by_id_and_gives_no_link_that_would_leave_them_out() -> None:
    service = editors()
    arguments = {"prompt": "blue", "inputs": [{"image": image_of(service), "role": "edit"}]}
    said = tools.call("estimate_image", arguments, toolbox(service))
    assert said is not None
    assert said["isError"] is False
    assert said["_meta"]["imagegen/estimate"]["inputs"][0]["role"] == "edit"
    assert said["structuredContent"]["offerUrl"] is None
    (definition,) = (one for one in tools.definitions([]) if one["name"] == "estimate_image")
    assert definition["inputSchema"]["properties"]["inputs"]["items"]["required"] == [
        "image",
        "role",
    ]


def test_mcp_answers_another_users_image_as_unknown() -> None:
    service = editors()
    foreign = image_of(service, OTHER_USER)
    arguments = {"prompt": "blue", "inputs": [{"image": foreign, "role": "edit"}]}
    said = tools.call("estimate_image", arguments, toolbox(service))
    assert said is not None
    assert said["isError"] is True
    assert said["_meta"]["imagegen/problem"]["code"] == "not_found"


def with_operations(functions: Functions, user: str) -> tuple[Service, str]:
    """Let the functions sell upscales and cut-outs; return their service and an image."""
    functions.service, parent = a_service(user=user)
    return functions.service, parent


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_over_http_needs_a_picture_and_no_prompt(
    functions: Functions, user: str, name: str
) -> None:
    wanted = OPERATIONS[name]
    service, parent = with_operations(functions, user)
    service.react("alpha", result_of(wanted))
    given = {**wanted, "inputs": [{"image": parent}]}
    status, offer = answered(functions, "/estimate", given)
    assert (status, offer["prompt"], offer["operation"]) == (200, "", wanted["operation"])
    assert offer["buttonLabel"].startswith(("Upscale Image for $", "Cut Out Image for $"))
    body = {"quote": offer["quote"], "prompt": offer["prompt"]}
    status, made = answered(functions, "/generate-image", body, "generate")
    assert (status, made["operation"], made["derivedFrom"]) == (
        200, wanted["operation"], parent[:24],
    )  # fmt: skip
    assert made["cost"]["charged"] == offer["price"]["expected"]
    assert made["size"] == offer["size"]
    status, again = answered(functions, "/generate-image", body, "generate")
    assert (status, again["id"], again["cost"]) == (200, made["id"], made["cost"])


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"inputs": []}, "inputs"),
        ({"prompt": "larger"}, "prompt"),
        ({"count": 3}, "count"),
        ({"operation": "enlarge"}, "operation"),
        ({"scale": 3}, "scale"),
        ({"operation": "cutout", "scale": 2}, "scale"),
        ({"operation": "generate"}, "prompt"),
        ({"model": "alpha-standard"}, "model"),
    ],
)
def test_what_does_not_fit_an_operation_is_a_422_that_names_it_and_costs_nothing(
    functions: Functions, user: str, changed: dict[str, Any], field: str
) -> None:
    _, parent = with_operations(functions, user)
    given = {"operation": "upscale", "inputs": [{"image": parent}], **changed}
    status, problem = answered(functions, "/estimate", given)
    assert (status, problem["charged"]) == (422, False)
    assert field in json.dumps([problem.get("errors"), problem["detail"]])


def test_an_operation_is_confirmed_with_its_empty_prompt_alone(
    functions: Functions, user: str
) -> None:
    _, parent = with_operations(functions, user)
    given = {"operation": "upscale", "inputs": [{"image": parent}]}
    _, offer = answered(functions, "/estimate", given)
    for prompt, code in (("a fox", "quote_mismatch"), (" ", "invalid_request")):
        body = {"quote": offer["quote"], "prompt": prompt}
        _, problem = answered(functions, "/generate-image", body, "generate")
        assert problem["code"] == code
