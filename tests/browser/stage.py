"""The static files under the page's policy, and a gallery with one element in a given state."""

import io
import json
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, BrowserContext, Page, Route

from imagegen.site.files import providers_script
from local.paths import ROOT

STATIC = ROOT / "functions" / "page" / "static"
GALLERY = Path(__file__).parent / "gallery"
FIXTURES = ROOT / "events" / "ui"
SCREENS = ROOT / ".local" / "screens"
IMAGES = "https://images.example"
SERVICE = "https://api.example"
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; "
    f"img-src 'self' data: blob: {IMAGES}; connect-src 'self' {IMAGES} {SERVICE}; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'"
)
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
PATIENCE_SECONDS = 30
"""A cold start of the emulator on a busy machine; nothing waits as long as this otherwise."""
FLAGS = ["--no-sandbox", "--disable-dev-shm-usage", "--force-color-profile=srgb"]


def chromium_path() -> str:
    """The browser on this machine; a missing one is a failure, never a skipped test."""
    named = os.environ.get("IMAGEGEN_CHROMIUM")
    found = named or next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if not found or not Path(found).exists():
        pytest.fail(
            f"No Chromium at {named!r} or on PATH as {', '.join(CHROMIUM_NAMES)}: install it "
            "(on Debian: apt install chromium) or set IMAGEGEN_CHROMIUM to its path.",
            pytrace=False,
        )
    return found


def read_fixture(name: str) -> dict[str, Any]:
    fixture: dict[str, Any] = json.loads((FIXTURES / f"{name}.json").read_text())
    return fixture


def read_calls(name: str) -> list[dict[str, Any]]:
    calls: list[dict[str, Any]] = read_fixture(f"llm-info/{name}")["calls"]
    return calls


ALL_STATES = sorted(path.stem for path in FIXTURES.glob("*.json"))
STATES = [name for name in ALL_STATES if read_fixture(name)["state"] == name]
"""The fifteen; the other fixtures are variants of them."""


class StaticFiles(SimpleHTTPRequestHandler):
    """Static files and the gallery under the page's own policy."""

    def do_GET(self) -> None:
        if self.path != "/providers.js":
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/javascript")
        self.end_headers()
        self.wfile.write(providers_script())

    def translate_path(self, path: str) -> str:
        name = path.split("?", maxsplit=1)[0].lstrip("/")
        if name.startswith("gallery"):
            return str(GALLERY / (name.removeprefix("gallery/") or "index.html"))
        return str(STATIC / name)

    def end_headers(self) -> None:
        self.send_header("Content-Security-Policy", CSP)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-store")
        # The elements are for pages of any origin.
        self.send_header("Access-Control-Allow-Origin", "*")
        super().end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serving(handler: Callable[..., SimpleHTTPRequestHandler]) -> Iterator[str]:
    """The address of a server that ends with the block."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=partial(server.serve_forever, poll_interval=0.05), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def picture(width: int = 512, height: int = 512, *, muted: bool = False) -> bytes:
    """A calm landscape, so that a screenshot can be judged."""
    image = Image.new("RGB", (width, height))
    draw = ImageDraw.Draw(image)
    for y in range(height):
        sky = int(250 - 90 * y / height), int(214 - 60 * y / height), int(190 + 20 * y / height)
        draw.line([(0, y), (width, y)], sky)
    draw.circle((width // 2, height // 3), width // 9, (255, 246, 226))
    for layer, colour in enumerate([(134, 128, 160), (88, 92, 128), (44, 52, 84)]):
        top, ridge = height * (5 + layer) // 9, height // 20
        peaks = [(x, top + ridge * (x * (layer + 3) // 40 % 3 - 1)) for x in range(0, 600, 40)]
        draw.polygon([(0, height), *peaks, (width, height)], colour)
    if muted:
        image = image.resize((32, 32)).resize((width, height))
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


PICTURE, PREVIEW = picture(), picture(muted=True)


def answer_images(route: Route) -> None:
    body = PREVIEW if "/previews/" in route.request.url else PICTURE
    route.fulfill(body=body, content_type="image/png", headers={"access-control-allow-origin": "*"})


def look_until(is_true: Callable[[], bool], about: str) -> None:
    """Look again and again until it is true. Each look lets Playwright hand over what has come."""
    until = time.monotonic() + PATIENCE_SECONDS
    while not is_true():
        if time.monotonic() > until:
            raise AssertionError(f"never true: {about}")


class Gallery:
    """A page with one element in a given state and at a given time."""

    def __init__(self, context: BrowserContext, static_url: str) -> None:
        self.context = context
        self.page: Page = context.new_page()
        self.requests: list[str] = []
        self.errors: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.route(f"{IMAGES}/**", answer_images)
        # An hour before any fixture: a clock cannot be stopped at a time that is over.
        self.page.clock.install(time="2026-11-22T09:00:00Z")
        self.page.goto(f"{static_url}/gallery/")
        self.until("window.ready && customElements.get('generated-image')")

    def show(self, fixture: str | dict[str, Any], *, ticking: bool = False, **options: Any) -> str:
        """Show a fixture at its own time; the state it is in. Only a test moves a ticking clock."""
        known = read_fixture(fixture) if isinstance(fixture, str) else fixture
        if ticking:
            self.page.clock.pause_at(known["now"])
        else:
            self.page.clock.set_fixed_time(known["now"])
        state: str = self.page.evaluate(
            "([data, options]) => show(data, options)", [known["data"], options]
        )
        return state

    def until(self, script: str) -> None:
        """Look until the expression is true; the page's policy forbids Playwright's own polling."""
        look_until(lambda: self.page.evaluate(f"() => Boolean({script})"), script)

    @property
    def element(self) -> Any:
        return self.page.locator("#subject")

    def evaluate(self, script: str, *given: Any) -> Any:
        """``script`` is a function of the element and what is given."""
        return self.page.evaluate(
            f"given => ({script})(document.querySelector('#subject'), ...given)", list(given)
        )

    @property
    def text(self) -> str:
        found: str = self.element.locator(".card").inner_text()
        return found

    @property
    def said(self) -> list[str]:
        found: list[str] = self.page.evaluate("said")
        return found


def settle(gallery: Gallery, script: str, *given: Any) -> None:
    """Let the stub client answer, and the element take it in."""
    gallery.page.evaluate(f"async (given) => {{ ({script})(...given); await 0; }}", list(given))
    gallery.page.evaluate("() => Promise.resolve()")


def calls(gallery: Gallery) -> list[list[Any]]:
    """What the element has called of the stub client, each with its arguments."""
    found: list[list[Any]] = gallery.page.evaluate("client.calls")
    return found


def state(gallery: Gallery) -> str:
    """The state that the element shows."""
    found: str = gallery.evaluate("(element) => element.dataset.state")
    return found


type OpenGallery = Callable[..., Gallery]


@contextmanager
def galleries(browser: Browser, static_url: str) -> Iterator[OpenGallery]:
    """What opens galleries, all of them closed at the end of the block."""
    with ExitStack() as ends:

        def opened(
            *, width: int = 768, height: int = 900, theme: str = "light", **more: Any
        ) -> Gallery:
            context = browser.new_context(
                viewport={"width": width, "height": height},
                color_scheme=theme,  # type: ignore[arg-type]
                **{"locale": "en-US", "timezone_id": "UTC", **more},
            )
            ends.callback(context.close)
            return Gallery(context, static_url)

        yield opened
