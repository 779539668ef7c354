"""What ``estimate`` needs. It loads no vendor client: a cold start must stay short."""

import os
import secrets
from functools import cache, partial

from imagegen.aws import clients
from imagegen.aws.record_store import DynamoRecordStore
from imagegen.bootstrap.priming import prime
from imagegen.bootstrap.shared import (
    get_catalog,
    get_ledgers,
    get_opener,
    get_parameters,
    get_switchboard,
    get_verifier,
    image_id_key,
    keyring,
    load_tokens,
    now_ms,
)
from imagegen.domain.ids import NONCE_BYTES
from imagegen.settings import EstimateSettings, MoneySettings
from imagegen.usecases.estimator import Estimator, Secrets
from imagegen.usecases.model_list import ModelLister
from imagegen.usecases.tracing import LedgerStatusReader


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
def get_status_reader() -> LedgerStatusReader:
    """Return who says where an image stands, without seeing any."""
    settings = EstimateSettings.from_env(os.environ)
    records = DynamoRecordStore(clients.dynamodb(), settings.table_name)
    return LedgerStatusReader(get_ledgers(), records, image_id_key, settings.images_url)


@cache
def get_lister() -> ModelLister:
    """Return who lists the models."""
    return ModelLister(get_catalog(), get_switchboard(), now_ms)


prime(get_estimator, get_parameters, get_verifier, load_tokens, get_opener)
