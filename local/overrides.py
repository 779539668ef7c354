"""Turns the settings of .env and of a shell into the template's parameters."""

from collections.abc import Mapping
from typing import Final

from imagegen.providers import STAND_INS, stand_ins_in
from local.parameters import (
    CLEAR,
    RELEASE,
    default_of,
    environment_name,
    set_values,
    template_parameters,
)

AMBIGUOUS: Final = frozenset({"ARCHITECTURE", "LOG_LEVEL"})
"""Many shells set these for other programs, so they are read only from .env."""


def overrides(dotenv: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """Return the template parameters that .env or the environment sets; the environment wins."""
    outer = {name: value for name, value in environ.items() if name not in AMBIGUOUS and value}
    given = {**dotenv, **outer}
    if stand_ins := stand_ins_in(set_values(given)):
        given[STAND_INS] = stand_ins
    # The deploy commands compute the release.
    settable = (one for one in template_parameters() if one != RELEASE)
    names = {environment_name(parameter): parameter for parameter in settable}
    found = {parameter: given[name] for name, parameter in names.items() if name in given}
    return {name: default_of(name) if one == CLEAR else one for name, one in found.items()}
