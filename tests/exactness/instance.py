"""One instance of the service over the stores that ship: its own guard, caches and clock."""

import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, Never

from imagegen.aws.budget_store import DynamoBudgetStore
from imagegen.aws.circuit_store import DynamoCircuitStore
from imagegen.aws.erasure_store import DynamoErasureStore
from imagegen.aws.image_store import S3ImageStore
from imagegen.aws.job_store import DynamoJobStore
from imagegen.aws.kept_store import AwsKeptStore
from imagegen.aws.ledger_store import DynamoLedgerStore
from imagegen.aws.prompt_store import DynamoPromptStore
from imagegen.aws.record_store import DynamoRecordStore
from imagegen.aws.trail_store import DynamoTrailStore
from imagegen.aws.warning_store import DynamoBudgetWarningStore
from imagegen.bootstrap.aws_world import ID_BYTES
from imagegen.bootstrap.generate import GenerateService
from imagegen.bootstrap.world import StoredCircuits, StoredImages, StoredLedgers
from imagegen.domain.budget_amounts import AmountStore
from imagegen.domain.budget_warnings import BudgetWarningStore
from imagegen.domain.budgets import ORGANISATION, BudgetStore, Level
from imagegen.domain.call_errors import ProviderError
from imagegen.domain.catalog import Catalog
from imagegen.domain.erasures import ErasingStores
from imagegen.domain.gallery import PromptStore
from imagegen.domain.jobs import JobStore
from imagegen.domain.ledger import Limits
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import ImageAnswer, ImageOrder, ModerationMode, Moderator, ServedModels
from imagegen.domain.quote import Keyring
from imagegen.domain.records import ImageRecord
from imagegen.domain.stores import RecordStore
from imagegen.guard import Guard, Transition
from imagegen.settings import GenerateSettings
from imagegen.usecases.availability import ProviderSetup
from imagegen.usecases.estimator import Estimator
from imagegen.usecases.generate.generator import Generator
from imagegen.usecases.generate.reconciler import Reconciler
from imagegen.usecases.generate.run import Confirmed, Made, Running
from imagegen.usecases.generate.sets import MOST_AT_ONCE
from imagegen.wire.estimates import Estimate, EstimateRequest
from imagegen.wire.images import GenerateRequest
from tests.fakes.amounts import MemoryAmountStore
from tests.fakes.budgets import MemoryBudgetWarningStore
from tests.fakes.catalogs import three_providers
from tests.fakes.chat_usages import MemoryChatUsageStore
from tests.fakes.images import MemoryPromptStore
from tests.fakes.jobs import MemoryJobStore
from tests.fakes.keys import MemoryKeyStore
from tests.fakes.pictures import clear_png, png
from tests.fakes.previews import MemoryPreviewStore
from tests.fakes.providers import ScriptedModerator
from tests.fakes.service import IMAGE_ID_KEY, KEYRING
from tests.fakes.uploads import MemoryUploadStore

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

CATALOG = three_providers()
PROMPT = "a fox in the snow"
LIFETIME_MS = 300_000
"""Lambda's timeout for generate."""
LIFTED = Limits(0, 100_000, 100_000, 10**12, levels=(Level(ORGANISATION, 10**12),))
"""Limits that no row reaches; as in the product, the organisation's level counts every image."""


@cache
def _picture(size: tuple[int, int], *, is_cutout: bool) -> bytes:
    return clear_png(size) if is_cutout else png(size)


def drawn(order: ImageOrder) -> bytes:
    """Return a picture as it was ordered: of its size, a cut-out with transparent pixels."""
    return _picture((order.width, order.height), is_cutout="cutout" in order.model)


@dataclass(slots=True)
class CountingProvider:
    """``ImageProvider``: draws, or does what it was told, and counts the calls."""

    name: str
    react: Callable[[str], Outcome | None] = lambda _name: None
    """Which outcome a call to the provider of this name comes to, ``None`` for an image."""
    calls: int = 0
    has_jobs: bool = False
    """Whether each call orders a job, which is done at once for whoever asks for it."""
    asked: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def generate(self, order: ImageOrder, *, timeout_seconds: float) -> ImageAnswer:
        with self._lock:
            self.calls += 1
        if self.has_jobs and order.on_job is not None:
            order.on_job("a-job")
        outcome = self.react(self.name)
        if outcome is not None:
            raise ProviderError(self.name, outcome, "told to")
        return ImageAnswer(drawn(order))

    def job_result(self, ticket: str, *, timeout_seconds: float) -> ImageAnswer | None:
        with self._lock:
            self.asked += 1
        return ImageAnswer(png())

    def check_key(self, *, timeout_seconds: float) -> None:
        return

    def models(self, *, timeout_seconds: float) -> ServedModels | None:
        return None


