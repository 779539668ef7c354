"""Stability AI's models on Amazon Bedrock, with the list of models and the guardrail checks.

Both of Bedrock's services answer under one base, which takes the place of their addresses
(``AWS_ENDPOINT_URL_BEDROCK_RUNTIME`` and ``AWS_ENDPOINT_URL_BEDROCK``).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from secrets import randbelow

from local.simulator.bedrock_answers import aws_answer, error_answer, invalid
from local.simulator.bedrock_faults import FAULTS
from local.simulator.bedrock_signature import access_key_of, check_signature
from local.simulator.catalog import load_catalog
from local.simulator.desk import Desk, Order
from local.simulator.faults import Fault, FaultError
from local.simulator.keys import check_credit
from local.simulator.spoil import base64_of
from local.simulator.wire import Answer, Body, Request

NAME = "bedrock"
INVOKE = re.compile(r"/model/([^/]+)/invoke")
LIST = "/foundation-models"
FILTERS = {"byOutputModality", "byInferenceType", "byProvider", "byCustomizationType"}
# Width and height of each ratio: about a megapixel, with edges of 640 to 1,536 pixels.
RATIOS = {
    "16:9": (1344, 768),
    "1:1": (1024, 1024),
    "21:9": (1536, 640),
    "2:3": (832, 1216),
    "3:2": (1216, 832),
    "4:5": (896, 1088),
    "5:4": (1088, 896),
    "9:16": (768, 1344),
    "9:21": (640, 1536),
}
FORMATS = ("png", "jpeg")
MOST_CHARACTERS = 10_000
LAST_SEED = 4_294_967_295
FIELDS = {"prompt", "mode", "aspect_ratio", "output_format", "seed"}
# Libraries disagree about the others.
WITH_NEGATIVE_PROMPT = {"stability.sd3-5-large-v1:0"}


@dataclass(frozen=True, slots=True)
class Bedrock:
    """Amazon Bedrock."""

    name: str = NAME

    @property
    def faults(self) -> Mapping[str, Fault]:
        """Return Bedrock's exceptions and endings."""
        return FAULTS

    def key_of(self, request: Request) -> str:
        """Return the access key of the signature."""
        return access_key_of(request)

    def is_order(self, request: Request) -> bool:
        """Return whether the request is for an image."""
        return request.method == "POST" and INVOKE.fullmatch(request.path) is not None

    def order_from(self, request: Request) -> Order:
        """Return the order; every field is checked."""
        check_signature(request, FAULTS)
        model = model_of(request.path)
        check_model(model)
        body = body_of(request)
        check_fields(model, body)
        check_values(body)
        check_credit(access_key_of(request), FAULTS["out_of_credit"])
        width, height = RATIOS[body.get("aspect_ratio", "1:1")]
        return Order(
            model=model,
            prompt=body["prompt"],
            params={name: value for name, value in body.items() if name != "prompt"},
            width=width,
            height=height,
            image_format=body.get("output_format", "png").lower(),
        )

    def free(self, request: Request) -> Answer:
        """Return the list of models."""
        check_signature(request, FAULTS)
        if (request.method, request.path) != ("GET", LIST):
            raise FaultError(replace(FAULTS["model_gone"], message="Not found"))
        if unknown := request.query.keys() - FILTERS:
            raise invalid(f"unknown filters {sorted(unknown)}")
        is_shown = request.query.get("byOutputModality", "IMAGE") == "IMAGE"
        shown = load_catalog().models(NAME) if is_shown else ()
        return aws_answer({"modelSummaries": [model_view(model) for model in shown]})

    def error(self, fault: Fault) -> Answer:
        """Return an exception as AWS writes it."""
        return error_answer(fault)

    def success(self, desk: Desk) -> Answer:
        """Return the picture as base64."""
        images = [base64_of(picture, desk.spoil) for picture in desk.pictures]
        reasons = [None for _ in images]
        return aws_answer({"seeds": seeds(desk), "finish_reasons": reasons, "images": images})

    def empty(self, desk: Desk) -> Answer:
        """Return a success without a picture, with the reason that the fault defines."""
        body: Body = {"seeds": seeds(desk), "finish_reasons": [desk.details.get("reason")]}
        has_images = desk.details.get("images", []) is not None
        return aws_answer({**body, "images": []} if has_images else body)


def build() -> Bedrock:
    """Return the simulated provider in its initial state."""
    return Bedrock()


def seeds(desk: Desk) -> list[int]:
    """Return the seed of the request, or one by chance, as for 0."""
    return [desk.order.params.get("seed") or 1 + randbelow(LAST_SEED)]


def model_of(path: str) -> str:
    """Return the model in the path of InvokeModel."""
    found = INVOKE.fullmatch(path)
    return found[1] if found else ""


def model_view(model: str) -> Body:
    """Return an entry of the list of models."""
    return {
        "modelArn": f"arn:aws:bedrock:us-west-2::foundation-model/{model}",
        "modelId": model,
        "modelName": model.partition(".")[2],
        "providerName": "Stability AI",
        "inputModalities": ["TEXT"],
        "outputModalities": ["IMAGE"],
        "responseStreamingSupported": False,
        "customizationsSupported": [],
        "inferenceTypesSupported": ["ON_DEMAND"],
        "modelLifecycle": {"status": "ACTIVE", "startOfLifeTime": "2025-06-01T00:00:00Z"},
    }


def check_model(model: str) -> None:
    """Raise unless the Region serves the model.

    Raises:
        FaultError: ``model_gone`` (retired) or ``model_unknown``.
    """
    if (NAME, model) in load_catalog().retired:
        raise FaultError(FAULTS["model_gone"])
    if model not in load_catalog().models(NAME):
        raise FaultError(FAULTS["model_unknown"])


def body_of(request: Request) -> Body:
    """Return the JSON body.

    Raises:
        FaultError: ``bad_parameter``: it is not a JSON object, or not sent as one.
    """
    if request.headers.get("content-type") != "application/json":
        raise invalid("Content-Type must be application/json")
    try:
        return request.json()
    except ValueError as error:
        raise invalid("Malformed input request: expected a JSON object") from error


def check_fields(model: str, body: Body) -> None:
    """Raise unless there is a prompt and every field is one of the model.

    Raises:
        FaultError: ``bad_parameter``.
    """
    known = FIELDS | ({"negative_prompt"} if model in WITH_NEGATIVE_PROMPT else set())
    for name in sorted(body.keys() - known):
        raise invalid(f"#: extraneous key [{name}] is not permitted")
    prompt = body.get("prompt")
    if not isinstance(prompt, str) or not 0 < len(prompt) <= MOST_CHARACTERS:
        raise invalid(f"#/prompt: must have 1 to {MOST_CHARACTERS} characters")


def check_values(body: Body) -> None:
    """Raise unless each value is allowed.

    Raises:
        FaultError: ``bad_parameter``.
    """
    if body.get("mode", "text-to-image") != "text-to-image":
        raise invalid("#/mode: an image needs the mode text-to-image here")
    if body.get("aspect_ratio", "1:1") not in RATIOS:
        raise invalid(f"#/aspect_ratio: must be one of {', '.join(RATIOS)}")
    if str(body.get("output_format", "png")).lower() not in FORMATS:
        raise invalid("#/output_format: must be png or jpeg")
    seed = body.get("seed", 0)
    if type(seed) is not int or not 0 <= seed <= LAST_SEED:
        raise invalid(f"#/seed: must be between 0 and {LAST_SEED}")
