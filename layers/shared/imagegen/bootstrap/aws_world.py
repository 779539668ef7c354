"""The world in production: stores in DynamoDB and S3, keys in SSM, vendors' clients, real time."""

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING

from imagegen.aws import clients
from imagegen.aws.parameters import SPREAD_MS, SsmParameters
from imagegen.bootstrap.aws_table import AwsTable
from imagegen.bootstrap.catalog_file import load_catalog
from imagegen.bootstrap.providers import Providers
from imagegen.bootstrap.world import StoredImages
from imagegen.domain.catalog import Catalog
from imagegen.domain.errors import ConfigurationError
from imagegen.domain.ids import log_name
from imagegen.domain.ports import ImageProvider, Llm, Moderator
from imagegen.domain.quote import Keyring, parse_keyring
from imagegen.domain.uploads import UploadStore
from imagegen.monitoring.observer import LogObserver
from imagegen.settings import Settings
from imagegen.usecases.availability import ProviderSetup

if TYPE_CHECKING:
    from imagegen.domain.erasures import ErasingStores
    from imagegen.domain.previews import PreviewStore

ID_BYTES = 6
"""The ids of runs are kept in the ledger, so they are short."""


def now_ms(settings: Settings) -> int:
    """Return the time in ms since 1970, with the offset that a local stack may set."""
    return time.time_ns() // 1_000_000 + settings.clock_offset_seconds * 1000


@dataclass(frozen=True)
class AwsWorld(AwsTable):
    """``World`` in AWS."""

    bucket_name: str = ""
    """Empty for the functions that have no access to the bucket."""
    function_name: str = ""
    """Only the function ``generate`` invokes itself."""

    @cached_property
    def catalog(self) -> Catalog:
        """The models and their prices."""
        return load_catalog()

    @cached_property
    def images(self) -> StoredImages:
        """The finished images."""
        # Imported here: functions without a bucket do not load it, and prices without inputs.
        from imagegen.aws.image_store import S3ImageStore  # noqa: PLC0415

        return S3ImageStore(clients.s3(), self.bucket_name, self.image_id_key)

    def name_in_logs(self, user: str) -> str:
        """Return the name of a user in logs."""
        return log_name(user, self.image_id_key())

    @cached_property
    def uploads(self) -> UploadStore:
        """The pictures that users sent in."""
        from imagegen.aws.upload_store import S3UploadStore  # noqa: PLC0415 as above

        return S3UploadStore(clients.s3(), self.bucket_name, self.image_id_key)

    @cached_property
    def previews(self) -> "PreviewStore":
        """The preview frames of images that are being made."""
        from imagegen.aws.preview_store import S3PreviewStore  # noqa: PLC0415 as above

        return S3PreviewStore(clients.s3_frames(), self.bucket_name, self.image_id_key)

    @cached_property
    def erasing(self) -> "ErasingStores":
        """The stores of erasures."""
        from imagegen.bootstrap.erasing import aws_erasing  # noqa: PLC0415 few invocations erase

        return aws_erasing(self)

    @cached_property
    def observer(self) -> LogObserver:
        """The logs and metrics."""
        settings = self.settings
        level = settings.powertools_log_level
        return LogObserver(settings.stack_name, level, self.catalog.providers, self.now_ms)

    @cached_property
    def parameters(self) -> SsmParameters:
        """The keys and flags."""
        path, earlier_ms = self.settings.parameters_path, partial(secrets.randbelow, SPREAD_MS)
        return SsmParameters(clients.ssm(), path, self.now_ms, earlier_ms)

    @cached_property
    def providers(self) -> Providers:
        """The clients of providers, moderation and LLM."""
        names, on_set_aside = tuple(self.catalog.providers), self.observer.key_set_aside
        return Providers(self.settings, names, self.parameters.values, self.now_ms, on_set_aside)

    def now_ms(self) -> int:
        """Return the time in ms since 1970."""
        return now_ms(self.settings)

    def pause(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)

    def post(
        self, url: str, body: str, headers: Mapping[str, str], *, timeout_seconds: float
    ) -> tuple[int, bytes]:
        """Return status and body of what one of our own functions answers to a JSON body.

        Raises:
            OSError, http.client.HTTPException: no answer came in time.
        """
        from imagegen.bootstrap.relaying import post  # noqa: PLC0415 only MCP's views need it

        return post(url, body, headers, timeout_seconds=timeout_seconds)

    def start_run(self, event: str) -> None:
        """Send an event to this function's alias.

        Raises:
            StoreUnavailableError: it may have been accepted or not.
        """
        # Imported here: few requests are answered before their image is made.
        from imagegen.aws.run_starter import LambdaRunStarter  # noqa: PLC0415

        LambdaRunStarter(clients.functions(), self.function_name).start(event)

    def run_at_once[T](self, tasks: Sequence[Callable[[], T]]) -> list[T]:
        """Return the results of tasks that run at the same time, in their order."""
        from imagegen.bootstrap.at_once import run_at_once  # noqa: PLC0415 as above

        return run_at_once(tasks)

    def random_bytes(self, count: int) -> bytes:
        """Return bytes that cannot be guessed."""
        return secrets.token_bytes(count)

    def new_id(self) -> str:
        """Return a random id for a run, call or message."""
        return secrets.token_hex(ID_BYTES)

    def setups(self) -> Mapping[str, ProviderSetup]:
        """Return which providers have a credential and are switched on."""
        return self.providers.setups()

    def get_provider(self, name: str) -> ImageProvider:
        """Return a provider with the keys that are set now.

        Raises:
            ConfigurationError: there is no such provider.
        """
        return self.providers.image_provider(name)

    def moderated_by(self) -> str:
        """Return the provider that moderates the prompts, an empty text if there is none."""
        return self.providers.moderated_by()

    def get_moderator(self) -> Moderator | None:
        """Return the moderator, ``None`` without a credential for it."""
        return self.providers.moderator()

    def get_llm(self) -> Llm:
        """Return the chat's LLM with the key that is set now.

        Raises:
            ConfigurationError: no model or no key is set.
        """
        return self.providers.llm()

    def page_url(self) -> str:
        """Return the URL of the page function; empty if it is not known.

        It is a parameter, because the page's environment has the URLs of the other functions: the
        template cannot give each of two functions the URL of the other.
        """
        return self.parameters.values().get("PAGE_URL", "")

    def keyring(self) -> Keyring:
        """Return the keys that sign quotes.

        Raises:
            ConfigurationError: none are set.
        """
        return parse_keyring(self.parameters.values().get("QUOTE_KEYS", ""))

    def image_id_key(self) -> bytes:
        """Return the key that masks image ids and from which people's pseudonyms are derived.

        It must never change: the ids already given out would become invalid, and stored images
        would not be found.

        Raises:
            ConfigurationError: it is not set.
        """
        key = self.parameters.values().get("IMAGE_ID_KEY", "")
        if len(key) < 32:
            raise ConfigurationError("IMAGE_ID_KEY is not set: run `make deploy-env`.")
        return key.encode()
