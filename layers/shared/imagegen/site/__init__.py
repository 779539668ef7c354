"""The page's files in memory, and what the browser may do with them.

Standard library only. pydantic and Powertools alone would take most of this function's cold start,
and a page of fixed bytes has nothing to validate.
"""

import base64
import gzip
import hashlib
import html
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from imagegen.edge.events import NEEDED, url_event
from imagegen.places import came_through_front, is_on_loopback, public_url
from imagegen.providers import registry
from imagegen.site.bundles import Bundler, stripped
from imagegen.site.negotiation import accepts_gzip, etag_matches

MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".ts": "text/plain; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}
FUNCTIONS = ("estimate", "generate", "health", "chat")
ENTRIES = ("page.js", "elements.js", "pictures.js", "llm-dialog.js", "upload.js", "frameworks.js")
"""The scripts that a page asks for. Each is sent with what it imports, without its comments."""
NAMED_BY_CONTENT = ("page.js", "page.css", "icon.svg")
"""Files of the page that a browser keeps: their addresses have a digest of what they contain."""
CONFIG = '<meta name="config" content="">'
PLAIN = {"Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store"}
ASK, KEEP = "no-cache", "public, max-age=31536000, immutable"
"""A name without a digest: the browser checks each time, and mostly gets a 304."""


@dataclass(frozen=True, slots=True)
class PageSettings:
    """The settings of ``page``, read from its environment: URLs, never a secret."""

    urls: Mapping[str, str]
    """Of the other functions, without a slash at the end; one that is not deployed is missing."""
    image_hosts: tuple[str, ...] = ()
    """The origins that ``GET /images/{id}`` redirects to."""
    region: str = ""
    simulator_url: str = ""
    page_url: str = ""
    """The page's address in front of the function; empty for the function's own URL."""
    origin_digests: str = field(default="", repr=False)

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Return the settings.

        Raises:
            ValueError: a simulator is named, but AWS is not on loopback.
        """
        endpoint = environ.get("AWS_ENDPOINT_URL", "")
        simulator = environ.get("SIMULATOR_URL", "")
        # The simulator can break providers for every user, and it has no authentication.
        if simulator and not (is_on_loopback(endpoint) and is_on_loopback(simulator)):
            raise ValueError("SIMULATOR_URL is for a local stack: AWS is not on loopback")
        given = {name: environ.get(f"{name.upper()}_URL", "") for name in FUNCTIONS}
        front = environ.get("PUBLIC_API_URL", "")
        return cls(
            urls={name: front or _public_url(endpoint, url) for name, url in given.items() if url},
            image_hosts=tuple(environ.get("IMAGE_HOSTS", "").split()),
            region=environ.get("AWS_REGION", ""),
            simulator_url=simulator,
            page_url=environ.get("PUBLIC_PAGE_URL", ""),
            origin_digests=environ.get("ORIGIN_DIGESTS", ""),
        )

    def config(self) -> bytes:
        """Return ``config.json``: the URLs of the functions, for the page and the elements."""
        urls = {f"{name}Url": self.urls.get(name) for name in FUNCTIONS}
        rest = {
            "pageUrl": self.page_url or None,
            "region": self.region or None,
            "simulatorUrl": self.simulator_url or None,
        }
        return json.dumps({**urls, **rest}).encode()

    def policy(self) -> str:
        """Return the Content-Security-Policy: it allows our own files, functions and images."""
        functions = [_origin(url) for url in self.urls.values()]
        called = [*functions, *self.image_hosts, *filter(None, [self.simulator_url])]
        shown = [*(_origin(url) for name, url in self.urls.items() if name == "generate")]
        return "; ".join(
            (
                "default-src 'none'",
                "script-src 'self'",
                "style-src 'self'",
                _directive("img-src", "'self'", "data:", "blob:", *shown, *self.image_hosts),
                _directive("connect-src", "'self'", *called),
                "base-uri 'none'",
                "form-action 'none'",
                "frame-ancestors 'none'",
                "object-src 'none'",
                "require-trusted-types-for 'script'",
                "trusted-types 'none'",
            )
        )


@dataclass(frozen=True, slots=True)
class File:
    """One file, plain and compressed."""

    media_type: str
    content: bytes
    zipped: bytes = field(repr=False)
    tag: str
    is_kept: bool = False
    """Whether a browser keeps it without asking again: its address belongs to these bytes alone."""

    @classmethod
    def of(cls, name: str, content: bytes, *, is_kept: bool = False) -> Self:
        """Return a file as it is sent; its name's ending decides its media type."""
        media_type = MEDIA_TYPES[Path(name).suffix]
        # Without a time in the file, the bytes are the same at every start.
        zipped = gzip.compress(content, mtime=0)
        tag = hashlib.sha256(content).hexdigest()[:32]
        return cls(media_type, content, zipped, tag, is_kept)


