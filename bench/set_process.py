"""The generate handler in a process of its own, which makes sets of large images of large inputs.

    PYTHONPATH=layers/shared python -m bench.set_process BYTES [KEY]

It prints its peaks as JSON, in MB. ``KEY`` is a row of OpenAI's or of Black Forest Labs'.

The handler, the adapters of the row's provider and of OpenAI's moderation, the threads and the AWS
clients are those that are deployed. The stores are the tests' own, and keep the bytes in files. The
provider answers at once (bench/provider.py), so that the figure does not depend on the speed of
the machine.
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr

from bench.handler import KEY, Context, PlainWorld, event, load
from bench.provider import photo
from imagegen.aws import clients
from imagegen.bootstrap import generate, verifier
from imagegen.domain.catalog import Offering
from imagegen.domain.ids import ImageRef
from imagegen.domain.records import ImageRecord
from imagegen.domain.uploads import UploadRef
from imagegen.providers import build_moderator, build_provider
from imagegen.usecases.generate.sets import MOST_AT_ONCE
from imagegen.wire.estimates import EstimateRequest
from imagegen.wire.inputs import UploadOrder
from local import issuer
from local.issuer import AUDIENCE
from local.paths import ROOT
from tests.fakes.catalogs import real_catalog
from tests.fakes.images import MemoryImageStore
from tests.fakes.service import Service

PROMPT: Final = "Make it blue"
IMAGES: Final = 4
INPUT_BYTES: Final = (9_990_000, 9_980_000)
SETS: Final = 3


class Files(dict[UploadRef, bytes]):
    """The bytes of uploads: in files, as they are in a bucket and not in this process."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def __setitem__(self, ref: UploadRef, content: bytes) -> None:
        (self.folder / ref.upload_id).write_bytes(content)
        super().__setitem__(ref, b"")

    def get(self, ref: UploadRef, default: Any = None) -> Any:
        """Return the bytes of an upload, read anew."""
        return (self.folder / ref.upload_id).read_bytes() if ref in self else default


class EmptyImageStore(MemoryImageStore):
    """Keeps the records of images and not their bytes."""

    def put(self, ref: ImageRef, content: bytes, record: ImageRecord) -> bool:
        """Store an image with its record."""
        return super().put(ref, content[:16], record)


class ThreadedWorld(PlainWorld):
    """Runs the images of a set at the same time, as on AWS."""

    def run_at_once[T](self, tasks: Sequence[Callable[[], T]]) -> list[T]:
        """Return the results of tasks that run at the same time, in their order."""
        with ThreadPoolExecutor(MOST_AT_ONCE) as pool:
            return list(pool.map(lambda task: task(), tasks))


@dataclass(frozen=True, slots=True)
class Maker:
    """The handler, and the service in which its offers are made."""

    service: Service
    row: Offering
    handler: Any
    people: issuer.Issuer

    def make(self, inputs: Sequence[bytes], count: int) -> None:
        """Make a set, of a user of its own.

        Raises:
            RuntimeError: not all of its images were made.
        """
        token = self.people.token(f"person-{next(self.service.numbers)}")
        user = verifier.get_verifier().verify(f"Bearer {token}").id
        given = [{"upload": self._uploaded(content, user)} for content in inputs]
        wish = {
            "prompt": PROMPT, "quality": self.row.tier, "model": self.row.key,
            "count": count, "inputs": given,
        }  # fmt: skip
        offer = self.service.estimator.estimate(EstimateRequest.model_validate(wish), user)
        body = {"quotes": offer.quotes, "prompt": PROMPT}
        answer = self.handler.lambda_handler(event("generate/confirmed", token, body), Context())
        said = json.loads(answer["body"])
        images = [one.get("image", one) for one in said.get("images", [said])]
        models = {one.get("model") for one in images if one.get("status") == "complete"}
        if answer["statusCode"] != 200 or len(images) != count or models != {self.row.model}:
            raise RuntimeError(f"{answer['statusCode']}: {answer['body'][:600]}")

    def _uploaded(self, content: bytes, user: str) -> str:
        order = UploadOrder(
            media_type="image/png", bytes=len(content), sha256=hashlib.sha256(content).hexdigest()
        )
        ticket = self.service.functions.uploader.ticket(order, user)
        self.service.uploads.put(ticket.upload.url, content)
        return ticket.upload_id


def build(row: Offering, address: str, folder: Path, people: issuer.Issuer) -> Maker:
    """Return what makes sets with a row, whose provider is at an address."""
    os.environ |= {
        "TABLE_NAME": "table", "BUCKET_NAME": "bucket", "PARAMETERS_PATH": "/imagegen/bench",
        "JWT_AUDIENCE": AUDIENCE, "JWT_ISSUER": people.url, "POWERTOOLS_SERVICE_NAME": "bench",
        "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
    }  # fmt: skip
    service = Service(catalog=real_catalog(), images=EmptyImageStore())
    service.uploads.objects = Files(folder)
    provider: Any = build_provider(row.provider, credential=SecretStr(KEY), base_url=address)
    moderator: Any = build_moderator(SecretStr(KEY), address)
    service.providers[row.provider], service.moderator = provider, moderator
    functions = replace(service.functions, world=ThreadedWorld(service))
    # They are in the deployed process as well, although nothing is sent to them here.
    for client in (clients.dynamodb, clients.s3, clients.ssm):
        client()
    handler = load("generate")
    handler.api.dependency_overrides[generate.get_generate_service] = lambda: functions
    return Maker(service, row, handler, people)


@contextmanager
def provided(size: int) -> Iterator[str]:
    """Yield the address of a provider of images of ``size`` bytes."""
    command = [sys.executable, str(ROOT / "bench" / "provider.py"), str(size)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 ours
        try:
            port = process.stdout.readline().strip() if process.stdout else ""
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.kill()


def peak_mb(process: str = "self") -> float:
    """Return the most memory that a process has had, in MB; without an id, this one."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    (peak,) = (line.split()[1] for line in lines if line.startswith("VmHWM:"))
    return int(peak) * 1024 / 1e6


def forget_peak() -> None:
    """Begin anew with the peak: what prepared the inputs is not what handles the events."""
    Path("/proc/self/clear_refs").write_text("5")


def main() -> None:
    """Make an image of 10 kB, and then sets of images of the given size."""
    with ExitStack() as ends:
        folder = Path(ends.enter_context(tempfile.TemporaryDirectory()))
        people = ends.enter_context(issuer.start())
        address = ends.enter_context(provided(int(sys.argv[1])))
        key = sys.argv[2] if len(sys.argv) > 2 else "openai-standard"
        (row,) = [one for one in real_catalog().models if one.key == key]
        maker = build(row, address, folder, people)
        inputs = [photo(size) for size in INPUT_BYTES]
        maker.make((), 1)
        forget_peak()
        start = peak_mb()
        for _ in range(SETS):
            maker.make(inputs, IMAGES)
        # The inputs as they were made here are not the handler's.
        own = sum(INPUT_BYTES) / 1e6
        print(json.dumps({"startMb": round(start - own, 1), "peakMb": round(peak_mb() - own, 1)}))


if __name__ == "__main__":
    main()
