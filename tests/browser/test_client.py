"""client.js against a service that loses replies, answers late and cuts its streams anywhere."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, Route

from tests.browser.stage import SERVICE, Gallery, OpenGallery, look_until, read_fixture

IMAGE = read_fixture("complete")["data"]["image"]
PROBLEM = read_fixture("error")["data"]["problem"]
RUNNING = {
    "id": IMAGE["id"], "status": "generating", "startedAt": "2026-11-22T10:00:07.000Z",
    "typicalSeconds": 40, "charged": False,
}  # fmt: skip
UNKNOWN = PROBLEM | {"status": 404, "code": "not_found"}
CORS = {
    "access-control-allow-origin": "*",
    "access-control-allow-headers": "authorization, content-type",
    "access-control-expose-headers": "retry-after",
}
START = f"""async (token) => {{
  // How many requests are under way; an answer is there as a whole, so that it is read at once.
  const {{ fetch }} = window;
  window.waiting = 0;
  window.fetch = async (...given) => {{
    waiting += 1;
    try {{
      const answer = await fetch(...given), text = await answer.text();
      const {{ status, headers }} = answer;
      const json = async () => JSON.parse(text);
      return Object.assign(new Response(text, {{ status, headers }}), {{ json }});
    }} finally {{
      waiting -= 1;
    }}
  }};
  const {{ createClient }} = await import("/client.js");
  // It is loaded with the first request; here no time passes for that.
  await import("/client-run.js");
  const url = "{SERVICE}";
  const urls = {{ estimateUrl: url, generateUrl: url + "/", healthUrl: url, chatUrl: url }};
  window.api = createClient({{ ...urls, token: token ?? (async () => "a-token") }});
  window.outcome = (promise) => promise.then((value) => ({{ value }}),
    (error) => ({{ name: error.name, problem: error.problem ?? null }}));
}}"""


class Service:
    """Answers in turn what a test lines up; an empty line is a lost reply."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.seen: list[tuple[str, str, str | None, str | None]] = []
        self.answers: dict[str, list[Callable[[Route], None]]] = {}
        page.route(f"{SERVICE}/**", self.answer)

    def line_up(self, path: str, *answers: Callable[[Route], None]) -> None:
        self.answers.setdefault(path, []).extend(answers)

    def answer(self, route: Route) -> None:
        request = route.request
        path = request.url.removeprefix(SERVICE)
        if request.method == "OPTIONS":
            route.fulfill(status=204, headers=CORS)
            return
        self.seen.append(
            (request.method, path, request.headers.get("authorization"), request.post_data)
        )
        lined_up = self.answers.get(path)
        (lined_up.pop(0) if lined_up else problem(UNKNOWN))(route)

    def count(self, path: str) -> int:
        return sum(1 for one in self.seen if one[1] == path)


def reply(status: int, body: Any, kind: str = "application/json", **headers: str) -> Any:
    text = body if isinstance(body, str) else json.dumps(body)
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    def answer(route: Route) -> None:
        route.fulfill(status=status, body=text, content_type=kind, headers=CORS | named)

    return answer


def problem(body: dict[str, Any] = PROBLEM) -> Any:
    return reply(body["status"], body, "application/problem+json")


def lost(route: Route) -> None:
    route.abort("connectionreset")


@pytest.fixture
def gallery(open_gallery: OpenGallery) -> Iterator[Gallery]:
    opened = open_gallery()
    opened.page.evaluate(START, None)
    opened.page.clock.pause_at("2026-11-22T10:00:00Z")
    yield opened
    assert opened.errors == []


@pytest.fixture
def service(gallery: Gallery) -> Service:
    return Service(gallery.page)


def run(gallery: Gallery, script: str) -> None:
    gallery.page.evaluate(
        f"""() => {{ window.found = null;
          outcome({script}).then((one) => {{ window.found = one; }}); }}"""
    )


