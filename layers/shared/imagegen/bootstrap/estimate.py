"""The service of ``estimate``. It loads no vendor client, so that cold starts are short."""

import os
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from imagegen.aws import clients
from imagegen.bootstrap.aws_world import AwsWorld
from imagegen.bootstrap.pricing import PricingService
from imagegen.bootstrap.service import prime
from imagegen.bootstrap.verifier import get_opener, get_verifier, load_tokens
from imagegen.domain.quality import choose_quality
from imagegen.places import public_url
from imagegen.settings import EstimateSettings
from imagegen.usecases.status import LedgerStatusReader

if TYPE_CHECKING:
    from imagegen.usecases.uploads import Uploader


@dataclass(frozen=True)
class EstimateService(PricingService):
    """Prices images, lists models, and reports the status of an image."""

    settings: EstimateSettings

    def page_url(self) -> str:
        """Return the public URL of the page, without a slash at the end; empty if not known."""
        if self.settings.public_page_url:
            return self.settings.public_page_url.rstrip("/")
        host = urlsplit(self.world.page_url()).hostname
        # Not the API's public address: behind it there need not be a page.
        endpoint = self.settings.aws_endpoint_url
        return public_url(endpoint, host, host.partition(".")[0]) if host else ""

    @cached_property
    def uploader(self) -> "Uploader":
        """Hands out links for uploads."""
        # Imported here: only requests for a link need it.
        from imagegen.usecases.uploads import Uploader  # noqa: PLC0415

        world = self.world
        return Uploader(lambda: world.uploads, world.image_id_key, world.now_ms, world.random_bytes)

    @cached_property
    def status_reader(self) -> LedgerStatusReader:
        """Reports an image's status without access to images."""
        world = self.world
        return LedgerStatusReader(
            world.ledgers, world.records, world.image_id_key, self.settings.images_url
        )


@cache
def get_estimate_service() -> EstimateService:
    """Return the service over AWS.

    Raises:
        pydantic.ValidationError: names every variable that is missing or wrong.
    """
    settings = EstimateSettings.from_env(os.environ)
    return EstimateService(AwsWorld(settings, settings.bucket_name), settings)


prime(
    lambda: get_estimate_service().estimator,
    lambda: choose_quality("", None),
    clients.ssm,
    get_verifier,
    load_tokens,
    get_opener,
)
