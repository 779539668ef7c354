"""The outside world as one protocol: AWS in production, fakes in tests and benchmarks."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from imagegen.domain.catalog import Catalog
from imagegen.domain.fleet import CircuitStore, KeyCheckStore, SwitchStore
from imagegen.domain.personal_limits import PersonalLimitStore
from imagegen.domain.ports import ImageProvider, Llm, Moderator, WaitingPlaces
from imagegen.domain.quote import Keyring
from imagegen.domain.records import ImageRecord
from imagegen.domain.stores import ImageContent, ImageStore, LedgerStore, RecordStore
from imagegen.domain.uploads import UploadStore
from imagegen.domain.vendor_prices import PriceCheckStore
from imagegen.guard import Transition
from imagegen.usecases.availability import ProviderSetup

if TYPE_CHECKING:
    # Their modules are not loaded by functions that do not use them.
    from imagegen.domain.budget_amounts import AmountStore
    from imagegen.domain.budget_warnings import BudgetWarningStore
    from imagegen.domain.budgets import BudgetStore
    from imagegen.domain.chat_usage import ChatUsageStore
    from imagegen.domain.erasures import ErasingStores
    from imagegen.domain.gallery import PromptStore
    from imagegen.domain.jobs import JobStore
    from imagegen.domain.keys import KeyStore
    from imagegen.domain.previews import PreviewStore
    from imagegen.usecases.generate.reconciler import EndedHold
    from imagegen.usecases.key_checks import KeyCheckResults
    from imagegen.usecases.price_checks import PriceCheckResults
    from imagegen.wire.messages import MessageComplete


class StoredImages(ImageStore, ImageContent, Protocol):
    """The finished images, with access to their bytes."""


class StoredLedgers(LedgerStore, WaitingPlaces, PersonalLimitStore, Protocol):
    """The users' ledgers, with the places in which repetitions wait and the limits of each."""


class StoredCircuits(CircuitStore, KeyCheckStore, PriceCheckStore, SwitchStore, Protocol):
    """The circuits, and beside them the results of checks and the operators' switches."""


class Observer(Protocol):
    """Logs and counts the events that operators should see."""

    def circuit_moved(self, transition: Transition) -> None:
        """Report a circuit that changed its state."""

    def request_finished(self, record: ImageRecord) -> None:
        """Report a confirmed request that ended."""

    def dead_run_ended(self, ended: "EndedHold") -> None:
        """Report a dead run whose hold the reconciler has ended."""

    def swept(self) -> None:
        """Report a scheduled sweep of the reconciler that ended."""

    def keys_checked(self, results: "KeyCheckResults") -> None:
        """Report a check of the providers' keys."""

    def prices_checked(self, results: "PriceCheckResults") -> None:
        """Report a check of the catalog's prices."""

    def chat_answered(self, message: "MessageComplete") -> None:
        """Report a chat's answer."""

    def unexpected_error(self, error: Exception) -> None:
        """Report an error that no code handles; its text may hold a prompt."""


class World(Protocol):
    """The stores, providers, keys, clock and random values. Each is built when it is first used."""

    @property
    def catalog(self) -> Catalog:
        """The models and their prices."""

    @property
    def ledgers(self) -> StoredLedgers:
        """The users' ledgers."""

    @property
    def amounts(self) -> "AmountStore":
        """The amounts that operators set for budgets above the users."""

    @property
    def budgets(self) -> "BudgetStore":
        """The budgets of the levels above the users."""

    @property
    def warnings(self) -> "BudgetWarningStore":
        """The warnings of budgets above the users; ``generate`` alone may write them."""

    @property
    def records(self) -> RecordStore:
        """The usage records."""

    @property
    def prompts(self) -> "PromptStore":
        """The prompts of stored images."""

    @property
    def jobs(self) -> "JobStore":
        """The jobs that providers accepted, by request."""

    @property
    def images(self) -> StoredImages:
        """The finished images; ``generate`` alone may write them."""

    @property
    def uploads(self) -> UploadStore:
        """The pictures that users sent in as inputs."""

    @property
    def previews(self) -> "PreviewStore":
        """The preview frames of images that are being made."""

    @property
    def erasing(self) -> "ErasingStores":
        """The stores of erasures; ``generate`` alone may use them."""

    @property
    def circuits(self) -> StoredCircuits:
        """The circuits of all instances."""

    @property
    def chat_usages(self) -> "ChatUsageStore":
        """What each person used of the chat."""

    @property
    def program_keys(self) -> "KeyStore":
        """The keys for programs."""

    @property
    def observer(self) -> Observer:
        """The logs and metrics."""

    def now_ms(self) -> int:
        """Return the time in ms since 1970."""

    def pause(self, seconds: float) -> None:
        """Wait."""

    def post(
        self, url: str, body: str, headers: Mapping[str, str], *, timeout_seconds: float
    ) -> tuple[int, bytes]:
        """Return status and body of what one of our own functions answers to a JSON body.

        Raises:
            OSError, http.client.HTTPException: no answer came in time.
        """

    def start_run(self, event: str) -> None:
        """Send an event, as JSON, to the function ``generate``, which receives it later.

        Raises:
            StoreUnavailableError: it may have been accepted or not.
        """

    def run_at_once[T](self, tasks: Sequence[Callable[[], T]]) -> list[T]:
        """Return the results of tasks that run at the same time, in their order."""

    def random_bytes(self, count: int) -> bytes:
        """Return bytes that cannot be guessed."""

    def new_id(self) -> str:
        """Return a random id for a run, call or message."""

    def setups(self) -> Mapping[str, ProviderSetup]:
        """Return which providers have a key and are switched on."""

    def get_provider(self, name: str) -> ImageProvider:
        """Return a provider with the keys that are set now.

        Raises:
            ConfigurationError: there is no such provider.
        """

    def moderated_by(self) -> str:
        """Return the provider that moderates the prompts, an empty text if there is none."""

    def get_moderator(self) -> Moderator | None:
        """Return the moderator, ``None`` without a credential for it."""

    def get_llm(self) -> Llm:
        """Return the chat's LLM with the key that is set now.

        Raises:
            ConfigurationError: no model or no key is set.
        """

    def page_url(self) -> str:
        """Return the URL of the page function; empty if it is not known."""

    def keyring(self) -> Keyring:
        """Return the keys that sign quotes.

        Raises:
            ConfigurationError: none are set.
        """

    def image_id_key(self) -> bytes:
        """Return the key that masks image ids and from which people's pseudonyms are derived.

        Raises:
            ConfigurationError: it is not set.
        """
