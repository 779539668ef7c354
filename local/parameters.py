"""Reads settings by their environment names and turns them into the template's parameters."""

import json
import re
from collections.abc import Mapping
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from local.paths import TEMPLATE

RELEASE: Final = "Release"
CLEAR: Final = "-"
"""In .env, this value clears a setting; a missing or empty line leaves it as it is."""

INCLUDE: Final = "Fn::Transform"
SHORT_ONLY: Final = frozenset({"Ref", "Condition"})
"""The two CloudFormation functions whose long form has no ``Fn::``."""

LINE: Final = re.compile(r"\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*?)\s*")
QUOTED: Final = re.compile(r"""(["'])(.*)\1(?:\s+#.*)?""")


def read_dotenv(path: Path) -> dict[str, str]:
    """Return the values of a .env file by name, without empty ones; none if there is no file."""
    lines = path.read_text().splitlines() if path.is_file() else []
    found = {match[1]: unquoted(match[2]) for line in lines if (match := LINE.fullmatch(line))}
    return {name: value for name, value in found.items() if value}


def set_values(dotenv: Mapping[str, str]) -> dict[str, str]:
    """Return the settings of .env without those that it clears."""
    return {name: value for name, value in dotenv.items() if value != CLEAR}


def unquoted(value: str) -> str:
    """Return a quoted value without its quotes, and any other without the comment behind it."""
    quoted = QUOTED.fullmatch(value)
    return quoted[2] if quoted else re.sub(r"(^|\s+)#.*", "", value)


def default_of(parameter: str) -> str:
    """Return a parameter's default, which clears it."""
    return str(read_bare_template()["Parameters"][parameter].get("Default", ""))


def environment_name(parameter: str) -> str:
    """Return a parameter's environment name: ``JWT_ISSUER`` for ``JwtIssuer``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", parameter).upper()


def pairs_text(pairs: Mapping[str, str]) -> str:
    """Return ``name=target,name=target``, the form of a parameter with several values."""
    return ",".join(f"{name}={target}" for name, target in pairs.items())


def template_parameters(template: Path = TEMPLATE) -> list[str]:
    """Return the names of the template's parameters."""
    return list(read_bare_template(template)["Parameters"])


def read_template(template: Path = TEMPLATE) -> dict[str, Any]:
    """Return the template as CloudFormation expands it, with the included file's resources.

    Raises:
        ValueError: a resource is in both the template and the included file; CloudFormation would
            refuse the change set.
    """
    found = read_bare_template(template)
    resources = found["Resources"]
    location = resources.pop(INCLUDE)["Parameters"]["Location"]
    included: dict[str, Any] = json.loads((template.parent / location).read_text())
    if twice := sorted(resources.keys() & included.keys()):
        raise ValueError(f"{location} repeats resources of {template.name}: {twice}")
    return {**found, "Resources": {**resources, **included}}


def read_bare_template(template: Path = TEMPLATE) -> dict[str, Any]:
    """Return the template without the included file, with CloudFormation functions in long form."""
    return deepcopy(_parsed(template.read_text()))


@cache
def _parsed(text: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load(text, Loader=TemplateLoader)  # noqa: S506  a SafeLoader
    return loaded


class TemplateLoader(yaml.CSafeLoader):
    """A safe loader that reads ``!Sub text`` as ``{"Fn::Sub": "text"}``.

    It is libyaml's, which takes a tenth of the time of the one written in Python.
    """


def tagged(loader: TemplateLoader, tag: str, node: yaml.Node) -> dict[str, Any]:
    """Return one CloudFormation function in its long form, the form of JSON templates."""
    name = tag if tag in SHORT_ONLY else f"Fn::{tag}"
    match node:
        case yaml.ScalarNode(value=value) if tag == "GetAtt":
            return {name: value.split(".", 1)}
        case yaml.ScalarNode():
            return {name: loader.construct_scalar(node)}
        case yaml.SequenceNode():
            return {name: loader.construct_sequence(node, deep=True)}
        case _:
            raise TypeError(f"!{tag} on a mapping is not supported here")


TemplateLoader.add_multi_constructor("!", tagged)
