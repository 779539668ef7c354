"""What ``generate`` needs."""

import os
import secrets
import time
from functools import cache

from imagegen.aws import clients
from imagegen.aws.image_store import S3ImageStore
from imagegen.aws.record_store import DynamoRecordStore
from imagegen.bootstrap.priming import prime
from imagegen.bootstrap.providers import moderator, provider
from imagegen.bootstrap.shared import (
    PROVIDER_TIMEOUT_SECONDS,
    emit,
    get_catalog,
    get_guard,
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
from imagegen.domain.money import usd_text
from imagegen.domain.records import ImageRecord
from imagegen.logs import logger
from imagegen.monitoring.samples import image_samples, reconciled_samples
from imagegen.settings import GenerateSettings
from imagegen.usecases.generate.answers import Presenter
from imagegen.usecases.generate.attempts import ProviderLoop
from imagegen.usecases.generate.generator import Generator
from imagegen.usecases.generate.holds import Holds
from imagegen.usecases.generate.moderation import PromptModeration
from imagegen.usecases.generate.reconciler import Ended, Reconciler
from imagegen.usecases.generate.replay import Replayer
from imagegen.usecases.generate.storage import ImageKeeper
from imagegen.usecases.status import ImageFinder
from imagegen.usecases.usage import UsageReader


@cache
def get_generate_settings() -> GenerateSettings:
    """Return what ``generate`` reads.

    Raises:
        pydantic.ValidationError: names every variable that is missing or wrong.
    """
    return GenerateSettings.from_env(os.environ)


@cache
def get_images() -> S3ImageStore:
    """Return where finished images are."""
    return S3ImageStore(clients.s3(), get_generate_settings().bucket_name)


@cache
def get_records() -> DynamoRecordStore:
    """Return the usage records."""
    return DynamoRecordStore(clients.dynamodb(), get_generate_settings().table_name)


@cache
def get_reconciler() -> Reconciler:
    """Return who ends what dead runs left."""
    return Reconciler(get_ledgers(), get_images(), get_records(), now_ms, log_reconciled)


@cache
def get_generator() -> Generator:
    """Return who makes images."""
    settings = get_generate_settings()
    return Generator(
        catalog=get_catalog(),
        reserver=Holds(get_ledgers(), get_reconciler(), settings.limits, now_ms, new_run_id),
        gatekeeper=PromptModeration(moderator, settings.moderation),
        drawer=ProviderLoop(
            catalog=get_catalog(),
            guard=get_guard(),
            provider=provider,
            availability=get_switchboard().availability,
            now_ms=now_ms,
            call_timeout_seconds=PROVIDER_TIMEOUT_SECONDS,
            fallback_after_unknown=settings.fallback_after_unknown,
        ),
        keeper=ImageKeeper(
            ledgers=get_ledgers(),
            images=get_images(),
            records=get_records(),
            replayer=get_replayer(),
            now_ms=now_ms,
            pause=time.sleep,
            on_finished=log_finished,
        ),
        replayer=get_replayer(),
        keyring=keyring,
        now_ms=now_ms,
    )


def new_run_id() -> str:
    """Return a name that no other run of a quote has; short, for it is kept in the ledger."""
    return secrets.token_hex(6)


@cache
def get_replayer() -> Replayer:
    """Return who answers for quotes that were used before."""
    return Replayer(
        get_catalog(), get_ledgers(), get_images(), get_records(), get_reconciler(), now_ms
    )


@cache
def get_finder() -> ImageFinder:
    """Return who answers for one image."""
    return ImageFinder(
        get_ledgers(), get_images(), get_records(), get_reconciler(), image_id_key, now_ms
    )


@cache
def get_usage_reader() -> UsageReader:
    """Return who reads a user's usage."""
    limits = get_generate_settings().limits
    return UsageReader(get_ledgers(), get_records(), limits, image_id_key, now_ms)


@cache
def get_presenter() -> Presenter:
    """Return who writes the answers."""
    return Presenter(get_generate_settings().limits, now_ms)


def log_finished(record: ImageRecord) -> None:
    """Log and meter a confirmed request that ended."""
    emit(image_samples(record, get_catalog().providers))
    logger.info(
        "generation finished",
        status_word=record.status,
        quote_id=record.quote_id,
        tier=record.tier,
        provider=record.provider,
        model=record.model,
        charged_usd=usd_text(record.charged_microusd),
        in_doubt_usd=usd_text(record.in_doubt_microusd),
        duration_ms=record.duration_ms,
        code=record.code,
        attempts=[
            {"provider": a.provider, "model": a.model, "outcome": a.outcome, "code": a.code}
            for a in record.attempts
        ],
    )


def log_reconciled(ended: Ended) -> None:
    """Log and meter a request that a dead run left."""
    what = "settled" if ended.is_settled else "released"
    logger.warning("dead run ended", outcome=what, held_usd=usd_text(ended.microusd))
    emit(reconciled_samples(ended))


# Vendor clients are left out: most requests are for an image or a status, and draw nothing.
prime(get_generator, get_parameters, get_verifier, load_tokens, get_opener)
