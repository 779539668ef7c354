"""What openapi.json contains about each route and the route itself does not: words and errors."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from imagegen.wire.values import DOLLARS

PROBLEM, OPENAI, JSON_RPC = "problem", "openai", "json-rpc"


@dataclass(frozen=True, slots=True)
class Operation:
    """What the document contains about a route and the route itself does not."""

    summary: str
    problems: tuple[int, ...]
    """The statuses of its errors, besides those of every route."""
    is_open: bool = False
    description: str = ""
    """What a client must know beside that, in sentences; without it, the summary."""
    style: str = PROBLEM
    """The format of its errors."""
    headers: Mapping[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    """Request headers: description and schema constraints, by name."""


OPENAI_HEADERS: Final[Mapping[str, tuple[str, dict[str, Any]]]] = {
    "x-max-cost": (
        "The most to pay for all images, in US dollars; a higher price is an error",
        {"pattern": DOLLARS},
    ),
    "Idempotency-Key": (
        "Requests with the same key get the same images and are charged once",
        {"minLength": 1, "maxLength": 255},
    ),
    "x-stainless-retry-count": (
        "Number of the client's retries, sent by OpenAI's SDKs; other text is ignored",
        {},
    ),
}

OPERATIONS: Final = {
    "estimateImage": Operation(
        "A priced offer; spends and writes nothing",
        (404, 410, 422),
        description=(
            "Reads the prompt, chooses tier, provider and model, and returns a signed quote, "
            "which can be confirmed once within ten minutes. It calls no provider and costs "
            "nothing. Inputs are pictures to change or to look at: the quote is for exactly them."
        ),
    ),
    "createUpload": Operation(
        "Where a picture can be stored, once, as an input",
        (422, 429),
        description=(
            "Send the file to the URL with exactly the headers of the answer, within five minutes. "
            "It is kept for a day, and nobody can fetch it."
        ),
    ),
    "listModels": Operation("The models that are offered now, and retired models", ()),
    "generateImage": Operation(
        "The image that a quote promised, charged once",
        (409, 410, 422, 429, 502),
        description=(
            "Send the quote and the unchanged prompt of an estimate. Sent again, the same "
            "quote returns the first result and is never charged twice; while the image is "
            "being made, the answer is 202. With Prefer: respond-async the answer is 202 as soon "
            "as the money is reserved."
        ),
        headers={
            "Prefer": ("respond-async: answer before the image is made (RFC 7240)", {}),
        },
    ),
    "getImage": Operation(
        "An image by its id; with Accept: application/json its status",
        (404, 410),
        is_open=True,
        description=(
            "A client that accepts a picture is redirected to it; one that accepts JSON and "
            "no picture gets the status. It needs no token; with the token of its owner the "
            "status contains the prompt."
        ),
    ),
    "listImages": Operation(
        "The user's own images, the newest first",
        (422,),
        description=(
            "Pages, each with the cursor of the next one. Deleted images and failed requests are "
            "not listed."
        ),
    ),
    "deleteImage": Operation(
        "Deletes an image of the user: its bytes and its prompt; the charge stays",
        (404,),
        description=(
            "From then on its address answers 410, and a repetition of its request as well. It can "
            "be sent again. An image that is being made is not deleted (503)."
        ),
    ),
    "getUsage": Operation("What the user spent and may still spend", ()),
    "setOwnLimits": Operation(
        "Sets lower limits of one's own",
        (422,),
        description=(
            "They replace the ones before, and hold from the next click on. They can only lower "
            "what others allow, and can be raised or removed at any time."
        ),
    ),
    "eraseMe": Operation(
        "Erases what is kept of the user, except for the accounting",
        (),
        description=(
            "Images, prompts, uploads and preview frames, in all versions of the bucket. It works "
            "for some seconds; what is left then goes on by itself every five minutes. It can be "
            "sent again."
        ),
    ),
    "chat": Operation(
        "An LLM's answer as server-sent events; it can offer images",
        (422, 429),
        description=("The whole history is sent each time; its last message is by the user."),
    ),
    "getToolDefinition": Operation("The tool's definition for an LLM", (422,)),
    "createImage": Operation(
        "Images for a client of OpenAI's: offer and confirmation in one call",
        (404, 410, 422, 429, 502),
        style=OPENAI,
        headers=OPENAI_HEADERS,
        description=(
            "For the SDKs of OpenAI: the price is held and charged without a second "
            "confirmation, at most `x-max-cost`. Send an `Idempotency-Key`, so that a "
            "repeated call gets the first image."
        ),
    ),
    "editImage": Operation(
        "Changed pictures for a client of OpenAI's: offer and confirmation in one call",
        (404, 409, 410, 422, 429, 502),
        style=OPENAI,
        headers=OPENAI_HEADERS,
        description=(
            "As `POST /v1/images/generations`, with pictures to change or to look at. A form has "
            "them as files, about 4.5 MB together; JSON also names uploads and images by "
            "`file_id`. No address elsewhere is fetched."
        ),
    ),
    "listModelsForOpenai": Operation("The values that `model` accepts now", (), style=OPENAI),
    "getModelForOpenai": Operation("One value that `model` accepts now", (404,), style=OPENAI),
    "callMcp": Operation(
        "The Model Context Protocol, stateless: an LLM can ask for prices but cannot spend",
        (404, 405),
        style=JSON_RPC,
        description=(
            "One JSON-RPC message in each request, without sessions and streams. The metadata "
            "of RFC 9728 is at /.well-known/oauth-protected-resource/mcp."
        ),
    ),
    "getProviderHealth": Operation(
        "Which providers would be used now; an admin's token shows the last errors' codes",
        (),
        is_open=True,
    ),
    "getSpending": Operation(
        "What a day or a month cost, by provider, model, person, team and time",
        (422,),
        description=(
            "Sums of the usage records: a request belongs to the day of its quote, in UTC. It "
            "reads the whole table, for twenty seconds at most."
        ),
    ),
    "listFailures": Operation(
        "What failed in the last hours, and whom that affected",
        (422,),
        description=(
            "Calls of providers that made no image, also those after which another model made it, "
            "and requests that called none."
        ),
    ),
    "listProviders": Operation("The providers with their switches, and the open circuits", ()),
    "switchProvider": Operation(
        "Switches a provider off or on, for all users and within seconds",
        (422,),
        description=(
            "A provider is used if both its flag in the keys and this switch allow it. Quotes that "
            "were given out before skip it as well."
        ),
    ),
    "resetCircuit": Operation(
        "Closes the circuit of a provider or a model, and forgets its failures", (422,)
    ),
    "findPerson": Operation(
        "A person's usage, limits and newest requests",
        (422,),
        description=(
            "By the subject of the issuer's tokens, or by the hash that reports show. It shows no "
            "picture, no prompt and no id that opens an image."
        ),
    ),
    "blockPerson": Operation(
        "Blocks a person, or lets them in again",
        (422,),
        description="What is being made is finished; every later click is refused.",
    ),
    "erasePerson": Operation(
        "Asks for the erasure of what is kept of a person, except for the accounting",
        (422,),
        description=(
            "It begins within five minutes and goes on until nothing is left but what `DELETE /me` "
            "names. `erasingSince` of the person says that it is not finished."
        ),
    ),
    "listKeys": Operation("The keys for programs, without their texts", ()),
    "makeKey": Operation(
        "Makes a key for a program, and returns its text this once",
        (422,),
        description="Nothing that is stored can be turned back into the text.",
    ),
    "rotateKey": Operation(
        "Replaces the text of a key; the old one stays valid for the overlap",
        (422,),
        description="Its id, budget, images and scopes stay.",
    ),
    "revokeKey": Operation(
        "Refuses a key from now on, everywhere within a minute",
        (422,),
        description="A second time is safe. What was confirmed before is finished.",
    ),
    "findBudget": Operation(
        "A budget: of all users, of a team, of each team, or of a person",
        (422,),
        description="What may be spent, who set it, and what was spent with what is held.",
    ),
    "setBudget": Operation(
        "Sets a budget, within a minute everywhere",
        (422,),
        description=(
            "An amount that is left out stays as it is. Nothing that is spent is taken back. What "
            "a person has set for themselves stays, and can only lower it."
        ),
    ),
    "listTrail": Operation(
        "What operators changed: who, when, from what to what",
        (422,),
        description="The newest first. Entries are added and never changed.",
    ),
}
