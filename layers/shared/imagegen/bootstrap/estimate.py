"""The service of ``estimate``. It loads no vendor client, so that cold starts are short."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from http.client import HTTPException
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from imagegen.aws import clients
from imagegen.bootstrap.aws_world import AwsWorld
from imagegen.bootstrap.pricing import PricingService
from imagegen.bootstrap.service import prime
from imagegen.bootstrap.verifier import get_opener, get_verifier, load_tokens
from imagegen.domain.quality import choose_quality
from imagegen.places import is_on_loopback, public_url
from imagegen.settings import EstimateSettings
from imagegen.usecases.status import LedgerStatusReader
from imagegen.wire.headers import KEY_HEADERS, ON_BEHALF_OF, USER_TOKEN

if TYPE_CHECKING:
    from imagegen.mcp.confirm import Relayed
    from imagegen.usecases.uploads import Uploader

RELAY_SECONDS = 6.0
"""Within the ten seconds of ``estimate``. A run that takes longer goes on without an answer."""
CALLER_HEADERS = ("authorization", USER_TOKEN, *KEY_HEADERS, ON_BEHALF_OF)
"""The headers that say who calls."""


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

    @property
    def image_origins(self) -> list[str]:
        """Where pictures are that a view shows: the address of images, and the buckets behind it.

        The bucket's name is not known here, so it is every bucket of this Region.
        """
        parts = urlsplit(self.settings.images_url)
        if is_on_loopback(self.settings.images_url):
            return [f"{parts.scheme}://{parts.netloc}"]
        region = self.settings.aws_region
        suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
        own = [f"{parts.scheme}://{parts.netloc}"] if parts.netloc else []
        return [*own, f"https://*.s3.{region}.{suffix}"] if region else own

    def relay(self, headers: Mapping[str, str], body: str) -> "Relayed":
        """Send a confirmed offer on, with the token of the request that it came with."""
        from imagegen.mcp.confirm import Relayed  # noqa: PLC0415 only MCP's views need it

        own = {name: headers[name] for name in CALLER_HEADERS if name in headers}
        url = f"{self.settings.images_url}/generate-image"
        try:
            return Relayed(*self.world.post(url, body, own, timeout_seconds=RELAY_SECONDS))
        except (OSError, HTTPException, ValueError):
            # It may have arrived: the run goes on without this function.
            return Relayed()

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
    return EstimateService(AwsWorld(settings, bucket_name=settings.bucket_name), settings)


prime(
    lambda: get_estimate_service().estimator,
    lambda: choose_quality("", None),
    clients.ssm,
    get_verifier,
    load_tokens,
    get_opener,
)
