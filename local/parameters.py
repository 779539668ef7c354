"""Settings by their environment names: read from .env, turned into the template's parameters."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from local.paths import TEMPLATE

AMBIGUOUS: Final = frozenset({"ARCHITECTURE", "LOG_LEVEL"})
"""Set in many a shell for other programs: taken from .env only."""

LINE: Final = re.compile(r"\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*?)\s*")
QUOTED: Final = re.compile(r"""(["'])(.*)\1(?:\s+#.*)?""")


def read_dotenv(path: Path) -> dict[str, str]:
    """Return what a .env file sets to something, by name; nothing where there is no file."""
    lines = path.read_text().splitlines() if path.is_file() else []
    found = {match[1]: unquoted(match[2]) for line in lines if (match := LINE.fullmatch(line))}
    return {name: value for name, value in found.items() if value}


def unquoted(value: str) -> str:
    """Return a value without its quotes, or else without the comment behind it."""
    quoted = QUOTED.fullmatch(value)
    return quoted[2] if quoted else re.sub(r"(^|\s+)#.*", "", value)


def overrides(dotenv: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """Return the template's parameters that .env or the environment sets; the latter wins."""
    outer = {name: value for name, value in environ.items() if name not in AMBIGUOUS and value}
    given = {**dotenv, **outer}
    names = {environment_name(parameter): parameter for parameter in template_parameters()}
    return {parameter: given[name] for name, parameter in names.items() if name in given}


def environment_name(parameter: str) -> str:
    """Return a parameter's name in an environment: ``JwtIssuer`` is ``JWT_ISSUER``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", parameter).upper()


def template_parameters(template: Path = TEMPLATE) -> list[str]:
    """Return the names of the template's parameters."""
    return list(read_template(template)["Parameters"])


def read_template(template: Path = TEMPLATE) -> dict[str, Any]:
    """Return the template, each CloudFormation function as a mapping from its tag."""
    loaded: dict[str, Any] = yaml.load(template.read_text(), Loader=TemplateLoader)  # noqa: S506  a SafeLoader
    return loaded


class TemplateLoader(yaml.CSafeLoader):
    """A safe loader that reads ``!Ref Table`` as ``{"Ref": "Table"}``.

    libyaml's, which takes a tenth of the time of the one written in Python.
    """


def tagged(loader: TemplateLoader, tag: str, node: yaml.Node) -> dict[str, Any]:
    """Return one CloudFormation function."""
    match node:
        case yaml.ScalarNode():
            return {tag: loader.construct_scalar(node)}
        case yaml.SequenceNode():
            return {tag: loader.construct_sequence(node, deep=True)}
        case _:
            raise TypeError(f"!{tag} on a mapping is not used here")


TemplateLoader.add_multi_constructor("!", tagged)
