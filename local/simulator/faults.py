"""The faults of providers, as data; errors of a request and armed faults use the same rows."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from local.simulator.packing import PACKINGS
from local.simulator.wire import Ending


class Outcome(StrEnum):
    """What an adapter must report; the values are those of ``imagegen.domain.outcomes.Outcome``."""

    UNAVAILABLE = "unavailable"
    UNKNOWN = "unknown"
    RATE_LIMITED = "rate_limited"
    ACCOUNT = "account"
    MODEL_GONE = "model_gone"
    REFUSED = "refused"
    BLOCKED = "blocked"
    NO_IMAGE = "no_image"
    BAD_PARAMETER = "bad_parameter"


class Shows(StrEnum):
    """The body that the client receives."""

    ERROR = "error"
    EMPTY = "empty"
    """A success without an image, in the provider's own shape."""
    PAGE = "page"
    IMAGE = "image"


class Spoil(StrEnum):
    """How a drawn image is damaged before it leaves."""

    TEXT = "text"
    TRUNCATED = "truncated"
    HUGE = "huge"
    LARGE = "large"
    HOLE = "hole"
    BLANK = "blank"
    TINY = "tiny"
    SQUARE = "square"
    TRAILING = "trailing"
    NOT_BASE64 = "not_base64"
    URL_SAFE = "url_safe"
    UNPADDED = "unpadded"
    LINES = "lines"
    DATA_URI = "data_uri"
    FILE_MISSING = "file_missing"
    FILE_CUT = "file_cut"
    FILE_REDIRECTS = "file_redirects"
    FILE_ELSEWHERE = "file_elsewhere"
    FILE_LATE = "file_late"
    FILE_FORBIDDEN_FIRST = "file_forbidden_first"
    FILE_OCTETS = "file_octets"
    FILE_UNTYPED = "file_untyped"
    FILE_PACKED = "file_packed"


SPELLINGS = frozenset(
    {Spoil.NOT_BASE64, Spoil.URL_SAFE, Spoil.UNPADDED, Spoil.LINES, Spoil.DATA_URI}
)
"""What is done to base64, and therefore changes inline images only."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One row of a provider's error table. Drawn images are billed, errors are not."""

    outcome: Outcome | None
    """``None`` if the call still succeeds."""
    shows: Shows = Shows.ERROR
    name: str = ""
    status: int = 200
    code: str | None = None
    kind: str | None = None
    """The provider's ``type`` or ``title`` of the error."""
    message: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
    """Fields of this provider alone, which its own file reads."""
    retry_after_seconds: int | None = None
    spoil: Spoil | None = None
    packing: str | None = None
    """How the body is packed, although the client does not accept that."""
    ending: Ending = Ending.SENT
    everywhere: bool = False
    """Also seen by free calls, such as a key check."""

    @property
    def applies(self) -> str:
        """Return which answers it changes: ``always``, or only some.

        These are answers with ``url`` or ``inline``, to requests with ``inputs`` or ``previews``.
        """
        if "only" in self.details:
            return str(self.details["only"])
        if self.spoil in SPELLINGS:
            return "inline"
        return "url" if self.spoil and self.spoil.startswith("file_") else "always"

    @property
    def draws(self) -> bool:
        """Return whether an image is drawn and billed."""
        return self.shows is Shows.IMAGE


class FaultError(Exception):
    """The provider refuses the request itself, with a row of its error table."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.name)
        self.fault = fault


def named(*tables: Mapping[str, Fault]) -> dict[str, Fault]:
    """Return the rows of all tables with their names set; later tables win."""
    return {name: replace(row, name=name) for table in tables for name, row in table.items()}


def outage(status: int, message: str, **more: Any) -> Fault:
    """Return a row for a server that is down: key checks see it too."""
    return Fault(Outcome.UNAVAILABLE, status=status, message=message, everywhere=True, **more)


def gave_up(status: int, message: str) -> Fault:
    """Return a row for a gateway without the provider's answer: the image may have been made."""
    return Fault(Outcome.UNKNOWN, status=status, message=message, everywhere=True)


def firewall(status: int) -> Fault:
    """Return a row for the page of a firewall that stops a request for the words in its prompt."""
    return Fault(Outcome.BLOCKED, Shows.PAGE, status=status)


TRANSPORT = {
    "slow": Fault(None, Shows.IMAGE),
    "timeout": Fault(Outcome.UNKNOWN, ending=Ending.HANG, everywhere=True),
    "cut_before": Fault(Outcome.UNKNOWN, ending=Ending.CUT_BEFORE, everywhere=True),
    "not_json": Fault(Outcome.BLOCKED, Shows.PAGE),
    "empty_200": Fault(Outcome.NO_IMAGE, Shows.EMPTY),
}

