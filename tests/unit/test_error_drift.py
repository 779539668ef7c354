"""An error is in several tables: its status, each route's statuses, OpenAI's words, the page's."""

import re
from collections.abc import Mapping
from typing import Final, get_args

import pytest
from pydantic_core.core_schema import ErrorType

from generators import openapi
from generators.docs.problems import Code, codes
from generators.openapi import CLOSED, EVERYWHERE
from generators.openapi_operations import OPENAI, OPERATIONS
from imagegen.domain import errors
from imagegen.domain.call_errors import LlmError, ProviderError
from imagegen.domain.errors import ImagegenError
from imagegen.edge import openai_problems
from imagegen.edge.problems import STATUS
from local.paths import ROOT
from tests.unit.raises import Reader
from tests.unit.test_route_drift import every_route

ERRORS: Final = "layers/shared/imagegen/domain/errors.py"
HOMES: Final = (errors.__name__, LlmError.__module__)
"""The modules of the tree: other errors are for one module alone."""
TABLES: Final = "layers/shared/imagegen/edge/openai_problems.py"
ROUTES: Final = "generators/openapi_operations.py"
MACHINE: Final = "functions/page/static/machine.js"

LEAVES_NO_ROUTE: Mapping[type[ImagegenError], str] = {
    ProviderError: "the run goes on with another model, and ends as another error",
    LlmError: "the chat has begun to answer: it is the last event of a stream with 200",
}
"""Errors that no route is answered with, and what becomes of them."""

SHOWN_ONLY: Mapping[str, Mapping[type[ImagegenError], str]] = {
    "estimateImage": {errors.LimitError: "the offer shows it as ``blocked``"},
    "getImage": {errors.LeaseLostError: "the dead run's record has it"},
    "rotateKey": {errors.NotFoundError: "it is a wrong ``keyId``"},
    "revokeKey": {errors.NotFoundError: "it is a wrong ``keyId``"},
}
"""Errors that a route makes and does not raise."""

ON_EVERY_ROUTE = frozenset(
    {
        ImagegenError,
        errors.ConfigurationError,
        errors.StoreUnavailableError,
        errors.UnauthorizedError,
        errors.ForbiddenError,
    }
)
"""Errors of the edge and of what every route needs; ``EVERYWHERE`` and ``CLOSED`` have them."""

NO_OFFER = frozenset(
    {
        errors.InvalidRequestError,
        errors.UnsupportedSizeError,
        errors.AboveMaxCostError,
        errors.UnknownModelError,
        errors.RetiredModelError,
        errors.ParameterError,
        errors.NoProviderError,
        # Of an input.
        errors.NotFoundError,
        errors.InputGoneError,
    }
)
NO_IMAGE = frozenset(
    {
        errors.LimitError,
        errors.NoProviderError,
        errors.GenerationFailedError,
        errors.ContentRefusedError,
        errors.ModerationUnavailableError,
        errors.LeaseLostError,
        errors.GoneError,
        errors.ImageDeletedError,
    }
)
WRONG_QUERY = frozenset({errors.InvalidRequestError, errors.ParameterError})
ANSWERS: Mapping[str, frozenset[type[ImagegenError]]] = {
    "estimateImage": NO_OFFER,
    "listModels": frozenset(),
    "generateImage": NO_IMAGE
    | {
        errors.InvalidRequestError,
        errors.QuoteError,
        errors.QuoteExpiredError,
        errors.QuoteMismatchError,
        errors.InputGoneError,
        errors.ParameterError,
    },
    "getImage": frozenset({errors.NotFoundError, errors.GoneError, errors.ImageDeletedError}),
    "listImages": frozenset({errors.InvalidRequestError, errors.ParameterError}),
    "deleteImage": frozenset({errors.NotFoundError, errors.StillRunningError}),
    "createUpload": frozenset({errors.InvalidRequestError, errors.LimitError}),
    "getUsage": frozenset(),
    "chat": frozenset({errors.InvalidRequestError, errors.LimitError}),
    "getToolDefinition": frozenset({errors.InvalidRequestError}),
    "createImage": NO_OFFER | NO_IMAGE | {errors.ReusedKeyError, errors.StillRunningError},
    "editImage": NO_OFFER
    | NO_IMAGE
    | {errors.ReusedKeyError, errors.StillRunningError, errors.InputGoneError}
    | {errors.QuoteMismatchError},
    "listModelsForOpenai": frozenset(),
    "getModelForOpenai": frozenset({errors.UnknownModelError, errors.ParameterError}),
    "callMcp": frozenset(),
    "getProviderHealth": frozenset(),
    "getSpending": WRONG_QUERY,
    "listFailures": WRONG_QUERY,
    "listProviders": frozenset(),
    "switchProvider": WRONG_QUERY,
    "resetCircuit": WRONG_QUERY,
    "findPerson": WRONG_QUERY,
    "blockPerson": WRONG_QUERY,
    "erasePerson": WRONG_QUERY,
    "setOwnLimits": frozenset(),
    "eraseMe": frozenset(),
    "listKeys": frozenset(),
    "makeKey": frozenset({errors.InvalidRequestError}),
    "rotateKey": WRONG_QUERY | {errors.InvalidRequestError},
    "revokeKey": WRONG_QUERY,
    "findBudget": WRONG_QUERY,
    "setBudget": WRONG_QUERY,
    "listTrail": WRONG_QUERY,
}
"""Which errors each route can be answered with, beside those of every route.

A tool's errors are results for an LLM: the chat's and MCP's are no HTTP errors.
"""

