"""One instance of the service over the stores that ship: its own guard, caches and clock."""

import secrets
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

from imagegen.aws.circuit_store import DynamoCircuitStore
from imagegen.aws.image_store import S3ImageStore
from imagegen.aws.ledger_store import DynamoLedgerStore
from imagegen.aws.record_store import DynamoRecordStore
from imagegen.bootstrap.generate import new_run_id
from imagegen.domain.breaker import Policy
from imagegen.domain.errors import ProviderError
from imagegen.domain.ids import NONCE_BYTES
from imagegen.domain.ledger import Limits
from imagegen.domain.moderation import ModerationMode
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import ImageAnswer, ImageOrder, ServedModels
from imagegen.domain.records import ImageRecord
from imagegen.domain.stores import CircuitStore, ImageStore, LedgerStore, RecordStore
from imagegen.guard import Guard, Transition
from imagegen.usecases.availability import ProviderSetup, Switchboard
from imagegen.usecases.estimator import Estimator, Secrets
from imagegen.usecases.generate.attempts import ProviderLoop
from imagegen.usecases.generate.generator import Generator
from imagegen.usecases.generate.holds import Holds
from imagegen.usecases.generate.moderation import PromptModeration
from imagegen.usecases.generate.reconciler import Reconciler
from imagegen.usecases.generate.replay import Made, Replayer, Running
from imagegen.usecases.generate.storage import ImageKeeper
from imagegen.wire.images import Estimate, EstimateRequest, GenerateRequest
from tests.fakes.catalogs import three_providers
from tests.fakes.pictures import png
from tests.fakes.providers import ScriptedModerator
from tests.fakes.service import IMAGE_ID_KEY, KEYRING

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

CATALOG = three_providers()
PROMPT = "a fox in the snow"
LIFETIME_MS = 300_000
"""Lambda's timeout for generate."""
POLICY = Policy()
LIFTED = Limits(0, 100_000, 100_000, 10**12)


@dataclass(slots=True)
class CountingProvider:
    """``ImageProvider``: draws, or does what it was told, and counts the calls."""

    name: str
    react: Callable[[str], Outcome | None] = lambda _name: None
    """Which outcome a call to the provider of this name comes to, ``None`` for an image."""
    calls: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def generate(self, order: ImageOrder, *, timeout_seconds: float) -> ImageAnswer:
        with self._lock:
            self.calls += 1
        outcome = self.react(self.name)
        if outcome is not None:
            raise ProviderError(self.name, outcome, "told to")
        return ImageAnswer(png())

    def check_key(self, *, timeout_seconds: float) -> None:
        return

    def models(self, *, timeout_seconds: float) -> ServedModels | None:
        return None


@dataclass(slots=True)
class Instance:
    """Every use case that spends, over real stores."""

    ledgers: LedgerStore
    images: ImageStore
    records: RecordStore
    circuits: CircuitStore
    now_ms: Callable[[], int]
    providers: dict[str, CountingProvider]
    limits: Limits = LIFTED
    moves: list[Transition] = field(default_factory=list)
    finished: list[ImageRecord] = field(default_factory=list)
    guard: Guard = field(init=False)
    estimator: Estimator = field(init=False)
    reconciler: Reconciler = field(init=False)
    generator: Generator = field(init=False)

    def __post_init__(self) -> None:
        self.guard = Guard(
            self.circuits, POLICY, self.now_ms, lambda: uuid.uuid4().hex[:16], self.moves.append
        )
        setups = {name: ProviderSetup(has_key=True, enabled=True) for name in CATALOG.providers}
        switchboard = Switchboard(CATALOG, lambda: setups, self.guard)
        self.estimator = Estimator(
            catalog=CATALOG,
            switchboard=switchboard,
            ledgers=self.ledgers,
            limits=self.limits,
            price_multiple=Decimal(3),
            secrets=lambda: Secrets(KEYRING, IMAGE_ID_KEY),
            now_ms=self.now_ms,
            nonce=partial(secrets.token_bytes, NONCE_BYTES),
        )
        self.reconciler = Reconciler(self.ledgers, self.images, self.records, self.now_ms)
        self.generator = self._generator(switchboard)

    def _generator(self, switchboard: Switchboard) -> Generator:
        drawer = ProviderLoop(
            catalog=CATALOG,
            guard=self.guard,
            provider=self.providers.__getitem__,
            availability=switchboard.availability,
            now_ms=self.now_ms,
            call_timeout_seconds=120.0,
            fallback_after_unknown=True,
        )
        replayer = Replayer(
            CATALOG, self.ledgers, self.images, self.records, self.reconciler, self.now_ms
        )
        return Generator(
            catalog=CATALOG,
            reserver=Holds(self.ledgers, self.reconciler, self.limits, self.now_ms, new_run_id),
            gatekeeper=PromptModeration(ScriptedModerator, ModerationMode.REQUIRED),
            drawer=drawer,
            keeper=ImageKeeper(
                ledgers=self.ledgers,
                images=self.images,
                records=self.records,
                replayer=replayer,
                now_ms=self.now_ms,
                pause=lambda _seconds: None,
                on_finished=self.finished.append,
            ),
            replayer=replayer,
            keyring=lambda: KEYRING,
            now_ms=self.now_ms,
        )

    def estimate(self, user: str, prompt: str = PROMPT) -> Estimate:
        """Return the offer for a prompt."""
        asked = EstimateRequest.model_validate({"prompt": prompt, "quality": "standard"})
        return self.estimator.estimate(asked, user)

    def confirm(self, quote: str, user: str, prompt: str = PROMPT) -> Made | Running:
        """Click on an offer."""
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
) -> Instance:
    """Return an instance over DynamoDB and S3; ``circuits`` is another way to the same table."""
    return Instance(
        DynamoLedgerStore(dynamodb, table),
        S3ImageStore(s3, bucket),
        DynamoRecordStore(dynamodb, table),
        DynamoCircuitStore(circuits or dynamodb, table),
        now_ms,
        drawn_by,
        limits,
    )