FIREWALL = {f"firewall_{status}": firewall(status) for status in (401, 403, 404, 406, 451, 503)}

DRAWN = {
    "cut_during": Fault(Outcome.UNKNOWN, Shows.IMAGE, ending=Ending.CUT_DURING),
    "lost_answer": Fault(Outcome.UNKNOWN, Shows.IMAGE, ending=Ending.HANG),
    "wrong_bytes": Fault(Outcome.UNAVAILABLE, Shows.IMAGE, spoil=Spoil.TEXT),
    "truncated_image": Fault(Outcome.UNAVAILABLE, Shows.IMAGE, spoil=Spoil.TRUNCATED),
    "huge": Fault(Outcome.NO_IMAGE, Shows.IMAGE, spoil=Spoil.HUGE),
    "hole": Fault(Outcome.UNAVAILABLE, Shows.IMAGE, spoil=Spoil.HOLE),
    "blank_image": Fault(Outcome.NO_IMAGE, Shows.IMAGE, spoil=Spoil.BLANK),
    # Smaller than anything that is sold.
    "tiny_image": Fault(Outcome.NO_IMAGE, Shows.IMAGE, spoil=Spoil.TINY),
    # Whatever was ordered, a square of 1024 pixels arrives.
    "square_image": Fault(None, Shows.IMAGE, spoil=Spoil.SQUARE),
    "trailing_bytes": Fault(None, Shows.IMAGE, spoil=Spoil.TRAILING),
    "large_file": Fault(None, Shows.IMAGE, spoil=Spoil.LARGE),
    **{
        f"packed_{name.replace('-', '_')}": Fault(None, Shows.IMAGE, packing=name)
        for name in PACKINGS
        if name != "unknown"
    },
    "packed_unknown": Fault(Outcome.UNAVAILABLE, Shows.IMAGE, packing="unknown"),
}

INLINE = {
    "not_base64": Fault(Outcome.UNAVAILABLE, Shows.IMAGE, spoil=Spoil.NOT_BASE64),
    "base64_url_safe": Fault(None, Shows.IMAGE, spoil=Spoil.URL_SAFE),
    "base64_unpadded": Fault(None, Shows.IMAGE, spoil=Spoil.UNPADDED),
    "base64_lines": Fault(None, Shows.IMAGE, spoil=Spoil.LINES),
    "base64_data_uri": Fault(None, Shows.IMAGE, spoil=Spoil.DATA_URI),
}

FILES = {
    "file_missing": Fault(Outcome.UNAVAILABLE, Shows.IMAGE, spoil=Spoil.FILE_MISSING),
    # As for ``cut_during``: the image was made and billed, and its download broke off.
    "file_cut": Fault(Outcome.UNKNOWN, Shows.IMAGE, spoil=Spoil.FILE_CUT),
    "file_redirects": Fault(Outcome.UNAVAILABLE, Shows.IMAGE, spoil=Spoil.FILE_REDIRECTS),
    "file_elsewhere": Fault(Outcome.UNAVAILABLE, Shows.IMAGE, spoil=Spoil.FILE_ELSEWHERE),
    # The first request for the file is too early.
    "file_late": Fault(None, Shows.IMAGE, spoil=Spoil.FILE_LATE),
    "file_forbidden_first": Fault(None, Shows.IMAGE, spoil=Spoil.FILE_FORBIDDEN_FIRST),
    "file_octets": Fault(None, Shows.IMAGE, spoil=Spoil.FILE_OCTETS),
    "file_untyped": Fault(None, Shows.IMAGE, spoil=Spoil.FILE_UNTYPED),
    "file_packed": Fault(None, Shows.IMAGE, spoil=Spoil.FILE_PACKED),
}

# Cloudflare's 52x and the statuses of gateways, which may come from in front of the provider.
OUTAGES = {
    "server_error": outage(500, "The server had an error while processing your request."),
    "bad_gateway": outage(502, "Bad gateway."),
    "overloaded": outage(503, "The engine is currently overloaded, please try again later."),
    "gateway_timeout": gave_up(504, "The gateway timed out."),
    "error_520": gave_up(520, "The web server returned an unknown error."),
    "error_524": gave_up(524, "A timeout occurred at the origin."),
    "error_529": outage(529, "The service is overloaded."),
}

COMMON = TRANSPORT | FIREWALL | OUTAGES | DRAWN
"""Those of every provider of images."""
