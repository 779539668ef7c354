"""A setting is in four places: group, parameter, variable, field. A test names the missing one.

``local.parameters.environment_name`` makes the variable's name of the parameter's.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from importlib import import_module
from inspect import get_annotations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from generators.sources import nodes
from imagegen.domain.budgets import ORGANISATION, Level
from imagegen.domain.ledger import Limits
from imagegen.providers import PROVIDERS, base_url_name, region_name
from imagegen.settings import MoneySettings, Settings
from imagegen.site import PageSettings
from imagegen.usecases.generate.run import SETTLE_MARGIN_MS
from local.parameters import environment_name, read_template
from local.paths import ROOT
from tests.fakes.catalogs import real_catalog
from tests.fakes.service import PRODUCT_LIMITS, Service

TEMPLATE = read_template()
PARAMETERS: Mapping[str, Mapping[str, Any]] = TEMPLATE["Parameters"]
EVERYWHERE: Mapping[str, Any] = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]
FUNCTIONS: Mapping[str, Mapping[str, Any]] = {
    resource["Properties"]["CodeUri"].rpartition("/")[2]: resource["Properties"]
    for resource in TEMPLATE["Resources"].values()
    if resource["Type"] == "AWS::Serverless::Function"
}
PAGE = "page"
API_FUNCTIONS = sorted(FUNCTIONS.keys() - {PAGE})
SETTINGS = "layers/shared/imagegen/settings.py"
FIXED = {"TABLE_NAME": "t", "PARAMETERS_PATH": "/p", "BUCKET_NAME": "b"}
"""Variables without a default: the stack's own names."""
NUMBER = "Number"

USED_BY_RESOURCES: Mapping[str, str] = {
    "AlarmEmail": "the subscription of the stack's own topic",
    "AlarmHourlyLlmTokens": "the threshold of an alarm",
    "AdminConcurrency": "Lambda reserves it",
    "AlarmHourlySpendUsd": "the threshold of an alarm",
    "AlarmTopicArn": "the topic of the alarms",
    "AllowedOrigins": "the function URLs answer preflights",
    "Architecture": "the processor of the functions",
    "ChatStreaming": "how the chat's URL answers, and which runtime client runs",
    "EstimateConcurrency": "Lambda reserves it",
    "ExistingBucketName": "a bucket of an earlier stack instead of a new one",
    "ExistingTableName": "a table of an earlier stack instead of a new one",
    "GenerateConcurrency": "Lambda reserves it",
    "GenerateTimeoutSeconds": "Lambda ends the run; the code asks Lambda what is left",
    "HealthConcurrency": "Lambda reserves it",
    "LogRetentionDays": "the log groups",
    "PageConcurrency": "Lambda reserves it",
    "PermissionsBoundary": "the roles",
    "Release": "SAM publishes new versions",
    "RolePath": "the roles",
    "SnapStart": "Lambda starts the functions from a snapshot",
    "UrlAuthType": "the function URLs check signatures",
}
"""Parameters that no function reads, and what they are for."""

READ_BY_LIBRARIES: Mapping[str, str] = {
    "POWERTOOLS_SERVICE_NAME": "Powertools' logger",
    "PYTHONWARNINGS": "Python",
    "AWS_LAMBDA_EXEC_WRAPPER": "Lambda",
}
"""Variables that none of our code reads, and who does."""

SET_BY_NO_TEMPLATE: Mapping[str, str] = {
    "AWS_ENDPOINT_URL": "the local stack sets it; AWS has none",
    "AWS_LAMBDA_FUNCTION_NAME": "Lambda sets it",
    "AWS_REGION": "Lambda sets it",
    **{base_url_name(one): "who calls a handler without a template" for one in PROVIDERS},
}
"""Variables that the code reads and the template does not set, and who does."""

NO_PROVIDER_IS_CALLED = frozenset({"estimate", "chat", "admin"})
"""Functions that call no image provider, so that none has a stand-in there."""

BY_PROVIDER = frozenset({"base_urls", "regions", "role_arns"})
"""Fields that are made of several variables, or of one with another name."""

OTHER_DEFAULTS: Mapping[str, str] = {
    "JWT_AUDIENCE": "without the variable nobody is let in, as without an issuer",
}
"""Fields whose default is not the parameter's on purpose, and why."""


class Recorded(dict[str, str]):
    """An environment that remembers which of its names were asked for."""

    def __init__(self, *given: Mapping[str, str]) -> None:
        super().__init__(*given)
        self.asked = set[str]()

    def get(self, name: str, default: Any = None) -> Any:
        self.asked.add(name)
        return super().get(name, default)


