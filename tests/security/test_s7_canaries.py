"""S7: what must not be known is in no log, no metric and in nobody else's answer.

The real adapters talk to a server that repeats every secret it is sent, in every kind of error.
"""

import ast
import base64
import io
import json
import logging
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any

import pytest
from pydantic import SecretStr

from imagegen import logs
from imagegen.domain.catalog import Tier
from imagegen.domain.errors import ImagegenError
from imagegen.providers import PROVIDERS, build_moderator
from local.paths import ROOT
from tests.adapters.providers.adapters import KEY, build_adapter
from tests.adapters.providers.loopback import Loopback, Reply, ToolUse, Wire, json_reply, serving
from tests.fakes.faults import Fault
from tests.fakes.pictures import png
from tests.security.board import Board
from tests.security.conftest import House

REQUESTS, STEP_MS = 1_000, 400_000
PROMPT = "CANARY-PROMPT a lighthouse"
STYLE = "CANARY-STYLE oil"
BODY = "CANARY-BODY"
SUBJECT = "CANARY-SUBJECT"
HEADER = "CANARY-HEADER"
SIGNED = "https://images.test/"
PICTURE = base64.b64encode(png()).decode()
VENDOR = "CANARY-VENDOR"
NEVER = (KEY, BODY + "-VALUE", SUBJECT, HEADER, VENDOR)
"""What may be in no answer at all, not even to whoever sent it."""


@contextmanager
def captured() -> Iterator[io.StringIO]:
    """Give all that is written: by our logger at its lowest level, by print, by other loggers."""
    out, handler = io.StringIO(), logs.logger.registered_handler
    stream, level = handler.stream, logs.logger.log_level  # type: ignore[attr-defined]
    others = logging.StreamHandler(out)
    logging.getLogger().addHandler(others)
    handler.setStream(out)  # type: ignore[attr-defined]
    logs.logger.setLevel(logging.DEBUG)
    try:
        with redirect_stdout(out), redirect_stderr(out):
            yield out
    finally:
        logging.getLogger().removeHandler(others)
        handler.setStream(stream)  # type: ignore[attr-defined]
        logs.logger.setLevel(level)