@dataclass
class Instance:
    """Every use case that spends, over real stores: it is the world of its own service."""

    ledgers: StoredLedgers
    budgets: BudgetStore
    images: StoredImages
    records: RecordStore
    circuits: StoredCircuits
    now_ms: Callable[[], int]
    providers: dict[str, CountingProvider]
    erasing: ErasingStores = field(kw_only=True)
    limits: Limits = LIFTED
    moves: list[Transition] = field(default_factory=list)
    finished: list[ImageRecord] = field(default_factory=list)
    catalog: Catalog = CATALOG
    chat_usages: MemoryChatUsageStore = field(default_factory=MemoryChatUsageStore)
    amounts: AmountStore = field(default_factory=MemoryAmountStore)
    warnings: BudgetWarningStore = field(default_factory=MemoryBudgetWarningStore)
    jobs: JobStore = field(default_factory=MemoryJobStore)
    """In memory where no provider has jobs, as the next."""
    prompts: PromptStore = field(default_factory=MemoryPromptStore)
    """In memory where no test is about them."""
    uploads: MemoryUploadStore = field(default_factory=MemoryUploadStore)
    previews: MemoryPreviewStore = field(default_factory=MemoryPreviewStore)
    program_keys: MemoryKeyStore = field(default_factory=MemoryKeyStore)
    events: list[str] = field(default_factory=list)
    """What was left to other invocations, for a test to deliver."""
    keeps_prompts: bool = True

    @cached_property
    def service(self) -> GenerateService:
        limits = self.limits
        # As in the product, it counts every image: a level without a limit would not be counted.
        organisation = next(iter(limits.levels), Level(ORGANISATION, 10**12))
        settings = GenerateSettings.model_construct(
            table_name="table",
            parameters_path="/imagegen/test",
            bucket_name="bucket",
            hourly_images=limits.hourly_images,
            daily_images=limits.daily_images,
            daily_attempts=limits.daily_attempts,
            daily_spend_usd=limits.daily_microusd,
            monthly_spend_usd=limits.monthly_microusd,
            total_daily_spend_usd=organisation.daily_microusd,
            total_monthly_spend_usd=organisation.monthly_microusd,
            moderation=ModerationMode.REQUIRED,
            keep_prompts=self.keeps_prompts,
        )
        return GenerateService(self, settings)

    @property
    def guard(self) -> Guard:
        return self.service.guard

    @property
    def estimator(self) -> Estimator:
        return self.service.estimator

    @property
    def reconciler(self) -> Reconciler:
        return self.service.reconciler

    @property
    def generator(self) -> Generator:
        return self.service.generator

    @property
    def observer(self) -> "Instance":
        return self

    def circuit_moved(self, transition: Transition) -> None:
        self.moves.append(transition)

    def request_finished(self, record: ImageRecord) -> None:
        self.finished.append(record)

    def dead_run_ended(self, ended: object) -> None:
        pass

    def swept(self) -> None:
        pass

    keys_checked = prices_checked = chat_answered = unexpected_error = dead_run_ended

    def pause(self, seconds: float) -> None:
        pass

    def post(
        self, url: str, body: str, headers: Mapping[str, str], *, timeout_seconds: float
    ) -> tuple[int, bytes]:
        raise ConnectionError

    def start_run(self, event: str) -> None:
        self.events.append(event)

    def run_at_once[T](self, tasks: Sequence[Callable[[], T]]) -> list[T]:
        with ThreadPoolExecutor(MOST_AT_ONCE) as pool:
            return list(pool.map(lambda task: task(), tasks))

    def random_bytes(self, count: int) -> bytes:
        return secrets.token_bytes(count)

    def new_id(self) -> str:
        return secrets.token_hex(ID_BYTES)

    def page_url(self) -> str:
        return ""

    def setups(self) -> Mapping[str, ProviderSetup]:
        return {name: ProviderSetup(has_key=True, enabled=True) for name in self.catalog.providers}

    def get_provider(self, name: str) -> CountingProvider:
        return self.providers[name]

    def moderated_by(self) -> str:
        return "openai"

    def get_moderator(self) -> Moderator:
        return ScriptedModerator()

    def get_llm(self) -> Never:
        raise AssertionError("nobody chats here")

    def keyring(self) -> Keyring:
        return KEYRING

    def image_id_key(self) -> bytes:
        return IMAGE_ID_KEY

    def estimate(self, user: str, prompt: str = PROMPT) -> Estimate:
        """Return the offer for a prompt."""
        asked = EstimateRequest.model_validate({"prompt": prompt, "quality": "standard"})
        return self.estimator.estimate(asked, user)

    def confirm(self, quote: str, user: str, prompt: str = PROMPT) -> Made | Running:
        """Click on an offer."""
        return self.confirmed(quote, user, prompt).result

    def confirmed(self, quote: str, user: str, prompt: str = PROMPT) -> Confirmed:
        """Click on an offer, and keep its quote beside the result."""
        request = GenerateRequest(quote=quote, prompt=prompt)
        return self.generator.generate(request, user, ends_ms=self.now_ms() + LIFETIME_MS)


def providers(
    react: Callable[[str], Outcome | None] = lambda _name: None,
) -> dict[str, CountingProvider]:
    """Return a counting provider for each name of the catalog."""
    return {name: CountingProvider(name, react) for name in CATALOG.providers}


def instance(
    dynamodb: Any,
    s3: "S3Client",
    table: str,
    bucket: str,
    now_ms: Callable[[], int],
    *,
    drawn_by: dict[str, CountingProvider],
    limits: Limits = LIFTED,
    circuits: Any = None,
    catalog: Catalog = CATALOG,
) -> Instance:
    """Return an instance over DynamoDB and S3; ``circuits`` is another way to the same table."""
    kept = AwsKeptStore(dynamodb, table, s3, bucket, lambda: IMAGE_ID_KEY)
    erasures, trail = DynamoErasureStore(dynamodb, table), DynamoTrailStore(dynamodb, table)
    return Instance(
        DynamoLedgerStore(dynamodb, table),
        DynamoBudgetStore(dynamodb, table),
        S3ImageStore(s3, bucket, lambda: IMAGE_ID_KEY),
        DynamoRecordStore(dynamodb, table),
        DynamoCircuitStore(circuits or dynamodb, table),
        now_ms,
        drawn_by,
        limits,
        erasing=ErasingStores(kept, erasures, trail),
        catalog=catalog,
        prompts=DynamoPromptStore(dynamodb, table),
        jobs=DynamoJobStore(dynamodb, table),
        warnings=DynamoBudgetWarningStore(dynamodb, table),
    )