def variables_of(function: str) -> Mapping[str, Any]:
    """Return what the template sets for a function, by name."""
    return {**EVERYWHERE, **FUNCTIONS[function]["Environment"]["Variables"]}


def settings_of(function: str) -> type[Settings]:
    """Return the class that a function's service takes its settings from."""
    module = import_module(f"imagegen.bootstrap.{function}")
    service = getattr(module, f"{function.capitalize()}Service")
    found: type[Settings] = get_annotations(service)["settings"]
    return found


def read_by(function: str) -> set[str]:
    """Return the variables that a function's settings read."""
    environ = Recorded(FIXED)
    if function == PAGE:
        PageSettings.from_env(environ)
        return environ.asked
    kind = settings_of(function)
    kind.from_env(environ)
    regions = {region_name(name) for name, about in PROVIDERS.items() if about.region}
    # Whether there is a provider without keys is part of every offer, where it is called is not.
    asked = regions if function in NO_PROVIDER_IS_CALLED else environ.asked
    return asked | {name.upper() for name in kind.model_fields if name not in BY_PROVIDER}


def parameters_of(function: str) -> dict[str, str]:
    """Return a function's variables that are a parameter as it is, with the parameter's name."""
    return {
        variable: value["Ref"]
        for variable, value in variables_of(function).items()
        if isinstance(value, dict) and value.get("Ref") in PARAMETERS
    }


def refs(node: Any) -> Iterator[str]:
    """Yield what a part of the template refers to, by Ref."""
    match node:
        case {"Ref": str(name)}:
            yield name
        case dict():
            for one in node.values():
                yield from refs(one)
        case list():
            for one in node:
                yield from refs(one)


def fields_set() -> list[tuple[str, str, str]]:
    """Return each function's fields that a parameter sets: function, variable, parameter."""
    return [
        (function, variable, parameter)
        for function in API_FUNCTIONS
        for variable, parameter in parameters_of(function).items()
        if variable.lower() in settings_of(function).model_fields
    ]


every_function = pytest.mark.parametrize("function", sorted(FUNCTIONS))
every_field = pytest.mark.parametrize(("function", "variable", "parameter"), fields_set())
every_parameter = pytest.mark.parametrize("parameter", sorted(PARAMETERS))


# Parameters.


@every_parameter
def test_a_parameter_reaches_a_function_or_a_resource(parameter: str) -> None:
    readers = [one for one in FUNCTIONS if parameter in parameters_of(one).values()]
    assert bool(readers) != (parameter in USED_BY_RESOURCES), (
        f"template.yaml: {parameter} is a variable of {readers or 'no function'}. Put "
        f"`{environment_name(parameter)}: !Ref {parameter}` below Environment of each function "
        f"that reads it; list it in USED_BY_RESOURCES of {__name__} only if none does"
    )
    rest = {name: one for name, one in TEMPLATE.items() if name not in ("Parameters", "Metadata")}
    conditions = str(TEMPLATE["Conditions"])
    used = parameter in refs(rest) or f"'{parameter}'" in conditions
    assert used, f"template.yaml: nothing refers to {parameter}"


def test_what_no_function_reads_is_a_parameter() -> None:
    assert USED_BY_RESOURCES.keys() <= PARAMETERS.keys()


