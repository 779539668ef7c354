"""A route that a handler has is in the events, and its answers and headers are in their lists."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import pytest
from aws_lambda_powertools.event_handler.api_gateway import Route

from generators.openapi import DOCUMENT, FUNCTIONS, handler_of
from generators.openapi_operations import OPERATIONS
from imagegen.wire import headers
from local.parameters import read_template
from local.paths import ROOT
from tests.handlers.test_events import EXPECTED, SCHEDULED

API: Mapping[str, Any] = json.loads(DOCUMENT.read_text())
SIMPLE: Final = frozenset({"GET", "HEAD", "POST"})
"""Methods that a browser sends without asking for them: https://fetch.spec.whatwg.org/#methods"""


@dataclass(frozen=True, slots=True)
class Event:
    """What an event file asks for."""

    name: str
    function: str
    method: str
    path: str


@cache
def routes(function: str) -> tuple[Route, ...]:
    """Return a function's routes. The resolver has no public list of them."""
    api = handler_of(function).api
    return (*api._static_routes, *api._dynamic_routes)


@cache
def events() -> tuple[Event, ...]:
    """Return the requests among the event files."""
    return tuple(_event(name) for name in EXPECTED if name not in SCHEDULED)


def _event(name: str) -> Event:
    event = json.loads((ROOT / "events" / f"{name}.json").read_text())
    method = event["requestContext"]["http"]["method"]
    return Event(name, name.partition("/")[0], method, event["rawPath"])


def asks_for(event: Event, function: str, route: Route) -> bool:
    """Return whether an event is a request for a route."""
    here = event.function == function and event.method == route.method
    return here and bool(route.rule.match(event.path))


def every_route() -> Iterator[tuple[str, Route]]:
    for function in FUNCTIONS:
        for route in routes(function):
            yield function, route


def documented() -> Iterator[tuple[str, str, str]]:
    """Yield each function's routes of the document: function, method, path."""
    for function, route in every_route():
        if route.include_in_schema:
            yield function, route.method, route.openapi_path


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_route_has_an_event(function: str) -> None:
    """Methods of one function that answers them alike need one event."""
    asked = {
        route.func.__name__
        for route in routes(function)
        if any(asks_for(event, function, route) for event in events())
    }
    without = {one.func.__name__: one.path for one in routes(function)}.keys() - asked
    assert not without, (
        f"functions/{function}/handler.py: no file of events/{function}/ asks for {without}; add "
        "one, its row in events/README.md and its line in EXPECTED of tests/handlers/test_events.py"
    )


@pytest.mark.parametrize(("function", "method", "path"), list(documented()))
def test_every_route_has_an_event_that_is_answered_well(
    function: str, method: str, path: str
) -> None:
    (route,) = (one for one in routes(function) if (one.method, one.openapi_path) == (method, path))
    statuses = [EXPECTED[one.name][0] for one in events() if asks_for(one, function, route)]
    assert any(status < 400 for status in statuses), (
        f"no event of events/{function}/ shows {method} {path} when it succeeds"
    )


@pytest.mark.parametrize("name", EXPECTED)
def test_an_event_is_answered_as_the_document_says(name: str) -> None:
    event, status = _event(name), EXPECTED[name][0]
    for function, route in every_route():
        if route.include_in_schema and asks_for(event, function, route):
            described = API["paths"][route.openapi_path][route.method.lower()]
            assert str(status) in described["responses"], (
                f"events/{name}.json is answered with {status}: list it in OPERATIONS of "
                "generators/openapi_operations.py for "
                f"{described['operationId']}, then `make openapi`"
            )


# What a browser may send to another origin.


def cors(function: str) -> Mapping[str, Any]:
    """Return what a function's URL lets another origin's page send."""
    template = read_template()
    config: dict[str, Any] = dict(template["Globals"]["Function"]["FunctionUrlConfig"])
    resource = template["Resources"][f"{function.capitalize()}Function"]
    config |= resource["Properties"].get("FunctionUrlConfig", {})
    found: dict[str, Any] = config["Cors"]
    return found


