"""What ``estimate`` needs. It loads no vendor client: a cold start must stay short."""

import os
import secrets
from functools import cache, partial

from imagegen.bootstrap.shared import (
    get_catalog,
    get_ledgers,
    get_switchboard,
    image_id_key,
    keyring,
    now_ms,
)
from imagegen.domain.ids import NONCE_BYTES
from imagegen.settings import MoneySettings
from imagegen.usecases.estimator import Estimator, Secrets
from imagegen.usecases.listing import ModelLister


def _secrets() -> Secrets:
    return Secrets(keyring(), image_id_key())


@cache
def get_estimator() -> Estimator:
    """Return who prices requests."""
    settings = MoneySettings.from_env(os.environ)
    return Estimator(
        catalog=get_catalog(),
        switchboard=get_switchboard(),
        ledgers=get_ledgers(),
        limits=settings.limits,
        price_multiple=settings.fallback_price_multiple,
        secrets=_secrets,
        now_ms=now_ms,
        nonce=partial(secrets.token_bytes, NONCE_BYTES),
    )


@cache
def get_lister() -> ModelLister:
    """Return who lists the models."""
    return ModelLister(get_catalog(), get_switchboard(), now_ms)