RESULTS_OF_TOOLS: Mapping[str, str] = {
    "callMcp": "the toolbox, which is passed in, makes a result of each error",
}
"""Routes whose source seems to end with errors, and does not."""

OTHER_STATUSES: Mapping[str, Mapping[int, str]] = {
    "callMcp": {404: "JSON-RPC: no such method", 405: "it has no streams"},
}
"""Statuses that are not of an error of ours, and whose they are."""

STAYS_422: Mapping[str, str] = {
    "idempotency_key_reused": "OpenAI has no such error; its SDKs take any 422",
}
"""Codes that a route under /v1 answers with 422, which OpenAI's own errors do not have."""

HAS_NO_PARAM: Mapping[str, str] = {
    "invalid_json": "the whole body is meant",
    "invalid_request": "the field comes with the problem",
    "unsupported_event": "there was no request",
    "method_not_allowed": "the address is meant",
    "not_found": "the address is meant",
    "quote_invalid": "a route under /v1 takes no quote",
    "quote_mismatch": "a route under /v1 takes no quote",
    "unsupported_media_type": "a header is meant that no SDK lets its caller set",
    "body_too_large": "the whole body is meant",
    "unsupported_parameter": "the field comes with the problem",
}
"""Codes about a request that name no parameter of it, and why."""


def kinds(root: type[ImagegenError] = ImagegenError) -> list[type[ImagegenError]]:
    """Return every error of the tree."""
    children = [one for one in root.__subclasses__() if one.__module__ in HOMES]
    return [root, *(kind for child in children for kind in kinds(child))]


def status_of(kind: type[ImagegenError]) -> int:
    return int(next(STATUS[one] for one in kind.mro() if one in STATUS))


def under_v1(code: Code) -> int:
    """Return the status that a route under /v1 gives a code."""
    return openai_problems._STATUS.get(code.name, code.status)


def answered(operation: str, kind: type[ImagegenError]) -> int:
    """Return the status that a route gives an error."""
    status = status_of(kind)
    code = Code(status, kind.code, "")
    return under_v1(code) if OPERATIONS[operation].style == OPENAI else status


READER = Reader()
CODES = {one.name: one for one in codes()}
every_kind = pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.__name__)
every_operation = pytest.mark.parametrize("operation", ANSWERS)


# The tree that is drawn.


def drawn() -> dict[type[ImagegenError], int]:
    """Return the statuses drawn at the top of the module; a quote's three are on one line."""
    text = errors.__doc__ or ""
    lines = re.findall(r"^[│├└─ ]*(\w+Error) +(\d{3}) ", text, re.MULTILINE)
    found = {name: int(status) for name, status in lines}
    (quotes,) = re.findall(r"QuoteError +4xx +(.+)$", text, re.MULTILINE)
    for word, status in re.findall(r"(\w+) (\d{3})", quotes):
        found[{"invalid": "QuoteError"}.get(word, f"Quote{word.capitalize()}Error")] = int(status)
    return {kind: found[kind.__name__] for kind in kinds() if kind.__name__ in found}


@every_kind
def test_the_status_that_is_drawn_is_the_one_that_is_answered(kind: type[ImagegenError]) -> None:
    if kind in (ImagegenError, ProviderError):
        return  # the root, and one that no route is answered with
    assert drawn().get(kind) == status_of(kind), (
        f"{kind.__name__}: the tree at the top of {ERRORS} draws {drawn().get(kind)}, and STATUS "
        f"of edge/problems.py (its own line, or its parent's) has {status_of(kind)}"
    )


# Statuses of routes.


@every_kind
def test_an_error_is_an_answer_of_some_route(kind: type[ImagegenError]) -> None:
    rows = [name for name, answers in ANSWERS.items() if kind in answers]
    assert bool(rows) + (kind in ON_EVERY_ROUTE) + (kind in LEAVES_NO_ROUTE) == 1, (
        f"{kind.__name__}: list it in ANSWERS of {__name__} below each route that can now be "
        f"answered with it; its status must then be in OPERATIONS of {ROUTES}"
    )


def test_every_route_says_what_it_can_be_answered_with() -> None:
    assert ANSWERS.keys() == OPERATIONS.keys(), f"add the route to ANSWERS of {__name__}"


