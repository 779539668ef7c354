"""``make key``, ``make keys``, ``make key-rotate`` and ``make key-revoke``: keys for programs.

They read the parameter from which the keys' check is made, and write the stack's table; each change
is in the trail of what operators changed. A key is printed once, when it is made or rotated:
nothing that is stored can be turned back into it.
"""

import argparse
import re
import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import boto3

from imagegen.aws.key_store import DynamoKeyStore
from imagegen.aws.trail_store import DynamoTrailStore
from imagegen.domain.errors import ImagegenError
from imagegen.domain.keys import KeyLine, ProgramKey, is_expired
from imagegen.domain.money import label_text, parse_usd
from imagegen.usecases.admin.keys import RecordedKeys
from imagegen.usecases.admin.trail import Trail
from imagegen.usecases.program_keys import KeyOrder, KeyRing, MadeKey
from operations import accounts
from operations.report import table_of
from operations.tables import table
from operations.user_names import name_key

UNITS: Final[Mapping[str, timedelta]] = {
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
NEVER: Final = "never"
COLUMNS: Final = ("id", "name", "scopes", "day", "month", "images", "state", "until", "made by")


def duration_ms(text: str) -> int:
    """Return a duration such as ``24h``, ``90d`` or ``2w`` in ms; ``0`` is none.

    Raises:
        SystemExit: it is not such a text.
    """
    found = re.fullmatch(r"(\d{1,4})([hdw])", text)
    if text == "0":
        return 0
    if not found:
        raise SystemExit(f"Not a duration such as 24h, 90d or 2w: {text!r}")
    return int(found[1]) * (UNITS[found[2]] // timedelta(milliseconds=1))


def end_ms(text: str, *, now_ms: int) -> int | None:
    """Return the end of a key's time in ms since 1970, of ``90d``, of a day, or of ``never``.

    A day such as 2027-01-31 is the last one, in UTC.

    Raises:
        SystemExit: it is none of these.
    """
    if text == NEVER:
        return None
    if "-" not in text:
        return now_ms + duration_ms(text)
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise SystemExit(f"Not a day such as 2027-01-31, 90d or never: {text!r}") from None
    return int((day + UNITS["d"]).timestamp() * 1000)


def order_of(given: argparse.Namespace, *, now_ms: int) -> KeyOrder:
    """Return what a new key is to be.

    Raises:
        SystemExit: an amount, a number or a time cannot be read.
    """
    scopes = frozenset(filter(None, re.split(r"[,\s]+", given.scopes)))
    return KeyOrder(given.name, scopes, _line(given), end_ms(given.expires, now_ms=now_ms))


def _line(given: argparse.Namespace) -> KeyLine:
    try:
        month = parse_usd(given.month) if given.month else None
        return KeyLine(parse_usd(given.day), month, int(given.images))
    except ValueError as error:
        raise SystemExit(f"DAY and MONTH are dollars, IMAGES is a number: {error}") from None


def printed(made: MadeKey) -> str:
    """Return what is printed of a new key, once."""
    return (
        f"{made.text}\n\nThis is the only time that the key is shown: keep it where the program "
        f"reads its secrets. Its id is {made.key.id} (make keys lists it)."
    )


def listed(keys: Iterable[ProgramKey], *, now_ms: int) -> str:
    """Return the keys as a table for a terminal."""
    return table(COLUMNS, *(_row(key, now_ms=now_ms) for key in keys), texts=len(COLUMNS))


def _row(key: ProgramKey, *, now_ms: int) -> tuple[str, ...]:
    line = key.line
    return (
        key.id,
        key.name,
        ",".join(sorted(key.scopes)),
        label_text(line.daily_microusd),
        "-" if line.monthly_microusd is None else label_text(line.monthly_microusd),
        str(line.daily_images),
        _state(key, now_ms=now_ms),
        "-" if key.expires_ms is None else _moment(key.expires_ms),
        key.made_by,
    )


def _state(key: ProgramKey, *, now_ms: int) -> str:
    if key.revoked_ms is not None:
        return f"revoked {_moment(key.revoked_ms)}"
    if is_expired(key, now_ms=now_ms):
        return "expired"
    if key.earlier and now_ms < key.earlier.until_ms:
        return f"old text until {_moment(key.earlier.until_ms)}"
    return "valid"


def _moment(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")


def done(given: argparse.Namespace, keys: RecordedKeys, who: str) -> str:
    """Carry out one command, and return what it prints.

    Raises:
        SystemExit: what was given cannot be read.
        ImagegenError: the command is not valid, or a store cannot be reached.
    """
    now_ms, why = keys.ring.now_ms(), given.why
    actions: Mapping[str, Callable[[], str]] = {
        "create": lambda: printed(keys.create(order_of(given, now_ms=now_ms), who, why)),
        "list": lambda: listed(keys.ring.all(), now_ms=now_ms),
        "rotate": lambda: printed(
            keys.rotate(given.key, who, overlap_ms=duration_ms(given.overlap), reason=why)
        ),
        "revoke": lambda: (
            f"{keys.revoke(given.key, who, why).id} is refused everywhere within a minute."
        ),
    }
    return actions[given.action]()


def parser() -> argparse.ArgumentParser:
    """Return the parser of the commands."""
    parser = argparse.ArgumentParser(prog="make key", description=__doc__)
    parser.add_argument("action", choices=("create", "list", "rotate", "revoke"))
    parser.add_argument("--stack", required=True)
    for name, default in (("name", ""), ("scopes", "images"), ("day", "10"), ("month", "")):
        parser.add_argument(f"--{name}", default=default)
    for name, default in (("images", "500"), ("expires", "365d"), ("key", ""), ("overlap", "24h")):
        parser.add_argument(f"--{name}", default=default)
    parser.add_argument("--why", default="", help="is kept in the trail")
    return parser


def now_ms() -> int:
    """Return the time in ms since 1970."""
    return time.time_ns() // 1_000_000


def main(arguments: Sequence[str] | None = None) -> None:
    """Carry out one command on a deployed stack."""
    given = parser().parse_args(arguments)
    try:
        print(accounts.run("make key", lambda: carried_out(given)))
    except ImagegenError as error:
        raise SystemExit(str(error)) from None


def carried_out(given: argparse.Namespace) -> str:
    """Return what a command prints."""
    where, dynamodb = accounts.place(), boto3.client("dynamodb")
    name = table_of(boto3.client("cloudformation"), given.stack)
    ring = KeyRing(
        DynamoKeyStore(dynamodb, name),
        lambda: name_key(boto3.client("ssm"), given.stack),
        now_ms,
        secrets.token_bytes,
    )
    trail = Trail(DynamoTrailStore(dynamodb, name), now_ms, lambda: secrets.token_hex(6))
    return done(given, RecordedKeys(ring, trail), where.caller)


if __name__ == "__main__":
    main()
