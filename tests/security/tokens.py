"""An issuer with a key of each kind, and every token that wants in without being one of its own."""

import base64
import hmac
import json
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import jwt
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

AUDIENCE = "imagegen"
# Far from any run of this: what checks them looks at the wall clock.
LONG_AGO, FAR_AHEAD = 1_000_000_000, 4_000_000_000
EVIL = "https://evil.test/keys"
BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@dataclass(frozen=True, slots=True)
class Pair:
    """A private key and its public half as a JWK."""

    kid: str
    algorithm: str
    private: Any

    @property
    def jwk(self) -> dict[str, Any]:
        kind: Any = jwt.get_algorithm_by_name(self.algorithm)
        values: dict[str, Any] = kind.to_jwk(self.private.public_key(), as_dict=True)
        return values | {"kid": self.kid, "use": "sig", "alg": self.algorithm}

    def public(self, form: str) -> bytes:
        key, encoding = self.private.public_key(), serialization.Encoding
        formats = {
            "pem": (encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo),
            "der": (encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo),
            "pkcs1": (encoding.PEM, serialization.PublicFormat.PKCS1),
        }
        data: bytes = key.public_bytes(*formats[form])
        return data


@cache
def pairs() -> dict[str, Pair]:
    """Return the issuer's key pairs, and a stranger's."""
    return {
        "rsa": Pair("rsa", "RS256", rsa.generate_private_key(65537, 2048)),
        "ec": Pair("ec", "ES256", ec.generate_private_key(ec.SECP256R1())),
        "okp": Pair("okp", "EdDSA", ed25519.Ed25519PrivateKey.generate()),
        "stranger": Pair("rsa", "RS256", rsa.generate_private_key(65537, 2048)),
        "ec-stranger": Pair("ec", "ES256", ec.generate_private_key(ec.SECP256R1())),
    }


def key_set() -> dict[str, Any]:
    """Return what the issuer publishes: a shared secret among it, which must not be used."""
    shared = {"kty": "oct", "kid": "shared", "alg": "HS256", "k": part(b"s" * 32)}
    sealing = pairs()["rsa"].jwk | {"kid": "sealing", "use": "enc"}
    return {"keys": [*(pairs()[kid].jwk for kid in ("rsa", "ec", "okp")), shared, sealing]}


def part(values: Any) -> str:
    """Return one part of a token."""
    data = values if isinstance(values, bytes) else json.dumps(values).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass(slots=True)
class Fetches:
    """What was asked for at the issuer's address."""

    paths: list[str] = field(default_factory=list)


