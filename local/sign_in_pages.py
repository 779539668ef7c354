"""The local issuer over HTTP: its documents, its page with the demo people, its token endpoint."""

import html
import json
from collections.abc import Mapping
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from local.sign_in import CLIENT_ID, PEOPLE, Demo, Request, SignInRefusedError, SignIns

COOKIE: Final = "imagegen-issuer"
MOST_BYTES: Final = 65_536
ANYONE: Final = {"Access-Control-Allow-Origin": "*"}
"""For the documents and the token endpoint, which pages of other origins call, without cookies."""
POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"

PAGE: Final = """\
<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark"><title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; width: 22rem; max-width: 90%; margin: 12vh auto; }}
button, input {{ font: inherit; width: 100%; padding: .7rem; margin: 0 0 .6rem; }}
* {{ box-sizing: border-box; }}
</style></head><body><main><h1>{title}</h1>{body}</main></body></html>
"""


class IssuerServer(ThreadingHTTPServer):
    """A server whose queue is long enough for a burst of new function instances."""

    request_queue_size = 1024
    documents: Mapping[str, Any]
    sign_ins: SignIns


class IssuerPages(BaseHTTPRequestHandler):
    """Answers as an issuer of OpenID Connect."""

    server: IssuerServer

    def do_GET(self) -> None:
        """Answer with a document, the page with the people, or the way back."""
        path, query = self._asked()
        match path:
            case "/authorize":
                self._authorize(query)
            case "/logout":
                self._log_out(query)
            case _:
                document = self.server.documents.get(path)
                self._send_json(404 if document is None else 200, document)

    def do_POST(self) -> None:
        """Take a person's choice, or a request for tokens."""
        path, query = self._asked()
        length = int(self.headers.get("Content-Length") or 0)
        if length > MOST_BYTES:
            self._send_json(413, {"error": "invalid_request"})
            return
        form = dict(parse_qsl(self.rfile.read(length).decode(errors="replace")))
        match path:
            case "/authorize":
                self._authorize(query, form.get("person", ""))
            case "/token":
                self._token(form)
            case "/revoke":
                self.server.sign_ins.revoke(form.get("token", ""))
                self._send_json(200, {})
            case _:
                self._send_json(404, None)

    def _authorize(self, query: Mapping[str, str], chosen: str = "") -> None:
        sign_ins = self.server.sign_ins
        try:
            request = sign_ins.asked(query)
        except SignInRefusedError:
            self._send_page(400, "Not a page of this stack", "<p>Nobody was sent anywhere.</p>")
            return
        known = sign_ins.remembered(self._cookie())
        person = person_of(chosen) if chosen else known
        if error := sign_ins.fault(query, request):
            self._send_to(sign_ins.refusal(request, error))
        elif chosen == "-":
            self._send_to(sign_ins.refusal(request, "access_denied"))
        elif person is None:
            self._ask(query, request)
        else:
            cookie = sign_ins.remember(person) if chosen else self._cookie()
            self._send_to(sign_ins.allowed(request, person), cookie)

    def _ask(self, query: Mapping[str, str], request: Request) -> None:
        if request.silent:
            self._send_to(self.server.sign_ins.refusal(request, "login_required"))
        else:
            self._send_page(200, "Who are you?", people_form(query))

    def _token(self, form: Mapping[str, str]) -> None:
        try:
            self._send_json(200, self.server.sign_ins.token(form))
        except SignInRefusedError as error:
            self._send_json(400, {"error": str(error)})

    def _log_out(self, query: Mapping[str, str]) -> None:
        self.server.sign_ins.forget(self._cookie())
        address = query.get("post_logout_redirect_uri", "")
        is_known = query.get("client_id") == CLIENT_ID and address in self.server.sign_ins.pages
        if is_known:
            self._send_to(address, "")
        else:
            self._send_page(200, "You are signed out", "")

    def _asked(self) -> tuple[str, dict[str, str]]:
        parts = urlsplit(self.path)
        return parts.path, dict(parse_qsl(parts.query))

    def _cookie_name(self) -> str:
        # A browser sends the cookies of one port to all ports of a machine.
        return f"{COOKIE}-{self.server.server_port}"

    def _cookie(self) -> str:
        found = SimpleCookie(self.headers.get("Cookie", "")).get(self._cookie_name())
        return found.value if found else ""

    def _send_json(self, status: int, document: Any) -> None:
        headers = {"Content-Type": "application/json", "Cache-Control": "no-store", **ANYONE}
        self._send(status, headers, json.dumps(document).encode())

    def _send_page(self, status: int, title: str, body: str) -> None:
        headers = {"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": POLICY}
        self._send(status, headers, PAGE.format(title=title, body=body).encode())

    def _send_to(self, address: str, cookie: str | None = None) -> None:
        # 303: the browser goes on with GET, also behind the form's POST.
        headers = {"Location": address, "Referrer-Policy": "no-referrer"}
        if cookie is not None:
            name = self._cookie_name()
            headers["Set-Cookie"] = f"{name}={cookie}; Path=/; HttpOnly; SameSite=Lax"
        self._send(303, headers, b"")

    def _send(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base class's name
        """Log nothing: the terminal is for the person's own commands."""


def person_of(subject: str) -> Demo:
    """Return a demo person, or another one with that name."""
    known = (one for one in PEOPLE if one.subject == subject)
    return next(known, Demo(subject, subject))


def people_form(query: Mapping[str, str]) -> str:
    """Return the form in which a person is chosen: a button each, a field for any other name."""
    action = html.escape(f"/authorize?{urlencode(query)}")
    buttons = "".join(
        f'<button name="person" value="{one.subject}">{one.name}, who {one.about}</button>'
        for one in PEOPLE
    )
    return (
        f"<p>This is a stand-in for your sign-in service. Nobody needs a password here.</p>"
        f'<form method="post" action="{action}">{buttons}</form>'
        f'<form method="post" action="{action}"><label>Somebody else'
        f'<input name="person" required pattern="[^\\s]+" maxlength="80"></label>'
        f"<button>Sign in</button></form>"
        f'<form method="post" action="{action}">'
        f'<button name="person" value="-">Cancel</button></form>'
    )
