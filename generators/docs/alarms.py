"""The table of all alarms and their texts, from ``generators/monitoring``."""

from typing import Final

from generators.docs.blocks import code, table
from generators.monitoring.alarm import Alarm
from generators.monitoring.alarms import alarms
from generators.monitoring.queries import FUNCTIONS

FUNCTION: Final = "FUNCTION"


def made() -> dict[str, str]:
    """Return the parts of docs/operate.md by name."""
    listed = alarms(dict.fromkeys(FUNCTIONS, "timeout"))
    first = next(iter(FUNCTIONS))
    shown = [one for one in listed if _function(one) in ("", first)]
    rows = ((code(_name(one)), _when(one), _general(one, _plain(one.why))) for one in shown)
    named = ", ".join(code(name) for name in FUNCTIONS)
    return {
        "alarms": (
            f"{FUNCTION} is one of {named}. Each name begins with the stack's name.\n\n"
            + table(("alarm", "goes off when", "its text"), rows)
        ),
    }


def _function(alarm: Alarm) -> str:
    """Return the function of an alarm that exists for every function, else an empty text."""
    kinds = ("errors", "answers", "throttles", "slow")
    function, _, kind = alarm.name.partition("-")
    return function if function in FUNCTIONS and kind in kinds else ""


def _name(alarm: Alarm) -> str:
    return _general(alarm, alarm.name)


def _general(alarm: Alarm, text: str) -> str:
    function = _function(alarm)
    return text.replace(function, FUNCTION) if function else text


def _plain(text: str) -> str:
    """Return text in which Markdown finds no HTML tag."""
    return text.replace("<", "&lt;")


def _when(alarm: Alarm) -> str:
    seconds = max(one.period_seconds for one in alarm.queries.values())
    spans = {60: "minute", 300: "5 minutes", 1800: "half an hour", 3600: "hour", 86400: "day"}
    watched = alarm.expression or f"{next(iter(alarm.queries))}"
    signs = {"GreaterThanThreshold": ">", "LessThanThreshold": "<"}
    sign = signs.get(alarm.comparison, "<=")
    rule = _general(alarm, f"{watched} {sign} {alarm.threshold}")
    of = f", {alarm.needed} of {alarm.periods}" if alarm.periods > 1 else ""
    return f"{code(rule)} (each {spans[seconds]}{of})"
