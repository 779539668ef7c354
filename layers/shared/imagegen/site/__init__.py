"""The page's files in memory, and what the browser may do with them.

Standard library only. pydantic and Powertools alone would take most of this function's cold start,
and a page of fixed bytes has nothing to validate.
"""

import base64
import html
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlsplit

from imagegen.edge.events import NEEDED, came_through_front, url_event
from imagegen.places import is_on_loopback, public_url
from imagegen.site.files import PAGES, File, in_language
from imagegen.site.sign_in import SignIn
from imagegen.site.words import LANGUAGES, wanted_language

FUNCTIONS = ("estimate", "generate", "health", "chat", "admin")
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
    sign_in: SignIn | None = None
    """How people sign in; ``None`` where they enter a token by hand."""

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
            sign_in=SignIn.from_env(environ),
        )

    def config(self) -> bytes:
        """Return ``config.json``: the URLs of the functions, for the page and the elements."""
        urls = {f"{name}Url": self.urls.get(name) for name in FUNCTIONS}
        rest = {
            "pageUrl": self.page_url or None,
            "region": self.region or None,
            "simulatorUrl": self.simulator_url or None,
            "signIn": self.sign_in.config() if self.sign_in else None,
        }
        return json.dumps({**urls, **rest}).encode()

    def policy(self) -> str:
        """Return the Content-Security-Policy: it allows our own files, functions and images."""
        functions = [_origin(url) for url in self.urls.values()]
        called = [*functions, *self.image_hosts, *filter(None, [self.simulator_url])]
        called += self.sign_in.origins() if self.sign_in else []
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
        file = self._file(request)
        if file is None:
            body = "" if method == "HEAD" else "There is no such page.\n"
            return {"statusCode": 404, "headers": PLAIN, "body": body}
        if method not in ("GET", "HEAD"):
            return {"statusCode": 405, "headers": {**PLAIN, "Allow": "GET, HEAD"}, "body": ""}
        return self._sent(file, request["headers"], with_body=method == "GET")

    def _file(self, request: Mapping[str, Any]) -> File | None:
        """Return what is at a path, a page in the language that its reader prefers."""
        path, headers = request["rawPath"], request["headers"]
        given = request.get("cookies")
        listed = map(str, given) if isinstance(given, list) else ()
        cookies = "; ".join([headers.get("cookie", ""), *listed])
        language = wanted_language(headers.get("accept-language", ""), cookies)
        return self.files.get(in_language(path, language)) or self.files.get(path)

    def _sent(
        self, file: File, request_headers: Mapping[str, str], *, with_body: bool
    ) -> dict[str, Any]:
        zips = accepts_gzip(request_headers.get("accept-encoding", ""))
        # A strong tag names the bytes that are sent, so the compressed ones have their own.
        tag = f'"{file.tag}-gzip"' if zips else f'"{file.tag}"'
        headers = {"ETag": tag, **self._headers(), "Cache-Control": KEEP if file.is_kept else ASK}
        if file.media_type.startswith("text/html"):
            headers["Vary"] += ", Accept-Language"
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


def build_site(files: Mapping[str, File], settings: PageSettings) -> Site:
    """Return the site of one stack."""
    config = settings.config()
    made = {"/config.json": File.of("config.json", config)}
    # The page needs the addresses at once: it does not ask for them.
    meta = CONFIG.replace('""', f'"{html.escape(config.decode())}"')
    for address, name in PAGES.items():
        for language in LANGUAGES:
            if page := files.get(in_language(f"/{name}", language)):
                text = page.content.decode().replace(CONFIG, meta)
                file = File.of(name, text.encode())
                for path in (address, f"/{name}"):
                    made[in_language(path, language)] = file
    return Site({**files, **made}, settings.policy(), settings.origin_digests)


def accepts_gzip(accepted: str) -> bool:
    """Return whether an Accept-Encoding header accepts gzip (RFC 9110, 12.5.3)."""
    for one in accepted.lower().split(","):
        coding, _, weight = one.partition(";")
        if coding.strip() in ("gzip", "*"):
            return weight.strip().removeprefix("q=").strip("0.") != "" if weight else True
    return False


def etag_matches(tag: str, held: str) -> bool:
    """Return whether an If-None-Match header has a tag, compared weakly (RFC 9110, 13.1.2)."""
    tags = {one.strip().removeprefix("W/") for one in held.split(",")}
    return tag in tags or "*" in tags


def _public_url(endpoint: str, url: str) -> str:
    domain = urlsplit(url).netloc
    return public_url(endpoint, domain, domain.partition(".")[0])


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _directive(name: str, *sources: str) -> str:
    return " ".join((name, *dict.fromkeys(sources)))