def found(gallery: Gallery, *, steps: int = 60) -> Any:
    """What came of it, the clock moved on where the client waits for time and not for an answer."""
    for _ in range(steps):
        gallery.until("!waiting")
        came = gallery.page.evaluate("found")
        if came is not None:
            return came
        gallery.page.clock.run_for(1000)
    raise AssertionError("nothing came of it")


STATUS = f"/images/{IMAGE['id']}"
GENERATE = f"api.generate('q1', 'a fox', {{ imageId: '{IMAGE['id']}' }})"


def test_an_image_is_one_request_with_the_token(gallery: Gallery, service: Service) -> None:
    service.line_up("/generate-image", reply(200, IMAGE))
    run(gallery, GENERATE)
    assert found(gallery)["value"] == IMAGE
    method, path, token, body = service.seen[0]
    assert (method, path, token) == ("POST", "/generate-image", "Bearer a-token")
    assert json.loads(body or "") == {"quote": "q1", "prompt": "a fox"}


def test_two_clicks_share_one_request_and_one_image(gallery: Gallery, service: Service) -> None:
    service.line_up("/generate-image", reply(200, IMAGE))
    run(gallery, f"Promise.all([{GENERATE}, {GENERATE}])")
    assert found(gallery)["value"] == [IMAGE, IMAGE]
    assert service.count("/generate-image") == 1


def test_a_lost_reply_sends_the_same_quote_again(gallery: Gallery, service: Service) -> None:
    service.line_up(
        "/generate-image", lost, reply(502, "Bad Gateway", "text/html"), reply(200, IMAGE)
    )
    run(gallery, GENERATE)
    assert found(gallery)["value"] == IMAGE
    sent = [one[3] for one in service.seen if one[0] == "POST"]
    assert len(sent) == 3
    assert len(set(sent)) == 1


def test_a_service_that_never_answers_is_a_problem_that_claims_no_charge_and_no_gift(
    gallery: Gallery, service: Service
) -> None:
    service.line_up("/generate-image", *[lost] * 7)
    service.line_up(STATUS, *[lost] * 12)
    run(gallery, GENERATE)
    came = found(gallery, steps=300)
    assert came["name"] == "ProblemError"
    assert came["problem"]["code"] == "network"
    assert came["problem"]["charged"] is None
    assert service.count("/generate-image") == 7


BLIND = {
    "token ended": PROBLEM | {"status": 401, "code": "unauthorized", "retryable": False},
    "scope": PROBLEM | {"status": 403, "code": "forbidden", "retryable": False},
    "key dropped": PROBLEM | {"status": 400, "code": "quote_invalid", "retryable": False},
    "our bug": PROBLEM | {"status": 500, "code": "internal_error", "retryable": False},
    "ledger away": PROBLEM | {"status": 503, "code": "store_unavailable"},
}
blind = pytest.mark.parametrize("name", BLIND)
said = pytest.mark.parametrize("charged", [None, False, "no"])


@said
@blind
def test_an_error_from_before_the_ledger_shows_the_image_that_an_earlier_request_made(
    gallery: Gallery, service: Service, name: str, charged: Any
) -> None:
    service.line_up("/generate-image", lost, problem(BLIND[name] | {"charged": charged}))
    service.line_up(STATUS, reply(200, IMAGE), reply(200, IMAGE))
    run(gallery, GENERATE)
    assert found(gallery)["value"]["id"] == IMAGE["id"]
    # The look needs no token: the one that ended is not sent.
    assert {one[2] for one in service.seen if one[1] == STATUS} == {None}


@said
@blind
def test_an_error_from_before_the_ledger_says_not_charged_only_after_a_look(
    gallery: Gallery, service: Service, name: str, charged: Any
) -> None:
    service.line_up("/generate-image", problem(BLIND[name] | {"charged": charged}))
    run(gallery, GENERATE)
    assert found(gallery)["problem"] == BLIND[name] | {"charged": False}
    assert service.count(STATUS) >= 1