@contextmanager
def serve_keys(fetches: Fetches) -> Iterator[str]:
    """Serve the key set on loopback until the block ends; give the issuer's address."""
    body = json.dumps(key_set()).encode()

    class Documents(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            fetches.paths.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 the base class's
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Documents)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@dataclass(frozen=True, slots=True)
class Forge:
    """Makes tokens that name one issuer."""

    issuer: str

    def claims(self, **changes: Any) -> dict[str, Any]:
        """Return good claims with changes; ``...`` takes a claim away."""
        good = {"iss": self.issuer, "aud": AUDIENCE, "sub": "user-1"}
        times = {"iat": LONG_AGO, "exp": FAR_AHEAD}
        return {name: one for name, one in (good | times | changes).items() if one is not ...}

    def good(self, by: str = "rsa", **changes: Any) -> str:
        """Return a token of the issuer."""
        return self.sealed(self.claims(**changes), by=by)

    def sealed(self, payload: Any, *, by: str = "rsa", **header: Any) -> str:
        """Return any header and payload, truly signed by a pair's key."""
        pair = pairs()[by]
        head = {"alg": pair.algorithm, "kid": pair.kid, "typ": "JWT"} | header
        return self.signed_text(
            part({name: one for name, one in head.items() if one is not ...}), part(payload), by=by
        )

    def signed_text(self, head: str, body: str, *, by: str = "rsa") -> str:
        """Return two parts as they stand, truly signed."""
        pair, signed = pairs()[by], f"{head}.{body}"
        kind: Any = jwt.get_algorithm_by_name(pair.algorithm)
        return f"{signed}.{part(kind.sign(signed.encode(), pair.private))}"

    def hmacked(self, header: dict[str, Any], key: bytes, digest: str = "sha256") -> str:
        """Return a token whose signature is an HMAC."""
        signed = f"{part(header)}.{part(self.claims())}"
        return f"{signed}.{part(hmac.digest(key, signed.encode(), digest))}"

    def hostile(self) -> dict[str, Callable[[], str]]:
        """Return every token that must be refused, by what is wrong with it."""
        return (
            self._algorithms()
            | self._keys()
            | self._headers()
            | self._issuers_and_audiences()
            | self._times()
            | self._subjects_and_kinds()
            | self._json()
            | self._base64()
            | self._shapes()
        )

    def _algorithms(self) -> dict[str, Callable[[], str]]:
        rsa_, claims = pairs()["rsa"], part(self.claims())
        unsigned = {
            f"alg {name!r}, unsigned": partial(self._unsigned, name)
            for name in ("none", "None", "NONE", "nOnE", "", " none", "none\0", None, False, 0)
        }
        confused = {
            f"HS256 by the public key as {form}": partial(
                self.hmacked, {"alg": "HS256", "kid": "rsa"}, rsa_.public(form)
            )
            for form in ("pem", "der", "pkcs1")
        }
        stripped = {
            "HS256 by the public key without its last line end": lambda: self.hmacked(
                {"alg": "HS256", "kid": "rsa"}, rsa_.public("pem").rstrip()
            ),
            "HS256 by the JWK": lambda: self.hmacked(
                {"alg": "HS256", "kid": "rsa"}, json.dumps(rsa_.jwk).encode()
            ),
            "HS256 by the modulus": lambda: self.hmacked(
                {"alg": "HS256", "kid": "rsa"}, rsa_.jwk["n"].encode()
            ),
            "HS256 by the published secret": lambda: self.hmacked(
                {"alg": "HS256", "kid": "shared"}, b"s" * 32
            ),
            "HS256 by nothing": lambda: self.hmacked({"alg": "HS256", "kid": "rsa"}, b""),
            "HS512 by the public key": lambda: self.hmacked(
                {"alg": "HS512", "kid": "rsa"}, rsa_.public("pem"), "sha512"
            ),
            "RS256 said, HMAC done": lambda: self.hmacked(
                {"alg": "RS256", "kid": "rsa"}, rsa_.public("pem")
            ),
        }
        others = {
            f"alg {name!r}, signed by RS256": partial(self.sealed, self.claims(), alg=name)
            for name in ("RS512", "PS256", "ES256", "rs256", "RS256 ", ["RS256"], 5, {"RS256": 1})
        }
        return (
            unsigned
            | confused
            | stripped
            | others
            | {
                "alg missing": lambda: self.sealed(self.claims(), alg=...),
                "RS384 truly signed": lambda: self._rsa(
                    "RS384", padding.PKCS1v15(), hashes.SHA384()
                ),
                "PS256 truly signed": lambda: self._rsa(
                    "PS256", padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256()
                ),
                "ES256 by zeros (CVE-2022-21449)": lambda: (
                    f"{part({'alg': 'ES256', 'kid': 'ec'})}.{claims}.{part(bytes(64))}"
                ),
                "ES256 as DER": self._ec_der,
                "EdDSA by zeros": lambda: (
                    f"{part({'alg': 'EdDSA', 'kid': 'okp'})}.{claims}.{part(bytes(64))}"
                ),
            }
        )

    def _unsigned(self, name: Any) -> str:
        return f"{part({'alg': name, 'kid': 'rsa'})}.{part(self.claims())}."

    def _rsa(self, name: str, pad: Any, digest: Any) -> str:
        signed = f"{part({'alg': name, 'kid': 'rsa'})}.{part(self.claims())}"
        return f"{signed}.{part(pairs()['rsa'].private.sign(signed.encode(), pad, digest))}"

    def _ec_der(self) -> str:
        signed = f"{part({'alg': 'ES256', 'kid': 'ec'})}.{part(self.claims())}"
        der = pairs()["ec"].private.sign(signed.encode(), ec.ECDSA(hashes.SHA256()))
        return f"{signed}.{part(der)}"

    def _keys(self) -> dict[str, Callable[[], str]]:
        kids: tuple[Any, ...] = (
            "nobody", "", "../../dev/null", "/dev/null", "rsa\0", "RSA", "' OR 1=1 --",
            "file:///etc/passwd", "http://169.254.169.254/", "| id", "k" * 4_000, 1, True, None,
            ["rsa"], {"rsa": 1},
        )  # fmt: skip
        named = {
            f"kid {str(kid)[:30]!r}": partial(self.sealed, self.claims(), kid=kid) for kid in kids
        }
        stranger = pairs()["stranger"].jwk
        return named | {
            "kid missing": lambda: self.sealed(self.claims(), kid=...),
            "kid of the key that seals": lambda: self.sealed(self.claims(), kid="sealing"),
            "kid of another kind of key": lambda: self.sealed(self.claims(), kid="ec"),
            "EdDSA under the RSA key": lambda: self.sealed(self.claims(), by="okp", kid="rsa"),
            "signed by a stranger": lambda: self.good("stranger"),
            "signed by a stranger's EC key": lambda: self.good("ec-stranger"),
            "a stranger with jku": lambda: self.sealed(self.claims(), by="stranger", jku=EVIL),
            "a stranger with x5u": lambda: self.sealed(self.claims(), by="stranger", x5u=EVIL),
            "a stranger with jwk": lambda: self.sealed(self.claims(), by="stranger", jwk=stranger),
            "a stranger with x5c": lambda: self.sealed(self.claims(), by="stranger", x5c=["MIIB"]),
            "a stranger with jku to a file": lambda: self.sealed(
                self.claims(), by="stranger", jku="file:///etc/passwd"
            ),
            "a stranger under an unknown kid with jku": lambda: self.sealed(
                self.claims(), by="stranger", kid="evil", jku=EVIL
            ),
        }

    def _headers(self) -> dict[str, Callable[[], str]]:
        changes: tuple[dict[str, Any], ...] = (
            {"crit": ["exp"], "exp": 1}, {"crit": ["b64"], "b64": True}, {"crit": []},
            {"crit": None}, {"crit": "exp"}, {"crit": ["https://evil.test/ext"]},
            {"b64": False}, {"b64": False, "crit": ["b64"]}, {"zip": "DEF"}, {"enc": "A256GCM"},
            {"cty": "JWT"}, {"typ": "logout+jwt"}, {"typ": "dpop+jwt"}, {"typ": "secevent+jwt"},
            {"typ": "entity-statement+jwt"}, {"typ": "refresh+jwt"}, {"typ": 5}, {"typ": ["JWT"]},
        )  # fmt: skip
        return {
            f"header {str(one)[:40]}": partial(self.sealed, self.claims(), **one) for one in changes
        }

    def _issuers_and_audiences(self) -> dict[str, Callable[[], str]]:
        changes: tuple[dict[str, Any], ...] = (
            {"iss": "https://evil.test"}, {"iss": self.issuer + "/"}, {"iss": self.issuer.upper()},
            {"iss": [self.issuer]}, {"iss": self.issuer + "\0"}, {"iss": " " + self.issuer},
            {"iss": ...}, {"iss": None}, {"iss": {self.issuer: 1}}, {"iss": ""},
            {"aud": "other"}, {"aud": AUDIENCE + "-test"}, {"aud": AUDIENCE.upper()}, {"aud": []},
            {"aud": None}, {"aud": {AUDIENCE: 1}}, {"aud": ...}, {"aud": [[AUDIENCE]]},
            {"aud": 5}, {"aud": "*"}, {"aud": ""}, {"aud": f"{AUDIENCE} other"},
            {"aud": ["other", 5]}, {"aud": None, "client_id": AUDIENCE},
            {"aud": ..., "client_id": AUDIENCE}, {"aud": ..., "client_id": "other"},
            {"aud": ..., "client_id": [AUDIENCE], "token_use": "access"},
            {"aud": ..., "client_id": "other", "token_use": "access"},
            {"aud": "other", "client_id": AUDIENCE, "token_use": "access"},
            {"aud": ..., "azp": AUDIENCE}, {"aud": ..., "appid": AUDIENCE},
        )  # fmt: skip
        return {f"claims {one}": partial(self.good, **one) for one in changes}

    def _times(self) -> dict[str, Callable[[], str]]:
        changes: tuple[dict[str, Any], ...] = (
            {"exp": LONG_AGO + 60}, {"exp": 0}, {"exp": -1}, {"exp": ...}, {"exp": None},
            {"exp": "never"}, {"exp": str(FAR_AHEAD)}, {"exp": [FAR_AHEAD]}, {"exp": True},
            {"exp": float("inf")}, {"exp": float("nan")}, {"exp": {"$gt": 0}},
            {"nbf": FAR_AHEAD - 1}, {"nbf": "soon"}, {"nbf": None}, {"nbf": float("nan")},
            {"iat": FAR_AHEAD - 1}, {"iat": ...}, {"iat": None}, {"iat": "1000000000"},
            {"iat": True}, {"iat": float("inf")},
        )  # fmt: skip
        return {f"claims {one}": partial(self.good, **one) for one in changes}

    def _subjects_and_kinds(self) -> dict[str, Callable[[], str]]:
        changes: tuple[dict[str, Any], ...] = (
            {"sub": ...}, {"sub": ""}, {"sub": None}, {"sub": 5}, {"sub": ["user-1"]},
            {"sub": {"user": 1}}, {"sub": "x" * 256},
            {"token_use": "id"}, {"token_use": "refresh"}, {"token_use": ""}, {"token_use": None},
            {"token_use": ["access"]}, {"token_use": "ACCESS"},
        )  # fmt: skip
        return {f"claims {str(one)[:40]}": partial(self.good, **one) for one in changes}

    def _json(self) -> dict[str, Callable[[], str]]:
        good = json.dumps(self.claims())[1:-1]
        head = '"alg":"RS256","kid":"rsa"'
        texts = {
            "subject twice": f'{{{good},"sub":"admin"}}',
            "expiry twice": f'{{{good},"exp":{FAR_AHEAD}}}',
            "scope twice": f'{{{good},"scope":"user","scope":"admin"}}',
            "audience twice": f'{{"aud":"other",{good}}}',
            "a name twice, once escaped": f'{{{good},"\\u0073ub":"admin"}}',
            "twice in depth": f'{{{good},"act":{{"sub":"a","sub":"b"}}}}',
            "a comment": f"{{{good}/* */}}",
            "something behind": f"{{{good}}} x",
            "a byte order mark": "\ufeff{" + good + "}",
            "no object": "[1]",
            "a text": '"claims"',
            "nothing": "",
            "null": "null",
            "not UTF-8": f'{{{good},"x":"\udcff"}}',
            "an infinite number": f'{{{good},"x":Infinity}}',
            "a number of 5,000 digits": f'{{{good},"x":{"9" * 5_000}}}',
        }
        payloads = {
            f"claims with {name}": partial(
                self.signed_text,
                part(f"{{{head}}}".encode()),
                part(text.encode("utf-8", "surrogateescape")),
            )
            for name, text in texts.items()
        }
        claims = part(self.claims())
        heads = {
            "alg twice": f'{{"alg":"none",{head}}}',
            "alg twice, the good one first": f'{{{head},"alg":"none"}}',
            "kid twice": f'{{"kid":"nobody",{head}}}',
            "a comment": f"{{{head}}} //",
            "no object": "[1]",
            "nothing": "",
            "a deep nest": "[" * 6_000,
            "deep objects": '{"a":' * 1_200,
        }
        return payloads | {
            f"header with {name}": partial(self.signed_text, part(text.encode()), claims)
            for name, text in heads.items()
        } | {
            "claims a deep nest": lambda: self.signed_text(
                part(f"{{{head}}}".encode()), part(b"[" * 5_000)
            ),
        }  # fmt: skip

    def _base64(self) -> dict[str, Callable[[], str]]:
        head, body, signature = self.good().split(".")
        odd = part(json.dumps(self.claims(x="\u00fb\u00ff" * 3), ensure_ascii=False).encode())
        assert set(odd) & set("-_")
        endings = (part(self.claims(x="y" * length)) for length in range(3))
        loose = next(text for text in endings if len(text) % 4)
        # The standard alphabet's letters and padding, and bits that a lax reader skips.
        return {
            "padding": lambda: f"{head}.{body}.{signature}==",
            "padding in the claims": lambda: self.signed_text(head, body + "="),
            "the standard alphabet": lambda: self.signed_text(
                head, odd.replace("-", "+").replace("_", "/")
            ),
            "spare bits in the signature": lambda: f"{head}.{body}.{spare(signature)}",
            "spare bits in the claims": lambda: self.signed_text(head, spare(loose)),
            "a line end in the claims": lambda: self.signed_text(head, body[:8] + "\n" + body[8:]),
            "a space in the signature": lambda: f"{head}.{body}.{signature[:9]} {signature[9:]}",
            "a NUL in the header": lambda: self.signed_text(head[:4] + "\0" + head[4:], body),
            "rubbish in the claims": lambda: self.signed_text(head, body[:8] + "!" + body[8:]),
            "percent signs": lambda: f"{head}%2E{body}%2E{signature}",
            "not ASCII": lambda: self.good() + "\u00e9",
            "full-width dots": lambda: f"{head}\uff0e{body}\uff0e{signature}",
        }  # fmt: skip

    def _shapes(self) -> dict[str, Callable[[], str]]:
        head, body, signature = self.good().split(".")
        sealed = part(zlib.compress(json.dumps(self.claims()).encode()))
        return {
            "a megabyte of claims": lambda: self.good(note="x" * 1_000_000),
            "a megabyte of nothing": lambda: "a" * 1_000_000,
            "a megabyte of dots": lambda: "." * 1_000_000,
            "just too long": lambda: self.good(note="x" * 32_768),
            "two parts": lambda: f"{head}.{body}",
            "two parts and a dot": lambda: f"{head}.{body}.",
            "four parts": lambda: f"{head}.{body}.{signature}.x",
            "five parts, as of a JWE": lambda: f"{head}.{body}.{signature}.x.y",
            "no header": lambda: f".{body}.{signature}",
            "no claims": lambda: f"{head}..{signature}",
            "only dots": lambda: "..",
            "signature cut": lambda: self.good()[:-10],
            "signature lengthened": lambda: self.good() + "AAAA",
            "claims of another": lambda: f"{head}.{part(self.claims(sub='admin'))}.{signature}",
            "claims packed": lambda: self.signed_text(head, sealed),
            "a JWS as JSON": lambda: json.dumps(
                {"protected": head, "payload": body, "signature": signature}
            ),
            "two tokens": lambda: f"{self.good()} {self.good()}",
            "two tokens by a comma": lambda: f"{self.good()},Bearer {self.good()}",
            "a quote": lambda: "q1.k1." + body + "." + signature,
            "quotation marks": lambda: f'"{self.good()}"',
        }


def spare(text: str) -> str:
    """Return the same bytes in another spelling: a last letter has bits that say nothing."""
    free = {2: 4, 3: 2}[len(text) % 4]
    last = BASE64.index(text[-1])
    assert last % (1 << free) == 0
    return text[:-1] + BASE64[last + 1]