class Vendor:
    """A provider that quotes what it is sent in whatever it answers."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.statuses = Counter[int]()

    def __call__(self, asked: ToolUse, wire: Wire) -> Reply | None:
        words = f"{VENDOR} {KEY} {PROMPT} {asked.headers} {asked.body.decode(errors='replace')}"
        kind = self.random.randrange(12)
        if asked.path.endswith("/moderations"):
            return self._verdict(kind, words)
        status = self.random.choice(
            [400, 401, 402, 403, 404, 408, 409, 422, 429, 500, 502, 503, 529]
        )
        self.statuses[status] += 1
        code = self.random.choice(
            [words, "rate_limit_exceeded", "moderation_blocked", "model_not_found"]
        )
        error = {"message": words, "type": words, "code": code, "status": words, "param": words}
        headers = {"X-Request-Id": VENDOR, "Retry-After": words.replace("\n", " ")[:60]}
        if kind == 0:
            wire.reset()
            return None
        if kind == 1:
            return Reply(200, {"Content-Type": "text/html"}, words.encode())
        if kind == 2:
            return json_reply(
                200, {"data": [{"url": f"http://{VENDOR}.test/?sig={KEY}"}], "id": words}
            )
        if kind == 3:
            return json_reply(201, {"id": "p1", "status": "failed", "error": words, "urls": {}})
        if kind in (5, 6, 7):
            self.statuses[200] += 1
            return json_reply(200, {"data": [{"b64_json": PICTURE}], "id": words, "note": words})
        if kind == 4:
            return Reply(302, {"Location": f"http://127.0.0.1/?key={KEY}&p={VENDOR}"})
        return json_reply(status, {"error": error, "title": words, "detail": words}, headers)

    def _verdict(self, kind: int, words: str) -> Reply:
        if kind < 3:
            return json_reply(500, {"error": {"message": words, "code": words}})
        flagged = kind == 3
        return json_reply(
            200, {"results": [{"flagged": flagged, "categories": {"violence": flagged}}]}
        )


@pytest.fixture
def vendor() -> Iterator[tuple[Vendor, Loopback]]:
    with serving() as server:
        server.script = script = Vendor(7)
        yield script, server


def test_no_canary_is_in_a_log_a_metric_or_somebody_elses_answer(
    house: House,
    board: Board,
    vendor: tuple[Vendor, Loopback],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "CANARY-SECRET")
    service, (script, server) = house.service, vendor
    for name in PROVIDERS:
        service.providers[name] = build_adapter(name, server)  # type: ignore[assignment]
    moderator = build_moderator(SecretStr(KEY), f"{server.origin}/v1")
    service.moderator = moderator  # type: ignore[assignment]
    chance, seen = random.Random(70), Counter[int]()
    token, other = house.forge.good(sub=SUBJECT), house.forge.good(sub="other")
    secrets, leaks = {token, *NEVER, PROMPT, STYLE, SIGNED, "CANARY"}, list[str]()
    opened = 0
    # The handler's own clock is the wall's: the service's must not run ahead of it.
    service.clock.advance(-STEP_MS * REQUESTS)
    with captured() as out:
        for number in range(REQUESTS):
            service.clock.advance(STEP_MS)
            if number % 3:  # else a later provider would hardly be asked
                service.circuits.circuits.clear()
            event = next_event(house, chance, token, number, secrets)
            function = event.pop("function")
            if chance.random() < 0.2:
                service.wire.faults = {len(service.wire.calls) + chance.randrange(6): Fault.BEFORE}
            answer = house.functions.invoke(function, event)
            service.wire.faults = {}
            seen[int(answer["statusCode"])] += 1
            opened += SIGNED in str(answer["headers"].get("Location"))
            leaks += [f"{number}: {one}" for one in NEVER if one in json.dumps(answer)]
            if number % 5 == 0:
                bodies = [
                    json.dumps(house.ask(*one, token=other))
                    for one in (
                        ("generate", "GET", "/usage"),
                        ("estimate", "GET", "/models"),
                        ("health", "GET", "/health-check/image-providers"),
                    )
                ]
                leaks += [one[:40] for one in secrets if any(one in body for body in bodies)]
    text = out.getvalue()
    logged = [one[:40] for one in secrets if one in text]
    lines = [json.loads(line) for line in text.splitlines()]
    # A line of metrics has names of its own, and was searched for canaries like every other.
    unknown = {name for line in lines if "_aws" not in line for name in line} - logs.FIELDS
    board.show(
        "S7a",
        ">= 1,000 requests with canaries, every error path: 0 in logs, metrics, others' answers",
        f"{REQUESTS} requests {dict(sorted(seen.items()))}, provider answers of "
        f"{len(script.statuses)} statuses, {len(service.images.objects)} images made, {opened} "
        f"signed addresses given; {len(lines)} lines, {len(secrets)} canaries: "
        f"{len(logged)} logged {logged or ''}, {len(leaks)} in answers {leaks[:3] or ''}",
        passes=not (logged or leaks or unknown)
        and min(opened, len(service.images.objects)) >= 20
        and len(lines) >= REQUESTS / 2
        and len(seen) >= 8,
    )


def next_event(
    house: House, chance: random.Random, token: str, number: int, secrets: set[str]
) -> dict[str, Any]:
    """Return a request that carries canaries somewhere; new secrets are added to ``secrets``."""
    user, service, kind = house.user(SUBJECT), house.service, number % 8
    headers = {"x_custom": HEADER, "user_agent": HEADER, "cookie": f"session={HEADER}"}
    function, method, path, body = (
        "estimate",
        "POST",
        "/estimate",
        {"prompt": PROMPT, "style": STYLE},
    )
    sent: str | None = token
    if kind < 4:
        try:
            tier = chance.choice(list(Tier))
            offer = service.estimate(f"{PROMPT} {number}", user, quality=tier, style=STYLE)
        except ImagegenError:
            service.circuits.circuits.clear()
            offer = service.estimate(f"{PROMPT} {number}", user, style=STYLE)
        secrets |= {offer.quote, offer.quote.split(".")[2], offer.image_id}
        quote = offer.quote if chance.random() < 0.8 else offer.quote[:-2] + "zz"
        function, path = "generate", "/generate-image"
        body = {"quote": quote, "prompt": offer.prompt + BODY * (kind == 3)}
    elif kind == 4:
        body = {
            "prompt": PROMPT,
            BODY: BODY + "-VALUE",
            "size": BODY + "-VALUE",
            "maxCost": BODY + "-VALUE",
        }
    elif kind == 5:
        sent = chance.choice([token[:-5] + "AAAAA", f"{HEADER}.{HEADER}.{HEADER}", token + "x"])
    elif kind == 6:
        stored = [record.quote_id for _, record in service.images.objects.values()]
        known = [one for one in secrets if one[:24] in stored] or [HEADER.lower()]
        path = f"/images/{chance.choice(sorted(known))}?sig={HEADER}"
        function, method = "generate", "GET"
    elif chance.random() < 0.5:
        body = "{" + BODY + "-VALUE"  # type: ignore[assignment]
    event = house.event(method, path, body if method == "POST" else None, token=sent, **headers)
    return {**event, "function": function}


def test_an_exceptions_text_reaches_neither_a_log_nor_an_answer(house: House, board: Board) -> None:
    service, answers = house.service, []
    offer = service.estimate(PROMPT, house.user())
    with captured() as out:
        for error in (RuntimeError(VENDOR), KeyError(VENDOR), ValueError(VENDOR), OSError(VENDOR)):
            for name in service.providers:
                service.react(name, error)
            body = {"quote": offer.quote, "prompt": offer.prompt}
            answers.append(
                house.ask("generate", "POST", "/generate-image", body, token=house.functions.token)
            )
            offer = service.estimate(PROMPT, house.user())
        for other in ("botocore.endpoint", "urllib3.connectionpool", "openai._base_client", "jwt"):
            logging.getLogger(other).warning("%s", VENDOR)
            logging.getLogger(other).debug("%s", VENDOR)
        logs.logger.error({"event": VENDOR})
        logs.logger.error("said", prompt=VENDOR, headers={"authorization": VENDOR}, event=VENDOR)
        try:
            int(VENDOR)
        except ValueError:
            logs.logger.exception("failed")
        logs.logger.info("shape", code=f"Bearer {VENDOR} eyJhbGciOi.{VENDOR} q1.k1.{VENDOR}")
    found = [line for line in out.getvalue().splitlines() if VENDOR in line]
    statuses = [one["statusCode"] for one in answers]
    board.show(
        "S7b",
        "exceptions' texts, other libraries' lines, fields nobody named: dropped by construction",
        f"answers {statuses}; {len(out.getvalue().splitlines())} lines, {len(found)} with a canary",
        passes=not found and statuses == [500] * 4 and VENDOR not in str(answers),
    )


def test_every_line_that_the_code_writes_has_a_fixed_text_and_known_fields(board: Board) -> None:
    sources = [*(ROOT / "layers" / "shared" / "imagegen").rglob("*.py")]
    sources += [*(ROOT / "functions").rglob("*.py")]
    calls = [
        node
        for path in sources
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "logger"
        and node.func.attr in ("debug", "info", "warning", "error", "critical", "exception")
    ]
    loose = [ast.unparse(call) for call in calls if not isinstance(call.args[0], ast.Constant)]
    names = {one.arg for call in calls for one in call.keywords if one.arg}
    board.show(
        "S7c",
        "in the source: every log line's text is a constant, every field is on the list",
        f"{len(calls)} calls, {len(loose)} loose; not on the list: {sorted(names - logs.FIELDS)}",
        passes=len(calls) >= 5 and not loose and names <= logs.FIELDS,
    )
