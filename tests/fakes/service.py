"""The whole service over fakes: what a test of a use case starts from."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count

from imagegen.domain.breaker import Policy
from imagegen.domain.catalog import Catalog
from imagegen.domain.ids import ImageRef
from imagegen.domain.ledger import Ledger, Limits, OpState
from imagegen.domain.moderation import ModerationMode
from imagegen.domain.ports import ImageProvider, Llm, Moderator
from imagegen.domain.quote import Keyring
from imagegen.domain.records import ImageRecord
from imagegen.domain.token_prices import TokenPrices
from imagegen.edge.problems import to_problem
from imagegen.guard import Guard, Transition
from imagegen.openai_api.answers import OpenAiPresenter
from imagegen.openai_api.buyer import Buyer
from imagegen.usecases.availability import ProviderSetup, Switchboard
from imagegen.usecases.chat.chatter import Chatter
from imagegen.usecases.estimator import Estimator, Secrets
from imagegen.usecases.generate.answers import Presenter
from imagegen.usecases.generate.attempts import ProviderLoop
from imagegen.usecases.generate.generator import Generator
from imagegen.usecases.generate.holds import Holds
from imagegen.usecases.generate.moderation import PromptModeration
from imagegen.usecases.generate.reconciler import Ended, Reconciler
from imagegen.usecases.generate.replay import Made, Replayer, Running
from imagegen.usecases.generate.storage import ImageKeeper
from imagegen.usecases.health import HealthReporter
from imagegen.usecases.key_checks import KeyChecker
from imagegen.usecases.model_list import ModelLister
from imagegen.usecases.status import ImageFinder
from imagegen.usecases.tracing import LedgerStatusReader
from imagegen.usecases.usage import UsageReader
from imagegen.wire.images import Estimate, EstimateRequest, GenerateRequest
from imagegen.wire.messages import MessageComplete
from tests.fakes.catalogs import three_providers
from tests.fakes.circuits import MemoryCircuitStore
from tests.fakes.clock import Clock
from tests.fakes.faults import Wire, wired
from tests.fakes.images import MemoryImageStore, MemoryRecordStore
from tests.fakes.ledgers import MemoryLedgerStore
from tests.fakes.llms import TalkingLlm
from tests.fakes.providers import Reaction, ScriptedModerator, ScriptedProvider

USER = "a1" * 16
OTHER_USER = "b2" * 16
KEYRING = Keyring(
    {"k1": b"one key of thirty-two bytes ....", "k0": b"an old key of thirty-two bytes.."}
)
IMAGE_ID_KEY = b"the key that masks image ids ..."
LIFETIME_MS = 300_000
PROMPT = "a fox in the snow"
HOUR_MS = 3_600_000


@dataclass(slots=True)
class Service:
    """Every use case, wired to fakes through one wire."""

    catalog: Catalog = field(default_factory=three_providers)
    limits: Limits = field(default_factory=Limits)
    moderation: ModerationMode = ModerationMode.REQUIRED
    fallback_after_unknown: bool = True
    clock: Clock = field(default_factory=Clock)
    wire: Wire = field(default_factory=Wire)
    ledgers: MemoryLedgerStore = field(default_factory=MemoryLedgerStore)
    circuits: MemoryCircuitStore = field(default_factory=MemoryCircuitStore)
    images: MemoryImageStore = field(default_factory=MemoryImageStore)
    records: MemoryRecordStore = field(default_factory=MemoryRecordStore)
    moderator: ScriptedModerator | None = field(default_factory=ScriptedModerator)
    setups: dict[str, ProviderSetup] = field(default_factory=dict)
    providers: dict[str, ScriptedProvider] = field(default_factory=dict)
    finished: list[ImageRecord] = field(default_factory=list)
    moves: list[Transition] = field(default_factory=list)
    on_finished: Callable[[ImageRecord], None] = lambda _record: None
    on_transition: Callable[[Transition], None] = lambda _move: None
    on_ended: Callable[[Ended], None] = lambda _ended: None
    llm: Llm = field(default_factory=TalkingLlm)
    token_prices: TokenPrices = field(default_factory=TokenPrices)
    answered: list[MessageComplete] = field(default_factory=list)
    unexpected: list[Exception] = field(default_factory=list)
    while_paused: Callable[[], None] = lambda: None
    guard: Guard = field(init=False)
    _numbers: Iterator[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        for name in self.catalog.providers:
            self.setups.setdefault(name, ProviderSetup(has_key=True, enabled=True))
            self.providers.setdefault(name, ScriptedProvider(name, sleep=self.clock.advance))
        self.guard = self.new_guard()

    def new_guard(self) -> Guard:
        """Return the guard of one more instance."""
        store = wired("circuits", self.circuits, self.wire)
        return Guard(store, Policy(), self.clock, self._call_id, self._moved)

    def react(self, provider: str, *reactions: Reaction) -> None:
        """Say what a provider does from now on."""
        self.providers[provider].reactions = list(reactions)

    @property
    def called(self) -> list[str]:
        """The models that were called, in order of providers."""
        return [order.model for one in self.providers.values() for order in one.orders]

    def pause(self, seconds: float) -> None:
        """Let time pass, and whatever happens in it."""
        self.clock.advance(int(seconds * 1000))
        self.while_paused()

    @property
    def switchboard(self) -> Switchboard:
        return Switchboard(self.catalog, lambda: self.setups, self.guard)

    @property
    def estimator(self) -> Estimator:
        return Estimator(
            catalog=self.catalog,
            switchboard=self.switchboard,
            ledgers=wired("ledgers", self.ledgers, self.wire),
            limits=self.limits,
            price_multiple=Decimal(3),
            secrets=lambda: Secrets(KEYRING, IMAGE_ID_KEY),
            now_ms=self.clock,
            nonce=lambda: next(self._numbers).to_bytes(15),
        )

    @property
    def reconciler(self) -> Reconciler:
        return Reconciler(
            wired("ledgers", self.ledgers, self.wire),
            wired("images", self.images, self.wire),
            wired("records", self.records, self.wire),
            self.clock,
            self.on_ended,
        )

    @property
    def replayer(self) -> Replayer:
        return Replayer(
            self.catalog,
            wired("ledgers", self.ledgers, self.wire),
            wired("images", self.images, self.wire),
            wired("records", self.records, self.wire),
            self.reconciler,
            self.clock,
        )

    @property
    def drawer(self) -> ProviderLoop:
        return ProviderLoop(
            catalog=self.catalog,
            guard=self.guard,
            provider=self._provider,
            availability=self.switchboard.availability,
            now_ms=self.clock,
            call_timeout_seconds=120.0,
            fallback_after_unknown=self.fallback_after_unknown,
        )

    @property
    def generator(self) -> Generator:
        return Generator(
            catalog=self.catalog,
            reserver=Holds(
                wired("ledgers", self.ledgers, self.wire),
                self.reconciler,
                self.limits,
                self.clock,
                lambda: f"run-{next(self._numbers)}",
            ),
            gatekeeper=PromptModeration(self._moderator, self.moderation),
            drawer=self.drawer,
            keeper=ImageKeeper(
                ledgers=wired("ledgers", self.ledgers, self.wire),
                images=wired("images", self.images, self.wire),
                records=wired("records", self.records, self.wire),
                replayer=self.replayer,
                now_ms=self.clock,
                pause=lambda seconds: self.clock.advance(int(seconds * 1000)),
                on_finished=self._finished,
            ),
            replayer=self.replayer,
            keyring=lambda: KEYRING,
            now_ms=self.clock,
        )

    @property
    def finder(self) -> ImageFinder:
        return ImageFinder(
            self.ledgers,
            self.images,
            self.records,
            self.reconciler,
            lambda: IMAGE_ID_KEY,
            self.clock,
        )

    @property
    def usage_reader(self) -> UsageReader:
        return UsageReader(
            self.ledgers, self.records, self.limits, lambda: IMAGE_ID_KEY, self.clock
        )

    @property
    def presenter(self) -> Presenter:
        return Presenter(self.limits, self.clock)

    @property
    def buyer(self) -> Buyer:
        return Buyer(
            estimator=self.estimator,
            generator=self.generator,
            ledgers=wired("ledgers", self.ledgers, self.wire),
            images=wired("images", self.images, self.wire),
            records=wired("records", self.records, self.wire),
            reconciler=self.reconciler,
            image_id_key=lambda: IMAGE_ID_KEY,
            now_ms=self.clock,
            pause=self.pause,
            new_run_id=lambda: f"run-{next(self._numbers)}",
        )

    @property
    def openai_presenter(self) -> OpenAiPresenter:
        return OpenAiPresenter(
            self.catalog, self.images, self.limits, lambda: IMAGE_ID_KEY, self.clock
        )

    @property
    def status_reader(self) -> LedgerStatusReader:
        return LedgerStatusReader(
            self.ledgers, self.records, lambda: IMAGE_ID_KEY, "https://images.test"
        )

    @property
    def lister(self) -> ModelLister:
        return ModelLister(self.catalog, self.switchboard, self.clock)

    @property
    def reporter(self) -> HealthReporter:
        return HealthReporter(self.catalog, self.switchboard, self.clock)

    @property
    def chatter(self) -> Chatter:
        return Chatter(
            llm=lambda: self.llm,
            offer=self.estimator.estimate,
            to_problem=to_problem,
            now_ms=self.clock,
            new_id=lambda: f"{next(self._numbers)}",
            prices=self.token_prices,
            on_answered=self.answered.append,
            on_unexpected=self.unexpected.append,
        )

    @property
    def key_checker(self) -> KeyChecker:
        return KeyChecker(
            self.catalog,
            lambda: self.setups,
            self._provider,
            self.guard,
            wired("probes", self.circuits, self.wire),
            self.clock,
        )

    def estimate(self, prompt: str = PROMPT, user: str = USER, **wishes: object) -> Estimate:
        """Return the offer for a prompt."""
        asked = {"prompt": prompt, "quality": "standard", **wishes}
        return self.estimator.estimate(EstimateRequest.model_validate(asked), user)

    def confirm(
        self, offer: Estimate, user: str = USER, *, remaining_ms: int = LIFETIME_MS
    ) -> Made | Running:
        """Click on an offer."""
        request = GenerateRequest(quote=offer.quote, prompt=offer.prompt)
        return self.generator.generate(request, user, ends_ms=self.clock() + remaining_ms)

    def make(self, prompt: str = PROMPT, user: str = USER) -> Made:
        """Return an image that was asked for, confirmed and made."""
        made = self.confirm(self.estimate(prompt, user), user)
        assert isinstance(made, Made)
        return made

    def ledger(self, user: str = USER) -> Ledger:
        """Return a user's ledger."""
        return self.ledgers.load(user)

    def spent(self, user: str = USER) -> int:
        """Return what is held and charged over all days."""
        return sum(self.ledger(user).spent.values())

    @property
    def writes(self) -> int:
        """How often any store was changed."""
        return self.ledgers.writes + self.images.writes + self.records.writes

    def check_charged_iff_stored(self, user: str = USER) -> None:
        """Assert the promise: what is stored is charged, once, and nothing else is."""
        ledger = self.ledger(user)
        charged = {
            name: op.price_microusd
            for name, op in ledger.ops.items()
            if op.state is OpState.SETTLED
        }
        records = {
            quote_id: record
            for (owner, quote_id), (_, record) in self.images.objects.items()
            if owner == user
        }
        stored = {name: record.charged_microusd for name, record in records.items()}
        held = [op for op in ledger.ops.values() if op.state is OpState.HELD]
        assert not held
        # A request that was pruned is known by its image alone.
        assert charged == {name: stored[name] for name in charged}
        assert not set(stored) & (set(ledger.ops) - set(charged))
        assert sum(ledger.spent.values()) == sum(stored.values())
        assert sum(ledger.images.values()) == len(stored)
        begun = {name: one.created_ms - one.duration_ms for name, one in records.items()}
        taken = Counter(ledger.slots.values())
        assert Counter(begun[name] for name in charged) <= taken <= Counter(begun.values())

    def new_process(self) -> None:
        """Forget what an instance remembers, as after a kill."""
        self.wire.mend()
        self.guard = self.new_guard()

    def ref(self, offer: Estimate, user: str = USER) -> ImageRef:
        """Return where the image of an offer is kept."""
        return ImageRef(offer.quote_id, user, offer.expires_at - 600_000)

    def _finished(self, record: ImageRecord) -> None:
        self.finished.append(record)
        self.on_finished(record)

    def _moved(self, move: Transition) -> None:
        self.moves.append(move)
        self.on_transition(move)

    def _call_id(self) -> str:
        return f"call-{next(self._numbers)}"

    def _provider(self, name: str) -> ImageProvider:
        return wired(f"provider.{name}", self.providers[name], self.wire)

    def _moderator(self) -> Moderator | None:
        if self.moderator is None:
            return None
        return wired("moderator", self.moderator, self.wire)
