"""Answers word for word, as a test gives them to the control API, each to the requests it is for.

``$IMAGE`` in an answer is the drawn picture in base64, and ``$FILE`` is its address here.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from local.simulator.faults import Fault, Outcome, Shows
from local.simulator.spoil import Picture, base64_of
from local.simulator.wire import Answer, Body

IMAGE, FILE = "$IMAGE", "$FILE"
FIELDS = {"status", "headers", "text", "json", "has", "lacks"}
NAME = "script"


@dataclass(frozen=True, slots=True)
class Line:
    """One answer of a script, and which requests get it."""

    text: str
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    has: str = ""
    """What the body of the request contains."""
    lacks: str | None = None
    """What it does not contain."""

    @property
    def draws(self) -> bool:
        """Whether a picture is drawn for it, and billed."""
        return IMAGE in self.text or FILE in self.text

    def fits(self, request: str) -> bool:
        """Return whether the answer is for a request with this body."""
        return self.has in request and (self.lacks is None or self.lacks not in request)


def script_of(lines: object) -> Fault:
    """Return the fault that answers by a script.

    Raises:
        ValueError: it is not a list of answers; the message says what an answer has.
    """
    if not isinstance(lines, list) or not all(isinstance(one, dict) for one in lines):
        raise ValueError("answers must be a list of objects")
    if unknown := sorted({name for one in lines for name in one} - FIELDS):
        raise ValueError(f"unknown fields {unknown!r} of an answer; use {sorted(FIELDS)!r}")
    return Fault(None, Shows.EMPTY, NAME, details={NAME: tuple(map(_line_of, lines))})


def _line_of(given: Mapping[str, Any]) -> Line:
    text = given.get("text", "")
    headers = {"Content-Type": "application/json", **given.get("headers", {})}
    return Line(
        json.dumps(given["json"], ensure_ascii=False) if "json" in given else text,
        given.get("status", 200),
        tuple(headers.items()),
        given.get("has", ""),
        given.get("lacks"),
    )


def chosen(fault: Fault, content: bytes) -> Fault:
    """Return the fault with the one line for this request; without one, it is no fault at all."""
    lines: Sequence[Line] = fault.details.get(NAME, ())
    if not lines:
        return fault
    line = next((one for one in lines if one.fits(content.decode("utf-8", "replace"))), None)
    if line is None:
        return Fault(None, Shows.IMAGE)
    shows = Shows.IMAGE if line.draws else Shows.EMPTY
    outcome = None if line.status == 200 else Outcome.UNAVAILABLE
    return replace(fault, shows=shows, outcome=outcome, details={NAME: (line,)})


def is_scripted(fault: Fault) -> bool:
    """Return whether a fault answers by a script."""
    return NAME in fault.details


def spoken(
    fault: Fault,
    pictures: Sequence[Picture] = (),
    publish: Callable[[Picture], str] = lambda _picture: "",
) -> Answer:
    """Return the chosen answer, with the first picture where the text names it."""
    (line,) = fault.details[NAME]
    text: str = line.text
    if pictures and IMAGE in text:
        text = text.replace(IMAGE, base64_of(pictures[0], fault.spoil))
    if pictures and FILE in text:
        text = text.replace(FILE, publish(pictures[0]))
    headers: Body = dict(line.headers)
    return Answer(line.status, text.encode(), headers.pop("Content-Type"), headers)