@blind
def test_an_error_from_before_the_ledger_is_open_where_the_look_fails_too(
    gallery: Gallery, service: Service, name: str
) -> None:
    away = problem(PROBLEM | {"status": 503, "code": "store_unavailable", "charged": False})
    service.line_up("/generate-image", problem(BLIND[name]))
    service.line_up(STATUS, away, away)
    run(gallery, GENERATE)
    assert found(gallery)["problem"] == BLIND[name] | {"charged": None}


def test_a_request_that_may_still_arrive_is_looked_for_more_than_once(
    gallery: Gallery, service: Service
) -> None:
    service.line_up("/generate-image", lost, problem(BLIND["token ended"]))
    service.line_up(STATUS, problem(UNKNOWN), problem(UNKNOWN), reply(200, IMAGE))
    run(gallery, GENERATE)
    assert found(gallery)["value"]["id"] == IMAGE["id"]


def test_a_run_that_goes_on_after_the_token_ended_is_waited_for(
    gallery: Gallery, service: Service
) -> None:
    service.line_up("/generate-image", lost, problem(BLIND["token ended"]))
    service.line_up(STATUS, reply(200, RUNNING), reply(200, RUNNING), reply(200, IMAGE))
    run(gallery, GENERATE)
    assert found(gallery)["value"]["id"] == IMAGE["id"]


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (403, "<html>blocked</html>", "text/html"),
        (403, '{"Message": "Forbidden"}', "application/json"),
        (404, "no such page", "text/plain"),
        (400, "", "application/problem+json"),
        (429, "null", "application/problem+json"),
        (500, "[]", "application/problem+json"),
        (504, "Gateway Timeout", "text/html"),
        (200, "<html>sign in to this network</html>", "text/html"),
        (200, "{}", "application/json"),
        (200, "null", "application/json"),
    ],
)
def test_an_answer_that_is_none_leaves_it_open(
    gallery: Gallery, service: Service, status: int, body: str, kind: str
) -> None:
    service.line_up("/generate-image", *[reply(status, body, kind)] * 7)
    service.line_up(STATUS, *[reply(status, body, kind)] * 7)
    run(gallery, GENERATE)
    came = found(gallery, steps=300)
    assert (came["problem"]["code"], came["problem"]["charged"]) == ("network", None)


def test_a_word_of_the_ledger_is_believed_without_a_look(
    gallery: Gallery, service: Service
) -> None:
    service.line_up("/generate-image", problem())
    run(gallery, GENERATE)
    assert found(gallery)["problem"]["charged"] is False
    assert service.count(STATUS) == 0


@pytest.mark.parametrize("status", [401, 403, 500, 502, 503])
def test_a_status_that_cannot_be_read_says_nothing_about_the_charge(
    gallery: Gallery, service: Service, status: int
) -> None:
    service.line_up(STATUS, problem(PROBLEM | {"status": status}))
    run(gallery, f"api.status('{IMAGE['id']}')")
    assert found(gallery)["problem"]["charged"] is None


def test_offline_is_told_at_once(gallery: Gallery, service: Service) -> None:
    service.line_up("/generate-image", lost)
    service.line_up(STATUS, *[lost] * 2)
    gallery.page.evaluate("() => Object.defineProperty(navigator, 'onLine', { value: false })")
    run(gallery, GENERATE)
    came = found(gallery, steps=3)
    assert (came["problem"]["code"], came["problem"]["charged"]) == ("network", None)
    assert service.count("/generate-image") == 1


def test_a_run_under_way_is_polled_and_told(gallery: Gallery, service: Service) -> None:
    status = f"/images/{IMAGE['id']}"
    service.line_up("/generate-image", reply(202, RUNNING, retry_after="2"), reply(200, IMAGE))
    service.line_up(status, reply(200, RUNNING), lost, reply(200, RUNNING | {"status": "complete"}))
    gallery.page.evaluate("() => { window.told = []; }")
    run(gallery, "api.generate('q1', 'a fox', { onProgress: (one) => told.push(one.startedAt) })")
    assert found(gallery)["value"] == IMAGE
    assert gallery.page.evaluate("told")[0] == RUNNING["startedAt"]
    # The status is open to whoever has the id: no token travels.
    assert {one[2] for one in service.seen if one[1] == status} == {None}


