"""The emulator, checked before anything is believed that it says."""

from collections.abc import Iterator
from itertools import count

import pytest

from imagegen.aws.chat_usage_store import DynamoChatUsageStore
from imagegen.aws.circuit_store import DynamoCircuitStore
from imagegen.aws.image_store import S3ImageStore
from imagegen.aws.job_store import DynamoJobStore
from imagegen.aws.key_store import DynamoKeyStore
from imagegen.aws.ledger_store import DynamoLedgerStore
from imagegen.aws.preview_store import S3PreviewStore
from imagegen.aws.prompt_store import DynamoPromptStore
from imagegen.aws.record_store import DynamoRecordStore
from imagegen.aws.upload_store import S3UploadStore
from tests.adapters.aws.selfcheck import what_is_wrong
from tests.adapters.aws.world import Aws, running_aws
from tests.fakes.chat_usages import MemoryChatUsageStore
from tests.fakes.circuits import MemoryCircuitStore
from tests.fakes.images import MemoryImageStore, MemoryPromptStore, MemoryRecordStore
from tests.fakes.jobs import MemoryJobStore
from tests.fakes.keys import MemoryKeyStore
from tests.fakes.ledgers import MemoryLedgerStore
from tests.fakes.previews import MemoryPreviewStore
from tests.fakes.service import IMAGE_ID_KEY
from tests.fakes.uploads import MemoryUploadStore

NUMBERS = count(1)
both = pytest.fixture(params=["memory", "aws"])


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    with running_aws(tmp_path_factory.mktemp("aws")) as aws:
        yield aws


@pytest.fixture(scope="session")
def emulator_fault(emulator: Aws) -> str:
    return what_is_wrong(emulator)


@pytest.fixture(scope="session")
def aws(emulator: Aws, emulator_fault: str) -> Aws:
    if emulator_fault:
        pytest.fail(f"the emulator is not atomic, nothing it says counts: {emulator_fault}")
    return emulator


@pytest.fixture(scope="session")
def table(aws: Aws) -> str:
    return aws.new_table()


@pytest.fixture(scope="session")
def dynamo_ledgers(aws: Aws, table: str) -> DynamoLedgerStore:
    return DynamoLedgerStore(aws.dynamodb, table)


@pytest.fixture
def dynamo_circuits(aws: Aws) -> DynamoCircuitStore:
    return DynamoCircuitStore(aws.dynamodb, aws.new_table())


@pytest.fixture(scope="session")
def dynamo_records(aws: Aws, table: str) -> DynamoRecordStore:
    return DynamoRecordStore(aws.dynamodb, table)


@pytest.fixture(scope="session")
def s3_images(aws: Aws) -> S3ImageStore:
    return S3ImageStore(aws.s3, aws.new_bucket(), lambda: IMAGE_ID_KEY)


@pytest.fixture(scope="session")
def s3_uploads(aws: Aws) -> S3UploadStore:
    return S3UploadStore(aws.s3, aws.new_bucket(), lambda: IMAGE_ID_KEY)


@pytest.fixture(scope="session")
def s3_previews(aws: Aws) -> S3PreviewStore:
    return S3PreviewStore(aws.s3, aws.new_bucket(), lambda: IMAGE_ID_KEY)


@both
def ledgers(request: pytest.FixtureRequest) -> MemoryLedgerStore | DynamoLedgerStore:
    if request.param == "memory":
        return MemoryLedgerStore()
    store: DynamoLedgerStore = request.getfixturevalue("dynamo_ledgers")
    return store


@both
def chat_usages(
    request: pytest.FixtureRequest,
) -> MemoryChatUsageStore | DynamoChatUsageStore:
    if request.param == "memory":
        return MemoryChatUsageStore()
    aws, table = request.getfixturevalue("aws"), request.getfixturevalue("table")
    return DynamoChatUsageStore(aws.dynamodb, table)


@both
def circuits(request: pytest.FixtureRequest) -> MemoryCircuitStore | DynamoCircuitStore:
    if request.param == "memory":
        return MemoryCircuitStore()
    store: DynamoCircuitStore = request.getfixturevalue("dynamo_circuits")
    return store


@both
def images(request: pytest.FixtureRequest) -> MemoryImageStore | S3ImageStore:
    if request.param == "memory":
        return MemoryImageStore()
    store: S3ImageStore = request.getfixturevalue("s3_images")
    return store


@both
def uploads(request: pytest.FixtureRequest) -> MemoryUploadStore | S3UploadStore:
    if request.param == "memory":
        return MemoryUploadStore()
    store: S3UploadStore = request.getfixturevalue("s3_uploads")
    return store


@both
def previews(request: pytest.FixtureRequest) -> MemoryPreviewStore | S3PreviewStore:
    if request.param == "memory":
        return MemoryPreviewStore()
    store: S3PreviewStore = request.getfixturevalue("s3_previews")
    return store


@both
def records(request: pytest.FixtureRequest) -> MemoryRecordStore | DynamoRecordStore:
    if request.param == "memory":
        return MemoryRecordStore()
    store: DynamoRecordStore = request.getfixturevalue("dynamo_records")
    return store


@both
def prompts(request: pytest.FixtureRequest) -> MemoryPromptStore | DynamoPromptStore:
    if request.param == "memory":
        return MemoryPromptStore()
    aws, table = request.getfixturevalue("aws"), request.getfixturevalue("table")
    return DynamoPromptStore(aws.dynamodb, table)


@both
def jobs(request: pytest.FixtureRequest) -> MemoryJobStore | DynamoJobStore:
    if request.param == "memory":
        return MemoryJobStore()
    aws, table = request.getfixturevalue("aws"), request.getfixturevalue("table")
    return DynamoJobStore(aws.dynamodb, table)


@both
def program_keys(request: pytest.FixtureRequest) -> MemoryKeyStore | DynamoKeyStore:
    if request.param == "memory":
        return MemoryKeyStore()
    aws: Aws = request.getfixturevalue("aws")
    return DynamoKeyStore(aws.dynamodb, aws.new_table())


@pytest.fixture
def user() -> str:
    """Return a user nobody has seen before."""
    return f"{next(NUMBERS):032x}"