@dataclass(frozen=True, slots=True)
class Site:
    """The files by path; any other path is answered with 404."""

    files: Mapping[str, File]
    policy: str
    origin_digests: str = field(default="", repr=False)

    def answer(self, event: object) -> dict[str, Any]:
        """Return the function URL's answer to one event."""
        request = url_event(event)
        if request is None:
            return {"statusCode": 400, "headers": PLAIN, "body": f"{NEEDED}\n"}
        if not came_through_front(request["headers"], self.origin_digests):
            body = "This page has another address.\n"
            return {"statusCode": 403, "headers": PLAIN, "body": body}
        method = request["requestContext"]["http"]["method"]
        file = self.files.get(request["rawPath"])
        if file is None:
            body = "" if method == "HEAD" else "There is no such page.\n"
            return {"statusCode": 404, "headers": PLAIN, "body": body}
        if method not in ("GET", "HEAD"):
            return {"statusCode": 405, "headers": {**PLAIN, "Allow": "GET, HEAD"}, "body": ""}
        return self._sent(file, request["headers"], with_body=method == "GET")

    def _sent(
        self, file: File, request_headers: Mapping[str, str], *, with_body: bool
    ) -> dict[str, Any]:
        zips = accepts_gzip(request_headers.get("accept-encoding", ""))
        # A strong tag names the bytes that are sent, so the compressed ones have their own.
        tag = f'"{file.tag}-gzip"' if zips else f'"{file.tag}"'
        headers = {"ETag": tag, **self._headers(), "Cache-Control": KEEP if file.is_kept else ASK}
        if etag_matches(tag, request_headers.get("if-none-match", "")):
            return {"statusCode": 304, "headers": headers, "body": ""}
        headers["Content-Type"] = file.media_type
        if zips:
            headers["Content-Encoding"] = "gzip"
        body = file.zipped if zips else file.content
        return {
            "statusCode": 200,
            "headers": headers,
            "body": base64.b64encode(body).decode() if with_body else "",
            "isBase64Encoded": with_body,
        }

    def _headers(self) -> dict[str, str]:
        return {
            "Vary": "Accept-Encoding",
            "Content-Security-Policy": self.policy,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
            "Cross-Origin-Opener-Policy": "same-origin",
            # The elements are for pages of other sites, also for cross-origin isolated ones.
            "Cross-Origin-Resource-Policy": "cross-origin",
        }


def read_files(folder: Path) -> dict[str, File]:
    """Return the files of a folder by their path; ``/`` is ``index.html``.

    Raises:
        KeyError: ``MEDIA_TYPES`` does not have a file's ending.
    """
    texts = {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}
    texts["providers.js"] = providers_script()

    def read(name: str) -> str:
        return texts[name].decode()

    bundler = Bundler(read)
    joined = {name: bundler.bundled(name).encode() for name in ENTRIES}
    sent = {**texts, **joined, "page.css": stripped(read("page.css")).encode()}
    files = {f"/{name}": File.of(name, content) for name, content in sent.items()}
    page = read("index.html")
    for name in NAMED_BY_CONTENT:
        path = Path(name)
        address = f"{path.stem}.{files[f'/{name}'].tag[:12]}{path.suffix}"
        files[f"/{address}"] = replace(files[f"/{name}"], is_kept=True)
        page = page.replace(f'"{name}"', f'"{address}"')
    files["/index.html"] = File.of("index.html", page.encode())
    return {**files, "/": files["/index.html"]}


def build_site(files: Mapping[str, File], settings: PageSettings) -> Site:
    """Return the site of one stack."""
    config = settings.config()
    made = {"/config.json": File.of("config.json", config)}
    for name in ("/", "/index.html"):
        if page := files.get(name):
            # The page needs the addresses at once: it does not ask for them.
            meta = CONFIG.replace('""', f'"{html.escape(config.decode())}"')
            text = page.content.decode().replace(CONFIG, meta)
            made[name] = File.of("index.html", text.encode())
    return Site({**files, **made}, settings.policy(), settings.origin_digests)


def providers_script() -> bytes:
    """Return ``providers.js``: how the elements name and colour each provider.

    A module, not a part of ``config.json``: an element has its names before it asks for anything.
    """
    shown = {
        name: {"title": about.title, "colour": about.colour} for name, about in registry().items()
    }
    return f"export const PROVIDERS = {json.dumps(shown, indent=1)};\n".encode()


def _public_url(endpoint: str, url: str) -> str:
    domain = urlsplit(url).netloc
    return public_url(endpoint, domain, domain.partition(".")[0])


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _directive(name: str, *sources: str) -> str:
    return " ".join((name, *dict.fromkeys(sources)))