@every_parameter
def test_a_parameter_is_in_one_group(parameter: str) -> None:
    groups = TEMPLATE["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    holders = [one["Label"]["default"] for one in groups if parameter in one["Parameters"]]
    assert len(holders) == 1, (
        f"template.yaml: list {parameter} in one entry of ParameterGroups (now in {holders}); "
        "the console and docs/configuration.md are ordered by them"
    )


def test_a_group_lists_parameters_that_are_there() -> None:
    groups = TEMPLATE["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    listed = {name for group in groups for name in group["Parameters"]}
    assert not listed - PARAMETERS.keys(), "take them out of ParameterGroups in template.yaml"


# Variables and fields.


@every_function
def test_every_setting_of_a_function_is_set_by_the_template(function: str) -> None:
    missing = read_by(function) - variables_of(function).keys() - SET_BY_NO_TEMPLATE.keys()
    assert not missing, (
        f"{function} reads {sorted(missing)}, which template.yaml does not set for it, so that "
        "the default of the class is all it ever has. Set it below Environment of the function, "
        f"or move the field of {SETTINGS} to the class of the functions that need it"
    )


@every_function
def test_every_variable_of_a_function_is_read_by_it(function: str) -> None:
    own = FUNCTIONS[function]["Environment"]["Variables"].keys()
    unread = own - read_by(function) - READ_BY_LIBRARIES.keys()
    assert not unread, (
        f"template.yaml sets {sorted(unread)} for {function}, which does not read it: add the "
        f"field to its class in {SETTINGS} (`page`: PageSettings in site), or drop the variable"
    )


def test_every_variable_of_all_functions_is_read_by_one() -> None:
    read = set[str]().union(*map(read_by, FUNCTIONS))
    unread = EVERYWHERE.keys() - read - READ_BY_LIBRARIES.keys()
    assert not unread, f"no field of {SETTINGS} reads {sorted(unread)} of Globals in template.yaml"


def test_every_field_is_used() -> None:
    used = {
        node.attr
        for folder in ("layers/shared/imagegen", "functions")
        for path in (ROOT / folder).rglob("*.py")
        for node in nodes(path)
        if isinstance(node, ast.Attribute)
        and ast.unparse(node.value).rpartition(".")[2] in ("settings", "get_settings()", "self")
        and (path == ROOT / SETTINGS or ast.unparse(node.value) != "self")
    }
    for function in API_FUNCTIONS:
        unused = settings_of(function).model_fields.keys() - used
        assert not unused, f"{SETTINGS}: no code takes {sorted(unused)} from the settings"


def test_every_limit_of_a_user_is_a_setting() -> None:
    """A field of ``Limits`` that the settings do not hand on keeps its default for ever."""
    default = MoneySettings.from_env(FIXED)
    assert default.limits == Limits(), f"{SETTINGS} and domain/ledger.py have other defaults"
    assert Service().functions.limits() == PRODUCT_LIMITS, f"{SETTINGS}: other defaults than fakes"
    numbers = (one for one in MoneySettings.model_fields if one not in Settings.model_fields)
    changed = {name: (getattr(default, name) or 0) + 1 for name in numbers}
    limits = default.model_copy(update=changed).limits
    own = (one for one in fields(Limits) if one.name != "levels")
    fixed = {one.name for one in own if getattr(limits, one.name) == one.default}
    assert not fixed, f"{SETTINGS}: MoneySettings.limits does not set {sorted(fixed)}"


def test_the_fakes_hand_every_limit_on() -> None:
    numbers = (one.name for one in fields(Limits) if one.name != "levels")
    changed = {name: (getattr(Limits(), name) or 0) + 1 for name in numbers}
    limits = Limits(**changed, levels=(Level(ORGANISATION, 2, 3),))
    assert Service(limits=limits).functions.limits() == limits, (
        "tests/fakes/service.py: give AllSettings each limit, or no test can set it"
    )


def test_what_is_excepted_is_needed() -> None:
    set_somewhere = set[str]().union(*(variables_of(one).keys() for one in FUNCTIONS))
    read = set[str]().union(*map(read_by, FUNCTIONS))
    assert not SET_BY_NO_TEMPLATE.keys() & set_somewhere
    assert SET_BY_NO_TEMPLATE.keys() <= read
    assert READ_BY_LIBRARIES.keys() <= set_somewhere - read
    assert OTHER_DEFAULTS.keys() <= {variable for _, variable, _ in fields_set()}


# Defaults and bounds.


def with_value(function: str, variable: str, value: object) -> Any:
    """Return what a field is if its variable is a value of the parameter.

    Raises:
        pydantic.ValidationError: the class does not take the value.
    """
    text = "" if value is None else str(value)
    # Some fields are taken on a local stack only.
    local = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}
    settings = settings_of(function).from_env({**FIXED, **local, variable: text})
    return getattr(settings, variable.lower())


@every_field
def test_a_field_has_the_default_of_its_parameter(
    function: str, variable: str, parameter: str
) -> None:
    given = with_value(function, variable, PARAMETERS[parameter].get("Default"))
    own = settings_of(function).model_fields[variable.lower()].default
    assert (given == own) != (variable in OTHER_DEFAULTS), (
        f"{variable} is {own!r} by its class in {SETTINGS} and {given!r} by {parameter} in "
        "template.yaml: give both the same default"
    )


def test_the_page_has_the_defaults_of_its_parameters() -> None:
    defaults = {
        variable: str(PARAMETERS[parameter]["Default"])
        for variable, parameter in parameters_of(PAGE).items()
    }
    assert PageSettings.from_env(defaults) == PageSettings.from_env({}), (
        "site and template.yaml have other defaults"
    )


@every_field
def test_a_field_takes_what_its_parameter_takes_and_no_more(
    function: str, variable: str, parameter: str
) -> None:
    about = PARAMETERS[parameter]
    least, most = about.get("MinValue"), about.get("MaxValue")
    inside = [*about.get("AllowedValues", []), *(one for one in (least, most) if one is not None)]
    outside = [least - 1] if least is not None and about["Type"] == NUMBER else []
    outside += [most + 1] if most is not None else []
    assert [value for value in inside if not takes(function, variable, value)] == [], (
        f"template.yaml lets {parameter} be these, and {variable} in {SETTINGS} does not"
    )
    assert [value for value in outside if takes(function, variable, value)] == [], (
        f"template.yaml does not let {parameter} be these: give {variable} the bounds in {SETTINGS}"
    )


def takes(function: str, variable: str, value: object) -> bool:
    """Return whether the class takes a value."""
    try:
        with_value(function, variable, value)
    except ValidationError:
        return False
    return True


def test_a_setting_of_the_functions_is_read_in_their_settings_alone() -> None:
    """A variable that other code reads by itself would be none of the tests above."""
    permitted = {
        "layers/shared/imagegen/aws/clients.py": "AWS_ENDPOINT_URL: https on AWS, not on loopback",
        "layers/shared/imagegen/bootstrap/__init__.py": "whether Lambda is starting it",
        "layers/shared/imagegen/bootstrap/service.py": "whether Lambda is starting it",
        "layers/shared/imagegen/providers/instance_file.py": "the file of instances, in a checkout",
        "layers/shared/imagegen/runtime/invocations.py": "what Lambda says of the function",
        "layers/shared/imagegen/runtime/loop.py": "where Lambda's Runtime API is",
    }
    readers = {
        str(path.relative_to(ROOT))
        for folder in ("layers/shared/imagegen", "functions")
        for path in (ROOT / folder).rglob("*.py")
        if reads_environment(path)
    }
    assert readers == set(permitted), f"read it through a field of {SETTINGS}"


def reads_environment(path: Path) -> bool:
    """Whether code takes a value out of ``os.environ``; to hand it on whole is none."""
    whole = {
        id(argument)
        for node in nodes(path)
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".from_env")
        for argument in node.args
    }
    return any(
        isinstance(node, ast.Attribute)
        and id(node) not in whole
        and ast.unparse(node) in ("os.environ", "os.getenv")
        for node in nodes(path)
    )


