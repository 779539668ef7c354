"""What every function needs: settings, clock, catalog, keys, circuits, ledgers."""

import os
import sys
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterable, Mapping
from functools import cache, partial
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit

from imagegen.aws import clients
from imagegen.aws.circuit_store import DynamoCircuitStore
from imagegen.aws.ledger_store import DynamoLedgerStore
from imagegen.aws.parameters import SsmParameters
from imagegen.domain.breaker import Policy
from imagegen.domain.catalog import Catalog, parse_catalog
from imagegen.domain.errors import ConfigurationError
from imagegen.domain.quote import Keyring, parse_keyring
from imagegen.edge.tokens import ScopeNames, TokenVerifier, build_verifier
from imagegen.guard import Guard, Transition
from imagegen.logs import logger
from imagegen.monitoring.metrics import Sample, line
from imagegen.monitoring.samples import transition_samples
from imagegen.places import LOOPBACK
from imagegen.providers import PROVIDERS, flag_name
from imagegen.providers.keys import parse_keys
from imagegen.settings import Settings
from imagegen.usecases.availability import ProviderSetup, Switchboard

CATALOG = "provider_catalog.json"
JWKS_SECONDS = 2.0
MAX_JWKS_BYTES = 262_144
PROVIDER_TIMEOUT_SECONDS = 120.0
PROBE_MARGIN_MS = 15_000


@cache
def get_settings() -> Settings:
    """Return what every function reads.

    Raises:
        pydantic.ValidationError: names every variable that is missing or wrong.
    """
    return Settings.from_env(os.environ)


def now_ms() -> int:
    """Return the time in ms; a local stack may be told to live in another."""
    return time.time_ns() // 1_000_000 + get_settings().clock_offset_seconds * 1000


def get_clock() -> Callable[[], int]:
    """Return the clock, for handlers: what one of them says of time must be what the rest says."""
    return now_ms


@cache
def get_catalog() -> Catalog:
    """Return the catalog: beside the package in the layer, at the root of a checkout."""
    beside = files("imagegen").joinpath(CATALOG)
    if beside.is_file():
        return parse_catalog(beside.read_text())
    return parse_catalog((Path(__file__).parents[4] / CATALOG).read_text())


@cache
def get_verifier() -> TokenVerifier:
    """Return who checks tokens.

    Raises:
        ConfigurationError: no issuer is set: the function must not serve.
    """
    settings = get_settings()
    url = settings.jwt_jwks_url or f"{settings.jwt_issuer.rstrip('/')}/.well-known/jwks.json"
    return build_verifier(
        settings.jwt_issuer,
        settings.jwt_audience,
        fetch=partial(_fetch, url),
        now_ms=now_ms,
        scope_names=ScopeNames(settings.jwt_user_scope, settings.jwt_admin_scope),
    )


class _Nowhere(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: keys come from the configured address and from no other."""

    def redirect_request(self, *_: object) -> None:
        """Return no request to go on with: urllib makes an error of the answer."""


@cache
def get_opener() -> urllib.request.OpenerDirector:
    """Return who fetches keys; reading the system's certificates takes it 40 ms."""
    # No proxy of the environment either.
    return urllib.request.build_opener(_Nowhere, urllib.request.ProxyHandler({}))


def load_tokens() -> None:
    """Load what checks tokens."""
    import_module("jwt")


def _fetch(url: str) -> bytes:
    """Return the issuer's keys; plain http only from this very machine."""
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise ConfigurationError("The issuer's keys must be fetched over https.")
    with get_opener().open(url, timeout=JWKS_SECONDS) as answer:
        content: bytes = answer.read(MAX_JWKS_BYTES)
    return content


@cache
def get_parameters() -> SsmParameters:
    """Return the keys and flags."""
    return SsmParameters(clients.ssm(), get_settings().parameters_path, now_ms)


def setups() -> Mapping[str, ProviderSetup]:
    """Return which providers have a key and are switched on."""
    values = get_parameters().values()
    return {
        name: ProviderSetup(
            bool(parse_keys(values.get(PROVIDERS[name].key_name, ""))),
            values.get(flag_name(name), "true").strip().lower() != "false",
        )
        for name in get_catalog().providers
    }


def keyring() -> Keyring:
    """Return the keys that sign quotes.

    Raises:
        ConfigurationError: none are set.
    """
    return parse_keyring(get_parameters().values().get("QUOTE_KEYS", ""))


def image_id_key() -> bytes:
    """Return the key that masks image ids. It must never change: the ids would be lost.

    Raises:
        ConfigurationError: it is not set.
    """
    key = get_parameters().values().get("IMAGE_ID_KEY", "")
    if len(key) < 32:
        raise ConfigurationError("IMAGE_ID_KEY is not set: run `make deploy-env`.")
    return key.encode()


@cache
def get_circuits() -> DynamoCircuitStore:
    """Return the circuits of the fleet."""
    return DynamoCircuitStore(clients.dynamodb(), get_settings().table_name)


@cache
def get_ledgers() -> DynamoLedgerStore:
    """Return the users' ledgers."""
    return DynamoLedgerStore(clients.dynamodb(), get_settings().table_name)


@cache
def get_guard() -> Guard:
    """Return who admits calls to providers."""
    probe_ms = int(PROVIDER_TIMEOUT_SECONDS * 1000) + PROBE_MARGIN_MS
    policy = Policy(probe_ms=probe_ms)
    return Guard(get_circuits(), policy, now_ms, lambda: uuid.uuid4().hex[:16], log_transition)


@cache
def get_switchboard() -> Switchboard:
    """Return who knows which models could be called."""
    return Switchboard(get_catalog(), setups, get_guard())


def log_transition(move: Transition) -> None:
    """Log and meter a circuit that moved."""
    logger.warning("circuit moved", circuit=move.name, old=move.old, new=move.new, why=move.why)
    emit(transition_samples(move))


def emit(samples: Iterable[Sample]) -> None:
    """Write samples to the function's log, where CloudWatch takes them from."""
    settings, at_ms = get_settings(), now_ms()
    level = settings.powertools_log_level
    for sample in samples:
        said = line(sample, stack=settings.stack_name, level=level, now_ms=at_ms)
        sys.stdout.write(f"{said}\n")
