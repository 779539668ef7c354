"""Which base URLs an operator may give to an instance: never a private address by accident."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from imagegen.providers.addresses import BlockedError, is_at, is_public, split_url

PRIVATE: Sequence[IPv4Network | IPv6Network] = (
    IPv4Network("127.0.0.0/8"),
    IPv4Network("10.0.0.0/8"),
    IPv4Network("172.16.0.0/12"),
    IPv4Network("192.168.0.0/16"),
    IPv4Network("100.64.0.0/10"),  # carriers and overlay networks
    IPv6Network("::1/128"),
    IPv6Network("fc00::/7"),
)
"""The networks that may be named. Link-local addresses, which have cloud metadata, are in none."""
PRIVATE_NAMES = (".internal", ".local", ".lan", ".home.arpa", ".localhost", ".svc.cluster.local")


class BaseUrlError(ValueError):
    """The base URL of an instance may not be used; the message says what to do."""


def check_base_url(url: str, *, private_host: str, hosts: Sequence[str]) -> None:
    """Raise unless the base URL may be used.

    A public host needs https. A private one has to be named once more, as ``private_host``, and may
    use http. With ``hosts``, the URL is at one of them or below one.

    Raises:
        BaseUrlError: the message names the field and what to do.
    """
    if not url:
        raise BaseUrlError("baseUrl: it is missing; give the server's address, with its /v1")
    try:
        origin, path = split_url(url)
    except BlockedError as error:
        # The URL itself is not repeated: a password may be in it.
        raise BaseUrlError(f"baseUrl: it is {error}") from error
    host = origin.host
    if "?" in path:
        raise BaseUrlError("baseUrl: it has a query; end it with the path, such as /v1")
    if hosts and not is_at(host, hosts):
        raise BaseUrlError(f"baseUrl: {host!r} is not at {' or '.join(hosts)}")
    if not is_private(host):
        _check_public(host, origin.scheme, private_host)
    elif private_host != host:
        raise BaseUrlError(
            f"baseUrl: {host!r} is on a private network; "
            f'if that is meant, add "privateHost": "{host}"'
        )


def is_private(host: str) -> bool:
    """Return whether a host is an address or a name of a private network."""
    address = _address(host)
    if address is not None:
        return any(address in network for network in PRIVATE)
    return "." not in host or host.endswith(PRIVATE_NAMES)


def _check_public(host: str, scheme: str, private_host: str) -> None:
    if _address(host) is not None and not is_public(host):
        raise BaseUrlError(f"baseUrl: nothing may be requested from {host!r}; use another address")
    if scheme != "https":
        raise BaseUrlError(f"baseUrl: {host!r} is public, so it needs https")
    if private_host:
        raise BaseUrlError(f"privateHost: {host!r} is not on a private network; remove the field")


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None