@pytest.mark.parametrize(("function", "method", "path"), list(documented()))
def test_a_page_of_another_origin_may_use_every_method(
    function: str, method: str, path: str
) -> None:
    allowed = {*cors(function)["AllowMethods"], *SIMPLE}
    assert allowed & {method, "*"}, (
        f"template.yaml: {method} {path} needs {method} in AllowMethods of Cors; browsers refuse it"
    )


def test_a_method_that_is_allowed_is_one_of_a_route() -> None:
    used = {method for _, method, _ in documented()}
    for function in FUNCTIONS:
        assert set(cors(function)["AllowMethods"]) <= used, "template.yaml: AllowMethods of Cors"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_page_of_another_origin_may_send_every_header_that_is_read(function: str) -> None:
    # The module has the content type of bodies, too, which is no header's name.
    names = [one for name, one in vars(headers).items() if name.isupper() and "/" not in one]
    read = {one for one in names if isinstance(one, str)} - {headers.ON_BEHALF_OF}
    read |= {name.lower() for one in OPERATIONS.values() for name in one.headers}
    read |= {"authorization", "content-type"}
    missing = read - set(cors(function)["AllowHeaders"])
    assert not missing, (
        f"template.yaml: add {sorted(missing)} to AllowHeaders of Cors; browsers refuse the call"
    )


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_page_may_not_send_what_only_programs_send(function: str) -> None:
    of_programs = {headers.ON_BEHALF_OF, *headers.KEY_HEADERS}
    assert not of_programs & set(cors(function)["AllowHeaders"])


LIMITS = {"AllowHeaders": (100, 1_024), "AllowMethods": (6, 6), "ExposeHeaders": (100, 1_024)}
"""The most names, and the longest: https://docs.aws.amazon.com/lambda/latest/api/API_Cors.html"""
TRACING: Mapping[str, tuple[str, ...]] = {
    "W3C": ("traceparent", "tracestate", "baggage"),
    "Sentry": ("sentry-trace", "baggage"),
    "Datadog": (
        "x-datadog-trace-id",
        "x-datadog-parent-id",
        "x-datadog-origin",
        "x-datadog-sampling-priority",
        "x-datadog-tags",
    ),
    "AWS": ("x-amzn-trace-id",),
    "Zipkin": ("b3", "x-b3-traceid", "x-b3-spanid", "x-b3-parentspanid", "x-b3-sampled"),
    "Jaeger": ("uber-trace-id",),
    "Application Insights": ("request-id", "request-context"),
    "Elastic": ("elastic-apm-traceparent",),
    "New Relic": ("newrelic", "x-newrelic-id", "x-newrelic-transaction"),
    "Google": ("x-cloud-trace-context",),
    "AppDynamics": ("adrum",),
    "SkyWalking": ("sw8",),
    "Lightstep": ("ot-tracer-sampled", "ot-tracer-spanid", "ot-tracer-traceid"),
    "Dynatrace": ("x-dtc", "x-dtpc", "x-dtreferer"),
    "Instana": ("x-instana-t", "x-instana-s", "x-instana-l"),
    "Honeycomb": ("x-honeycomb-trace",),
    "Alibaba": ("eagleeye-traceid",),
    "own backends": ("x-request-id", "x-correlation-id", "x-trace-id", "x-session-id"),
}
"""What monitoring adds to the calls of a page."""


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("tool", TRACING)
def test_a_page_that_is_monitored_may_call(function: str, tool: str) -> None:
    assert set(TRACING[tool]) <= set(cors(function)["AllowHeaders"])


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("names", LIMITS)
def test_the_names_stay_within_awss_limits(function: str, names: str) -> None:
    listed = cors(function)[names]
    most, longest = LIMITS[names]
    assert len(listed) <= most
    assert max(map(len, listed)) <= longest
    assert len({one.lower() for one in listed}) == len(listed)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_page_can_read_the_challenge_under_either_name(function: str) -> None:
    exposed = set(cors(function)["ExposeHeaders"])
    assert {"www-authenticate", "x-amzn-remapped-www-authenticate", "retry-after"} <= exposed