def test_polling_backs_off(gallery: Gallery, service: Service) -> None:
    status = f"/images/{IMAGE['id']}"
    service.line_up(status, *[reply(200, RUNNING)] * 40)
    run(gallery, f"api.watch('{IMAGE['id']}')")
    for _ in range(60):
        gallery.page.clock.run_for(1000)
        gallery.until("!waiting")
    assert 5 <= service.count(status) <= 14


def test_a_long_request_tells_that_it_runs(gallery: Gallery, service: Service) -> None:
    held: list[Route] = []
    service.line_up("/generate-image", held.append)
    service.line_up(f"/images/{IMAGE['id']}", reply(200, RUNNING))
    gallery.page.evaluate("() => { window.told = []; }")
    script = (
        f"api.generate('q1', 'p', {{ imageId: '{IMAGE['id']}', onProgress: (o) => told.push(o) }})"
    )
    run(gallery, script)
    gallery.until("waiting === 1")
    gallery.page.clock.run_for(2000)
    gallery.until("told.length === 1")
    held[0].fulfill(
        status=200, body=json.dumps(IMAGE), content_type="application/json", headers=CORS
    )
    assert found(gallery)["value"] == IMAGE


def test_a_long_request_with_preview_frames_is_looked_at_until_it_ends(
    gallery: Gallery, service: Service
) -> None:
    held: list[Route] = []
    status = f"/images/{IMAGE['id']}"
    frames = [RUNNING | {"preview": {"index": at, "url": f"https://f.test/{at}"}} for at in (0, 1)]
    service.line_up("/generate-image", held.append)
    service.line_up(status, reply(200, RUNNING), *[reply(200, one) for one in frames])
    gallery.page.evaluate("() => { window.told = []; }")
    options = f"{{ imageId: '{IMAGE['id']}', previews: true, onProgress: (o) => told.push(o) }}"
    run(gallery, f"api.generate('q1', 'p', {options})")
    gallery.until("waiting === 1")
    for count in (1, 2, 3):
        gallery.page.clock.run_for(3000)
        gallery.until(f"told.length === {count}")
    assert gallery.page.evaluate("told.map((one) => one.preview?.index ?? null)") == [None, 0, 1]
    held[0].fulfill(
        status=200, body=json.dumps(IMAGE), content_type="application/json", headers=CORS
    )
    assert found(gallery)["value"] == IMAGE
    gallery.page.clock.run_for(30_000)
    assert service.count(status) <= 4


def test_an_id_that_may_still_come_to_life_is_waited_for(
    gallery: Gallery, service: Service
) -> None:
    missing = problem(UNKNOWN)
    service.line_up(f"/images/{IMAGE['id']}", missing, missing, reply(200, IMAGE))
    run(gallery, f"api.watch('{IMAGE['id']}', {{ until: Date.now() + 600000, slow: true }})")
    assert found(gallery)["value"] == IMAGE


def test_a_problem_is_thrown_as_it_is(gallery: Gallery, service: Service) -> None:
    service.line_up("/generate-image", problem())
    run(gallery, GENERATE)
    assert found(gallery) == {"name": "ProblemError", "problem": PROBLEM}


def test_who_stops_waiting_stops_alone(gallery: Gallery, service: Service) -> None:
    held: list[Route] = []
    service.line_up("/generate-image", held.append)
    gallery.page.evaluate(
        """() => { window.stop = new AbortController();
          window.first = outcome(api.generate("q1", "a fox", { signal: stop.signal }));
          window.second = outcome(api.generate("q1", "a fox")); stop.abort(); }"""
    )
    assert gallery.page.evaluate("first")["name"] == "AbortError"
    # The other request goes out, whoever has given up.
    look_until(lambda: gallery.page.evaluate("waiting === 1") and bool(held), "it is sent")
    held[0].fulfill(
        status=200, body=json.dumps(IMAGE), content_type="application/json", headers=CORS
    )
    assert gallery.page.evaluate("second")["value"] == IMAGE


