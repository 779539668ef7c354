"""What the routes under /v1 need: estimate and generate in one function."""

import time
from functools import cache

from imagegen.bootstrap.estimate import get_estimator
from imagegen.bootstrap.generate import (
    get_generate_settings,
    get_generator,
    get_images,
    get_reconciler,
    get_records,
    new_run_id,
)
from imagegen.bootstrap.shared import get_catalog, get_ledgers, image_id_key, now_ms
from imagegen.openai_api.answers import OpenAiPresenter
from imagegen.openai_api.buyer import Buyer


@cache
def get_buyer() -> Buyer:
    """Return who buys an image in one call."""
    return Buyer(
        estimator=get_estimator(),
        generator=get_generator(),
        ledgers=get_ledgers(),
        images=get_images(),
        records=get_records(),
        reconciler=get_reconciler(),
        image_id_key=image_id_key,
        now_ms=now_ms,
        pause=time.sleep,
        new_run_id=new_run_id,
    )


@cache
def get_openai_presenter() -> OpenAiPresenter:
    """Return who writes the answers."""
    limits = get_generate_settings().limits
    return OpenAiPresenter(get_catalog(), get_images(), limits, image_id_key, now_ms)
