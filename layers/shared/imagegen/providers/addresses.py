"""Decides from which URLs an image may be downloaded, and to which address to connect.

The URLs come from providers, so they are not trusted: a URL that leads into our own network is
refused (https://cheatsheetseries.owasp.org/cheatsheets/Server_Side_Request_Forgery_Prevention_Cheat_Sheet.html).
"""

import re
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address

type Resolve = Callable[[str, int], list[str]]
"""Returns the addresses of a host and port."""

# This grammar is narrower than that of any URL parser, so that no two parsers can disagree about
# the host: no userinfo, backslash, trailing dot, percent sign, zone, fragment or non-ASCII letter.
URL = re.compile(
    r"(?P<scheme>https?)://"
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})*)"
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>/[!\"$-\[\]-~]*)?"
)
PORTS = {"http": 80, "https": 443}
NUMBER = re.compile(r"0[xX][0-9A-Fa-f]*|[0-9]+")
# Networks that the registry calls global, or that the standard library does not know yet, and that
# nothing may be fetched from.
DENIED_V4 = IPv4Network("192.88.99.0/24")  # relays of 6to4
GLOBAL_V6 = IPv6Network("2000::/3")  # excludes mapped, NAT64, unique local and link-local
DENIED_V6 = (
    IPv6Network("2001::/23"),  # Teredo, benchmarking and other special protocols
    IPv6Network("2002::/16"),  # 6to4 wraps any IPv4 address
    IPv6Network("3fff::/20"),  # documentation
)


class BlockedError(Exception):
    """Nothing may be fetched from this URL; the message does not repeat it."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port."""

    scheme: str
    host: str
    port: int

    def is_loopback(self) -> bool:
        """Return whether the host is ``localhost`` or a loopback address."""
        return self.host == "localhost" or _is_loopback(self.host)


@dataclass(frozen=True, slots=True)
class Target:
    """An origin, the one address to connect to, and the path to request there."""

    origin: Origin
    address: str
    path: str


def split_url(url: str) -> tuple[Origin, str]:
    """Return the origin and the path with its query.

    Raises:
        BlockedError: the URL has other parts than the plain URLs that providers return.
    """
    match = URL.fullmatch(url)
    if match is None:
        raise BlockedError("not a plain http or https URL")
    scheme, host = match["scheme"], match["host"].strip("[]").lower()
    if NUMBER.fullmatch(host.rpartition(".")[2]) and not _is_address(host):
        raise BlockedError("a host that is a number and not a plain address")
    port = int(match["port"] or PORTS[scheme])
    return Origin(scheme, host, port), match["path"] or "/"


def allowed_target(
    url: str, resolve: Resolve, *, own: Origin | None, hosts: Sequence[str] | None = None
) -> Target:
    """Return where to connect for the URL.

    ``own`` is the provider's own origin when that is on loopback; it is the only loopback origin
    that is allowed. Any other URL needs https, port 443, and a name whose addresses are *all*
    public. With ``hosts``, the name is one of them or below one.

    Raises:
        BlockedError: the URL may not be fetched.
        OSError: the name has no address.
    """
    origin, path = split_url(url)
    may_fetch = _is_loopback if origin == own else is_public
    if origin != own and (origin.scheme, origin.port) != ("https", 443):
        raise BlockedError("not https on port 443")
    if origin != own and hosts is not None and not is_at(origin.host, hosts):
        raise BlockedError("a host that is not on the provider's list")
    addresses = [origin.host] if _is_address(origin.host) else resolve(origin.host, origin.port)
    if not addresses or not all(map(may_fetch, addresses)):
        raise BlockedError("an address that is not public")
    return Target(origin, addresses[0], path)


def is_at(host: str, hosts: Sequence[str]) -> bool:
    """Return whether a host is one of these hosts, or below one."""
    return any(host == one or host.endswith(f".{one}") for one in hosts)


def loopback_origin(base_url: str) -> Origin | None:
    """Return the origin of a base URL on loopback, ``None`` for any other base URL."""
    try:
        origin, _ = split_url(base_url)
    except BlockedError:
        return None
    return origin if origin.is_loopback() else None


def is_public(text: str) -> bool:
    """Return whether the text is an address that the whole internet can reach."""
    if not _is_address(text):
        return False
    address = ip_address(text)
    if isinstance(address, IPv6Address):
        wrapped = any(address in network for network in DENIED_V6)
        return address.is_global and address in GLOBAL_V6 and not wrapped
    special = address.is_multicast or address.is_reserved or address in DENIED_V4
    return address.is_global and not special


def resolve_host(host: str, port: int) -> list[str]:
    """Return the addresses of a host, in the order to try them.

    Raises:
        OSError: the host has no address.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return "%" not in text


def _is_loopback(text: str) -> bool:
    return _is_address(text) and ip_address(text).is_loopback