def test_the_addresses_come_from_the_configuration_beside_the_module(
    gallery: Gallery, service: Service
) -> None:
    config = {"estimateUrl": SERVICE, "generateUrl": SERVICE, "healthUrl": SERVICE, "chatUrl": None}
    gallery.page.route("**/config.json", lambda route: route.fulfill(json=config))
    for path in ("/models", "/usage", "/health-check/image-providers"):
        service.line_up(path, reply(200, {"path": path}))
    gallery.page.evaluate(
        """async () => { const { configure, defaultClient } = await import("/client.js");
          configure({ token: "x" }); window.api = defaultClient; }"""
    )
    paths = {"models": "/models", "usage": "/usage", "health": "/health-check/image-providers"}
    for call, path in paths.items():
        run(gallery, f"api.{call}()")
        assert found(gallery)["value"] == {"path": path}
    assert {one[2] for one in service.seen} == {"Bearer x"}
    assert len([url for url in gallery.requests if url.endswith("/config.json")]) == 1
    run(gallery, "api.chat([], {})")
    assert found(gallery)["problem"]["code"] == "not_configured"


EVENTS = [
    ("message_start", {"id": "msg_1", "role": "assistant", "createdAt": "2026-11-22T10:00:00Z"}),
    ("text_delta", {"text": "Füchse 🦊 schlafen"}),
    ("tool_call", {"id": "call_1", "name": "generate_image", "arguments": {}, "ok": True}),
    ("message_complete", {"id": "msg_1", "content": "x", "imageGenerations": []}),
]


def stream(end: str) -> str:
    return "".join(
        f"event: {name}{end}data: {json.dumps(data, ensure_ascii=False)}{end}{end}"
        for name, data in EVENTS
    )


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_stream_is_read_however_it_is_cut(gallery: Gallery, end: str) -> None:
    text = ": a comment" + end + end + stream(end)
    for size in (1, 2, 3, 7, 64, 10_000):
        came = gallery.page.evaluate(
            """async ([text, size]) => {
              const { readEvents } = await import("/client-run.js");
              async function* cut() {
                for (let i = 0; i < text.length; i += size) yield text.slice(i, i + size);
              }
              const all = [];
              for await (const one of readEvents(cut())) all.push([one.event, one.data]);
              return all;
            }""",
            [text, size],
        )
        assert [tuple(one) for one in came] == EVENTS


def test_data_of_several_lines_is_one_event(gallery: Gallery) -> None:
    came = gallery.page.evaluate(
        """async () => {
          const { readEvents } = await import("/client-run.js");
          const all = [], text = 'data: {\\ndata:  "a": 1}\\n\\nevent: x\\n\\n';
          for await (const one of readEvents([text])) all.push(one);
          return all;
        }"""
    )
    assert came == [{"event": "message", "data": {"a": 1}}]


def test_a_chat_is_told_event_by_event(gallery: Gallery, service: Service) -> None:
    service.line_up("/chat", *[reply(200, stream("\n"), "text/event-stream; charset=utf-8")] * 2)
    handlers = "{ text_delta: (data) => { window.delta = data.text; } }"
    run(gallery, f"api.chat([{{ role: 'user', content: 'hi' }}], {handlers})")
    assert found(gallery)["value"] == EVENTS[-1][1]
    assert gallery.page.evaluate("delta") == "Füchse 🦊 schlafen"
    names = gallery.page.evaluate(
        """async () => { const all = [];
          for await (const { event } of api.chat([])) all.push(event);
          return all; }"""
    )
    assert names == [name for name, _ in EVENTS]


def test_a_chat_that_breaks_off_is_a_problem(gallery: Gallery, service: Service) -> None:
    half = stream("\n").split("event: message_complete", maxsplit=1)[0]
    service.line_up("/chat", reply(200, half, "text/event-stream"))
    run(gallery, "api.chat([], {})")
    assert found(gallery)["problem"]["code"] == "network"