@pytest.mark.parametrize("operation", sorted(ANSWERS.keys() - RESULTS_OF_TOOLS.keys()))
def test_an_error_that_a_route_raises_is_one_of_its_answers(operation: str) -> None:
    """Read from the source: ``tests/unit/raises.py`` says what it does not see."""
    (route,) = (
        one for _, one in every_route() if one.include_in_schema and one.operation_id == operation
    )
    raised = READER.errors_of(route.func) - ON_EVERY_ROUTE - LEAVES_NO_ROUTE.keys()
    raised -= SHOWN_ONLY.get(operation, {}).keys()
    missing = sorted(kind.__name__ for kind in raised - ANSWERS[operation])
    assert missing == [], (
        f"{operation} can end with {', '.join(missing)}: add them to ANSWERS of {__name__}, and "
        f"their statuses to OPERATIONS of {ROUTES}"
    )


@every_operation
def test_a_route_lists_the_status_of_each_of_its_errors(operation: str) -> None:
    listed = {*EVERYWHERE, *OPERATIONS[operation].problems}
    for kind in ANSWERS[operation]:
        assert answered(operation, kind) in listed, (
            f"{ROUTES}: OPERATIONS[{operation!r}] lacks {answered(operation, kind)}, the status "
            f"of {kind.__name__}; then `make openapi`"
        )


@every_operation
def test_a_route_lists_no_status_that_it_is_never_answered_with(operation: str) -> None:
    given = {answered(operation, kind) for kind in ANSWERS[operation]}
    given |= OTHER_STATUSES.get(operation, {}).keys() | invalid_statuses(operation)
    assert set(OPERATIONS[operation].problems) <= given, (
        f"{ROUTES}: no error of {operation} has one of these statuses; take it out of "
        f"OPERATIONS, or name the error in ANSWERS of {__name__}"
    )


def invalid_statuses(operation: str) -> set[int]:
    """A request that does not fit its model: 422, but 400 under /v1."""
    return set() if OPERATIONS[operation].style == OPENAI else {CODES["invalid_request"].status}


@pytest.mark.parametrize("kind", sorted(ON_EVERY_ROUTE, key=str), ids=lambda kind: kind.__name__)
def test_what_can_happen_on_every_route_is_listed_for_all(kind: type[ImagegenError]) -> None:
    assert status_of(kind) in (*EVERYWHERE, *CLOSED), f"{openapi.__name__}: EVERYWHERE or CLOSED"


# The routes under /v1.


@pytest.mark.parametrize("table", ["_STATUS", "_CODES", "_PARAMS"])
def test_openais_words_are_for_codes_that_there_are(table: str) -> None:
    named = getattr(openai_problems, table).keys()
    assert not named - CODES.keys(), f"{TABLES}: {table} names codes that no error has"


def test_openais_codes_of_a_field_are_of_pydantic_or_ours() -> None:
    types = set(get_args(ErrorType))
    types_named = openai_problems._FIELD_CODES.keys()
    assert not types_named - types - CODES.keys(), f"{TABLES}: _FIELD_CODES"


@pytest.mark.parametrize("code", CODES.values(), ids=lambda code: code.name)
def test_a_code_has_a_status_that_openai_has(code: Code) -> None:
    """Every status goes as it is, but 422: OpenAI answers 400 or 404 for a wrong request."""
    assert (under_v1(code) == 422) == (code.name in STAYS_422), (
        f"{TABLES}: give {code.name!r} its status under /v1 in _STATUS (400, or 404 for a model "
        f"that is not there), or list it in STAYS_422 of {__name__} with the reason"
    )


@pytest.mark.parametrize("code", CODES.values(), ids=lambda code: code.name)
def test_a_wrong_request_names_its_parameter(code: Code) -> None:
    if under_v1(code) not in (400, 404, 405, 409, 413, 415, 422):
        return
    has_param = code.name in openai_problems._PARAMS
    assert has_param != (code.name in HAS_NO_PARAM), (
        f"{TABLES}: name the parameter that {code.name!r} is about in _PARAMS, or list the code in "
        f"HAS_NO_PARAM of {__name__} with the reason"
    )


# The elements.


def shown() -> dict[str, str]:
    """Return what the elements call each code that is not just a failure."""
    source = (ROOT / MACHINE).read_text()
    (table,) = re.findall(r"^const KINDS = \{(.*?)^\};", source, re.DOTALL | re.MULTILINE)
    return dict(re.findall(r'(\w+): "(\w+)"', table))


def test_the_elements_know_codes_that_there_are() -> None:
    assert not shown().keys() - CODES.keys(), f"{MACHINE}: KINDS names codes that no error has"


@pytest.mark.parametrize("code", CODES.values(), ids=lambda code: code.name)
def test_the_elements_show_a_limit_as_one_and_what_is_over_as_over(code: Code) -> None:
    """A status record has no HTTP status: these states are found by the code alone.

    Any other code is a failure, shown with its ``detail``; ``content_refused`` is the only prompt
    that was refused.
    """
    expected = {429: {"limited"}, 410: {"gone", "expired"}}.get(code.status)
    if expected is not None:
        assert shown().get(code.name) in expected, (
            f"{MACHINE}: say in KINDS that {code.name!r} is one of {sorted(expected)}"
        )
    elif code.name in shown():
        assert shown()[code.name] == "refused", f"{MACHINE}: {code.name!r} has status {code.status}"
