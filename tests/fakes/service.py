"""The whole service over fakes: what a test of a use case starts from."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import count

from imagegen.bootstrap.admin import AdminService
from imagegen.bootstrap.chat import ChatService
from imagegen.bootstrap.estimate import EstimateService
from imagegen.bootstrap.generate import GenerateService
from imagegen.bootstrap.health import HealthService
from imagegen.domain.budgets import ORGANISATION, Level
from imagegen.domain.catalog import Catalog
from imagegen.domain.chat_usage import DailyChatLimits
from imagegen.domain.erasures import ErasingStores
from imagegen.domain.errors import ImagegenError
from imagegen.domain.ids import ImageRef, image_id
from imagegen.domain.ledger import Ledger, Limits, OpState
from imagegen.domain.ports import ImageProvider, Llm, ModerationMode, Moderator
from imagegen.domain.quote import Keyring
from imagegen.domain.records import ImageRecord
from imagegen.guard import Guard, Transition
from imagegen.openai_api.buyer import Buyer
from imagegen.openai_api.images import OpenAiPresenter
from imagegen.settings import (
    AdminSettings,
    ChatSettings,
    EstimateSettings,
    GenerateSettings,
    parse_pairs,
)
from imagegen.usecases.availability import ModelLister, ProviderSetup
from imagegen.usecases.chat.chatter import Chatter
from imagegen.usecases.estimator import Estimator
from imagegen.usecases.gallery import Gallery
from imagegen.usecases.generate.generator import Generator
from imagegen.usecases.generate.presenter import Presenter
from imagegen.usecases.generate.reconciler import EndedHold, Reconciler
from imagegen.usecases.generate.run import Confirmed, Made, Running
from imagegen.usecases.generate.sets import Result
from imagegen.usecases.health import HealthReporter
from imagegen.usecases.key_checks import KeyChecker, KeyCheckResults
from imagegen.usecases.price_checks import PriceChecker, PriceCheckResults
from imagegen.usecases.pricer import Pricer
from imagegen.usecases.status import ImageFinder, LedgerStatusReader
from imagegen.usecases.usage import UsageReader
from imagegen.wire.estimates import Estimate, EstimateRequest
from imagegen.wire.images import GeneratedImage, GenerateRequest
from imagegen.wire.messages import MessageComplete
from imagegen.wire.run_events import RunEvent
from tests.fakes.admin import (
    MemoryBlockStore,
    MemoryErasureStore,
    MemoryKeptStore,
    MemoryRecordScan,
    MemoryTrailStore,
)
from tests.fakes.amounts import MemoryAmountStore
from tests.fakes.budgets import MemoryBudgetStore, MemoryBudgetWarningStore
from tests.fakes.catalogs import three_providers
from tests.fakes.chat_usages import MemoryChatUsageStore
from tests.fakes.circuits import MemoryCircuitStore
from tests.fakes.clock import Clock
from tests.fakes.faults import Wire, wired
from tests.fakes.images import MemoryImageStore, MemoryPromptStore, MemoryRecordStore
from tests.fakes.jobs import MemoryJobStore
from tests.fakes.keys import MemoryKeyStore
from tests.fakes.ledgers import MemoryLedgerStore
from tests.fakes.llms import TalkingLlm
from tests.fakes.previews import MemoryPreviewStore
from tests.fakes.providers import Reaction, ScriptedModerator, ScriptedProvider
from tests.fakes.uploads import MemoryUploadStore

USER = "a1" * 16
OTHER_USER = "b2" * 16
KEYRING = Keyring(
    {"k1": b"one key of thirty-two bytes ....", "k0": b"an old key of thirty-two bytes.."}
)
IMAGE_ID_KEY = b"the key that masks image ids ..."
LIFETIME_MS = 300_000
PROMPT = "a fox in the snow"
HOUR_MS = 3_600_000
PRODUCT_LIMITS = Limits(levels=(Level(ORGANISATION, 100_000_000),))
"""The defaults of the settings."""


class AllSettings(EstimateSettings, ChatSettings, GenerateSettings, AdminSettings):
    """The settings of every function in one."""


@dataclass(frozen=True)
class AllFunctions(EstimateService, GenerateService, ChatService, HealthService, AdminService):
    """The services of every function in one, with one guard."""

    world: "FakeWorld"

    settings: AllSettings


def _no_network(_url: str, _body: str, _headers: Mapping[str, str]) -> tuple[int, bytes]:
    raise ConnectionError


@dataclass(slots=True)
class Service:
    """The product's own wiring over a world of fakes, all of it behind one wire."""

    catalog: Catalog = field(default_factory=three_providers)
    limits: Limits = PRODUCT_LIMITS
    moderation: ModerationMode = ModerationMode.REQUIRED
    price_multiple: Decimal = Decimal(3)
    """Greater than the product's own, so that all three providers are in an offer."""
    fallback_after_unknown: bool = True
    max_count: int = 4
    model_aliases: str = ""
    aws_region: str = ""
    jwt_issuer: str = "https://issuer.test"
    clock: Clock = field(default_factory=Clock)
    wire: Wire = field(default_factory=Wire)
    ledgers: MemoryLedgerStore = field(default_factory=MemoryLedgerStore)
    budgets: MemoryBudgetStore = field(default_factory=MemoryBudgetStore)
    warnings: MemoryBudgetWarningStore = field(default_factory=MemoryBudgetWarningStore)
    amounts: MemoryAmountStore = field(default_factory=MemoryAmountStore)
    circuits: MemoryCircuitStore = field(default_factory=MemoryCircuitStore)
    images: MemoryImageStore = field(default_factory=MemoryImageStore)
    uploads: MemoryUploadStore = field(default_factory=MemoryUploadStore)
    previews: MemoryPreviewStore = field(default_factory=MemoryPreviewStore)
    records: MemoryRecordStore = field(default_factory=MemoryRecordStore)
    prompts: MemoryPromptStore = field(default_factory=MemoryPromptStore)
    keep_prompts: bool = True
    image_retention_days: int = 365
    require_marks: bool = False
    price_drift_closes: bool = False
    trail: MemoryTrailStore = field(default_factory=MemoryTrailStore)
    erasures: MemoryErasureStore = field(default_factory=MemoryErasureStore)
    jobs: MemoryJobStore = field(default_factory=MemoryJobStore)
    chat_usages: MemoryChatUsageStore = field(default_factory=MemoryChatUsageStore)
    program_keys: MemoryKeyStore = field(default_factory=MemoryKeyStore)
    chat_limits: DailyChatLimits = field(default_factory=DailyChatLimits)
    moderator: ScriptedModerator | None = field(default_factory=ScriptedModerator)
    moderated_by: str = "openai"
    setups: dict[str, ProviderSetup] = field(default_factory=dict)
    providers: dict[str, ScriptedProvider] = field(default_factory=dict)
    finished: list[ImageRecord] = field(default_factory=list)
    moves: list[Transition] = field(default_factory=list)
    on_finished: Callable[[ImageRecord], None] = lambda _record: None
    on_transition: Callable[[Transition], None] = lambda _move: None
    on_ended: Callable[[EndedHold], None] = lambda _ended: None
    llm: Llm = field(default_factory=TalkingLlm)
    token_usd_per_million: tuple[Decimal | None, Decimal | None] = (None, None)
    sweeps: int = 0
    answered: list[MessageComplete] = field(default_factory=list)
    unexpected: list[Exception] = field(default_factory=list)
    while_paused: Callable[[], None] = lambda: None
    post: Callable[[str, str, Mapping[str, str]], tuple[int, bytes]] = _no_network
    """Answers what one function sends to another: URL, body, headers."""
    events: list[str] = field(default_factory=list)
    """What Lambda was given for other invocations, and delivers when a test says so."""
    functions: AllFunctions = field(init=False)
    numbers: Iterator[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        for name in self.catalog.providers:
            self.setups.setdefault(name, ProviderSetup(has_key=True, enabled=True))
            self.providers.setdefault(name, ScriptedProvider(name, sleep=self.clock.advance))
        self.functions = self.new_instance()

    def new_instance(self) -> AllFunctions:
        """Return one more instance of the functions, which remembers nothing."""
        limits, (input_usd, output_usd) = self.limits, self.token_usd_per_million
        organisation = next(iter(limits.levels), Level())
        settings = AllSettings.model_construct(
            table_name="table",
            parameters_path="/imagegen/test",
            jwt_issuer=self.jwt_issuer,
            bucket_name="bucket",
            generate_url="https://images.test/",
            hourly_images=limits.hourly_images,
            daily_images=limits.daily_images,
            daily_attempts=limits.daily_attempts,
            daily_spend_usd=limits.daily_microusd,
            monthly_spend_usd=limits.monthly_microusd,
            total_daily_spend_usd=organisation.daily_microusd,
            total_monthly_spend_usd=organisation.monthly_microusd,
            daily_chats=self.chat_limits.chats,
            daily_chat_tokens=self.chat_limits.tokens,
            moderation=self.moderation,
            fallback_price_multiple=self.price_multiple,
            fallback_after_unknown=self.fallback_after_unknown,
            max_count=self.max_count,
            model_aliases=parse_pairs(self.model_aliases),
            keep_prompts=self.keep_prompts,
            image_retention_days=self.image_retention_days,
            require_marks=self.require_marks,
            price_drift_closes=self.price_drift_closes,
            aws_region=self.aws_region,
            chat_input_usd_per_million=input_usd,
            chat_output_usd_per_million=output_usd,
        )
        return AllFunctions(FakeWorld(self), settings)

    def redeploy(self, **changes: object) -> None:
        """Change the catalog or settings, and go on with instances that have them."""
        for name, value in changes.items():
            setattr(self, name, value)
        self.functions = self.new_instance()

    def new_guard(self) -> Guard:
        """Return the guard of one more instance."""
        return self.new_instance().guard

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
    def guard(self) -> Guard:
        return self.functions.guard

    @property
    def estimator(self) -> Estimator:
        return self.functions.estimator

    @property
    def pricer(self) -> Pricer:
        return self.functions.pricer

    @property
    def reconciler(self) -> Reconciler:
        return self.functions.reconciler

    @property
    def generator(self) -> Generator:
        return self.functions.generator

    @property
    def finder(self) -> ImageFinder:
        return self.functions.finder

    @property
    def gallery(self) -> Gallery:
        return self.functions.gallery

    @property
    def usage_reader(self) -> UsageReader:
        return self.functions.usage_reader

    @property
    def presenter(self) -> Presenter:
        return self.functions.presenter

    @property
    def buyer(self) -> Buyer:
        return self.functions.openai.buyer

    @property
    def openai_presenter(self) -> OpenAiPresenter:
        return self.functions.openai.presenter

    @property
    def status_reader(self) -> LedgerStatusReader:
        return self.functions.status_reader

    @property
    def lister(self) -> ModelLister:
        return self.functions.lister

    @property
    def reporter(self) -> HealthReporter:
        return self.functions.reporter

    @property
    def chatter(self) -> Chatter:
        return self.functions.chatter

    @property
    def key_checker(self) -> KeyChecker:
        return self.functions.key_checker

    @property
    def price_checker(self) -> PriceChecker:
        return self.functions.price_checker

    def estimate(self, prompt: str = PROMPT, user: str = USER, **wishes: object) -> Estimate:
        """Return the offer for a prompt."""
        asked = {"prompt": prompt, "quality": "standard", **wishes}
        return self.estimator.estimate(EstimateRequest.model_validate(asked), user)

    def confirm(
        self, offer: Estimate, user: str = USER, *, remaining_ms: int = LIFETIME_MS
    ) -> Made | Running:
        """Click on an offer."""
        request = GenerateRequest(quote=offer.quote, prompt=offer.prompt)
        return self._generate(request, user, remaining_ms).result

    def confirm_async(self, offer: Estimate, user: str = USER) -> Made | Running:
        """Click on an offer, and be answered before the image is made."""
        request = GenerateRequest(quote=offer.quote, prompt=offer.prompt)
        return self.functions.background.start(request, user).result

    def confirm_set_async(
        self, offer: Estimate, user: str = USER, *, mixed: bool = False
    ) -> list[Result]:
        """Click on an offer of several images, and be answered before they are made."""
        request = GenerateRequest(quotes=offer.quotes, prompt=offer.prompt, mixed=mixed)
        return [one.result for one in self.functions.background.start_set(request, user)]

    def deliver(self, event: str, *, remaining_ms: int = LIFETIME_MS) -> Made | Running | None:
        """Let an invocation of its own receive an event of one image."""
        (result,) = self.deliver_all(event, remaining_ms=remaining_ms)
        if isinstance(result, ImagegenError):
            raise result
        return result

    def deliver_all(self, event: str, *, remaining_ms: int = LIFETIME_MS) -> list[Result | None]:
        """Let an invocation of its own receive an event of several images."""
        parsed = RunEvent.model_validate_json(event)
        return self.functions.background.run(parsed, ends_ms=self.clock() + remaining_ms)

    def present(self, offer: Estimate, user: str = USER) -> GeneratedImage:
        """Click on an offer, and return the answer."""
        request = GenerateRequest(quote=offer.quote, prompt=offer.prompt)
        confirmed = self._generate(request, user, LIFETIME_MS)
        assert isinstance(confirmed.result, Made)
        return self.presenter.image(
            confirmed.quote, confirmed.result, offer.prompt, "https://us.test"
        )

    def _generate(self, request: GenerateRequest, user: str, remaining_ms: int) -> Confirmed:
        return self.generator.generate(request, user, ends_ms=self.clock() + remaining_ms)

    def image_id(self, made: Made) -> str:
        """Return the id that opens an image."""
        return image_id(made.ref, IMAGE_ID_KEY)

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
        money = self.ledgers.writes + self.budgets.writes
        kept = (self.images, self.records, self.prompts, self.jobs)
        return money + sum(store.writes for store in kept)

    def check_charged_iff_stored(self, user: str = USER) -> None:
        """Assert the promise: what is stored is charged, once, and nothing else is."""
        ledger = self.ledger(user)
        charged = {
            name: op.price_microusd
            for name, op in ledger.ops.items()
            if op.state is OpState.SETTLED
        }
        images = {place: record for place, (_, record) in self.images.objects.items()}
        records = {
            quote_id: record
            for (owner, quote_id), record in (self.images.marks | images).items()
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
        self.check_levels()

    def check_levels(self) -> None:
        """Assert that each level has what its users' entries have, and that nothing is held."""
        spent, users = Counter[str](), self.ledgers.ledgers.values()
        for ledger in users:
            spent.update(ledger.spent)
        for (_, month), budget in self.budgets.budgets.items():
            days = {day: used for day, used in spent.items() if day[:6] == month}
            assert +Counter(budget.days) == +Counter(days)
            assert budget.month_microusd == sum(budget.days.values())
            assert not budget.marks

    def new_process(self) -> None:
        """Forget what an instance remembers, as after a kill."""
        self.wire.mend()
        self.functions = self.new_instance()

    def ref(self, offer: Estimate, user: str = USER) -> ImageRef:
        """Return where the image of an offer is kept."""
        return ImageRef(offer.quote_id, user, offer.expires_at - 600_000)


def with_stores[Doer: (ImageFinder, Reconciler)](doer: Doer, **stores: object) -> Doer:
    """Return the use case with some of its stores replaced."""
    return replace(doer, stores=replace(doer.stores, **stores))  # type: ignore[arg-type]


@dataclass(slots=True)
class FakeWorld:
    """``World`` over the fakes of a service; it observes for the service, too."""

    service: Service

    @property
    def catalog(self) -> Catalog:
        return self.service.catalog

    @property
    def ledgers(self) -> MemoryLedgerStore:
        return wired("ledgers", self.service.ledgers, self.service.wire)

    @property
    def budgets(self) -> MemoryBudgetStore:
        return wired("budgets", self.service.budgets, self.service.wire)

    @property
    def warnings(self) -> MemoryBudgetWarningStore:
        return wired("warnings", self.service.warnings, self.service.wire)

    @property
    def amounts(self) -> MemoryAmountStore:
        return self.service.amounts

    @property
    def records(self) -> MemoryRecordStore:
        return wired("records", self.service.records, self.service.wire)

    @property
    def prompts(self) -> MemoryPromptStore:
        return wired("prompts", self.service.prompts, self.service.wire)

    @property
    def jobs(self) -> MemoryJobStore:
        return wired("jobs", self.service.jobs, self.service.wire)

    @property
    def program_keys(self) -> MemoryKeyStore:
        return wired("program_keys", self.service.program_keys, self.service.wire)

    @property
    def chat_usages(self) -> MemoryChatUsageStore:
        return wired("chat_usages", self.service.chat_usages, self.service.wire)

    @property
    def images(self) -> MemoryImageStore:
        return wired("images", self.service.images, self.service.wire)

    @property
    def uploads(self) -> MemoryUploadStore:
        return wired("uploads", self.service.uploads, self.service.wire)

    @property
    def previews(self) -> MemoryPreviewStore:
        return wired("previews", self.service.previews, self.service.wire)

    @property
    def circuits(self) -> MemoryCircuitStore:
        return wired("circuits", self.service.circuits, self.service.wire)

    @property
    def trail(self) -> MemoryTrailStore:
        return wired("trail", self.service.trail, self.service.wire)

    @property
    def blocks(self) -> MemoryBlockStore:
        return wired("blocks", MemoryBlockStore(self.service.ledgers), self.service.wire)

    @property
    def erasures(self) -> MemoryErasureStore:
        return wired("erasures", self.service.erasures, self.service.wire)

    @property
    def erasing(self) -> ErasingStores:
        one = self.service
        kept = MemoryKeptStore(one.records, one.prompts, one.images, one.uploads, one.previews)
        return ErasingStores(wired("kept", kept, one.wire), self.erasures, self.trail)

    @property
    def record_scan(self) -> MemoryRecordScan:
        return wired("record_scan", MemoryRecordScan(self.service.records), self.service.wire)

    @property
    def observer(self) -> "FakeWorld":
        return self

    def now_ms(self) -> int:
        return self.service.clock()

    def pause(self, seconds: float) -> None:
        self.service.pause(seconds)

    def post(
        self, url: str, body: str, headers: Mapping[str, str], *, timeout_seconds: float
    ) -> tuple[int, bytes]:
        return self.service.post(url, body, headers)

    def start_run(self, event: str) -> None:
        self.service.wire.carry("lambda.invoke", lambda: self.service.events.append(event))

    def run_at_once[T](self, tasks: Sequence[Callable[[], T]]) -> list[T]:
        return [task() for task in tasks]

    def random_bytes(self, count: int) -> bytes:
        return next(self.service.numbers).to_bytes(count)

    def new_id(self) -> str:
        return f"id-{next(self.service.numbers)}"

    def setups(self) -> Mapping[str, ProviderSetup]:
        return self.service.setups

    def get_provider(self, name: str) -> ImageProvider:
        return wired(f"provider.{name}", self.service.providers[name], self.service.wire)

    def moderated_by(self) -> str:
        return self.service.moderated_by if self.service.moderator else ""

    def get_moderator(self) -> Moderator | None:
        moderator = self.service.moderator
        return None if moderator is None else wired("moderator", moderator, self.service.wire)

    def get_llm(self) -> Llm:
        return self.service.llm

    def page_url(self) -> str:
        return "https://page.test/"

    def keyring(self) -> Keyring:
        return KEYRING

    def image_id_key(self) -> bytes:
        return IMAGE_ID_KEY

    def circuit_moved(self, transition: Transition) -> None:
        self.service.moves.append(transition)
        self.service.on_transition(transition)

    def request_finished(self, record: ImageRecord) -> None:
        self.service.finished.append(record)
        self.service.on_finished(record)

    def dead_run_ended(self, ended: EndedHold) -> None:
        self.service.on_ended(ended)

    def swept(self) -> None:
        self.service.sweeps += 1

    def keys_checked(self, results: KeyCheckResults) -> None:
        pass

    def prices_checked(self, results: PriceCheckResults) -> None:
        pass

    def chat_answered(self, message: MessageComplete) -> None:
        self.service.answered.append(message)

    def unexpected_error(self, error: Exception) -> None:
        self.service.unexpected.append(error)
