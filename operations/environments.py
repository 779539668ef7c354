"""The size of the functions' environment variables, of which AWS takes 4 KB for each function.

AWS measures them as JSON with names and values, and refuses more only after it has begun to change
the stack. (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html)
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from local.parameters import default_of, read_bare_template, template_parameters
from operations.accounts import AccountError

MOST_BYTES: Final = 4096
MADE_NAME: Final = 12
"""Characters that CloudFormation puts behind the name of what it makes, and a dash before them."""
URL_ID: Final = 32
SUFFIX: Final = "amazonaws.com"
NAMED_AT_MOST: Final = 3
"""Settings that the refusal names: those that have the most bytes."""
_PLACE: Final = re.compile(r"\$\{([^}]+)\}")


@dataclass(frozen=True, slots=True)
class Stack:
    """What the template's values become in a stack."""

    name: str
    region: str
    parameters: Mapping[str, str]

    def value(self, given: Any) -> str | None:
        """Return a value of the template, at its longest; ``None`` where there is none."""
        if not isinstance(given, Mapping):
            return str(given)
        ((function, asked),) = given.items()
        match function:
            case "Ref":
                return self._named(asked)
            case "Fn::GetAtt":
                return f"https://{'x' * URL_ID}.lambda-url.{self.region}.on.aws/"
            case "Fn::Join":
                return self.value(asked[1])
            case "Fn::If":
                found = (self.value(one) for one in asked[1:])
                return max((one for one in found if one is not None), key=len)
            case "Fn::Sub":
                return self._filled(asked)
        raise ValueError(f"the size of {function} in a variable is not known")

    def _named(self, name: str) -> str | None:
        if name == "AWS::NoValue":
            return None
        pseudo = {"AWS::StackName": self.name, "AWS::Region": self.region, "AWS::URLSuffix": SUFFIX}
        made = f"{self.name}-{name}-{'x' * MADE_NAME}"
        return {**pseudo, **self.parameters}.get(name, made)

    def _filled(self, asked: Any) -> str:
        text, values = (asked, {}) if isinstance(asked, str) else asked
        return _PLACE.sub(
            lambda found: self.value(values.get(found[1], {"Ref": found[1]})) or "", text
        )


def variables(stack: Stack) -> dict[str, dict[str, str]]:
    """Return each function's environment variables, by the function's name in the template."""
    template = read_bare_template()
    shared = template["Globals"]["Function"]["Environment"]["Variables"]
    found = {}
    for name, resource in template["Resources"].items():
        if resource.get("Type") == "AWS::Serverless::Function":
            own = resource["Properties"].get("Environment", {}).get("Variables", {})
            values = ((one, stack.value(given)) for one, given in {**shared, **own}.items())
            found[name] = {one: value for one, value in values if value is not None}
    return found


def size(environment: Mapping[str, str]) -> int:
    """Return the bytes of environment variables as AWS measures them."""
    return len(json.dumps(environment, ensure_ascii=False, separators=(",", ":")).encode())


def check(name: str, region: str, parameters: Mapping[str, str]) -> None:
    """Raise if a function of the stack ``name`` would have more variables than AWS takes.

    Raises:
        AccountError: it names the function and its longest settings.
    """
    whole = {one: default_of(one) for one in template_parameters()} | dict(parameters)
    function, largest = max(
        variables(Stack(name, region, whole)).items(), key=lambda one: size(one[1])
    )
    if (total := size(largest)) <= MOST_BYTES:
        return
    longest = sorted(largest, key=lambda one: -len(largest[one].encode()))[:NAMED_AT_MOST]
    raise AccountError(
        f"The environment variables of {function} would have {total} bytes, and AWS takes "
        f"{MOST_BYTES}: shorten the longest settings, which are "
        f"{', '.join(f'{one} ({len(largest[one].encode())} bytes)' for one in longest)}."
    )