# What the template lets through, the functions can work with.


@pytest.mark.parametrize(
    "text", ["0", "0.5", "0.999", "00", "01", "1000", "1.0000", "-1", "", "1e3"]
)
def test_a_fallback_multiple_below_one_is_refused_by_the_template(text: str) -> None:
    assert not re.fullmatch(PARAMETERS["FallbackPriceMultiple"]["AllowedPattern"], text)


@given(st.from_regex(PARAMETERS["FallbackPriceMultiple"]["AllowedPattern"], fullmatch=True))
def test_the_functions_start_with_every_fallback_multiple_that_the_template_accepts(
    text: str,
) -> None:
    settings = MoneySettings.from_env(FIXED | {"FALLBACK_PRICE_MULTIPLE": text})
    assert settings.fallback_price_multiple >= 1


def test_the_shortest_time_out_leaves_the_slowest_model_its_usual_time() -> None:
    slowest = max(row.typical_seconds for row in real_catalog().models)
    shortest = PARAMETERS["GenerateTimeoutSeconds"]["MinValue"]
    assert shortest * 1000 >= SETTLE_MARGIN_MS + slowest * 1000


@pytest.mark.parametrize(
    ("text", "is_good"),
    [
        ("", True),
        ("arn:aws:sns:eu-central-1:123456789012:on-call", True),
        ("arn:aws-us-gov:sns:us-gov-west-1:123456789012:On_Call.fifo", True),
        ("nonsense", False),
        ("on-call", False),
        ("arn:aws:sqs:eu-central-1:123456789012:on-call", False),
        ("arn:aws:sns:eu-central-1:1234:on-call", False),
        ("arn:aws:sns:eu-central-1:123456789012:on-call:3f1b", False),
        ("arn:aws:sns:eu-central-1:123456789012:on call", False),
    ],
)
def test_an_alarm_topic_that_cannot_be_one_is_refused_before_anything_is_made(
    text: str,
    is_good: bool,  # noqa: FBT001 a case
) -> None:
    assert bool(re.fullmatch(PARAMETERS["AlarmTopicArn"]["AllowedPattern"], text)) == is_good
