"""OpenAI's official clients against the deployed functions: unchanged, and paid at most once."""

import base64
import hashlib
import json
import shutil
import subprocess
import tarfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import openai
import pytest
import requests

from tests.stack.driver import TIMEOUT_SECONDS, Driver, Person
from tests.stack.proxy import Watch, watching

PROMPT = "A red fox in fresh snow"
SCRIPT = Path(__file__).with_name("openai_client.mjs")
JS_VERSION = "7.53.0"
JS_SHA512 = (
    "PXiIZraFYMb2QYgTtWqDA16Oszj4fWRZNn7qLIAddmiJxM5uQPWBFaxp9O8MhLfTUOQ+iQsnFSRJhLPecsGovQ=="
)
"""Of the package as it was published; what is run is what was looked at."""
SPENT_ONCE = {"images": 1, "spent": "0.052700"}


def client_of(person: Person, url: str | None = None, **options: Any) -> openai.OpenAI:
    base = f"{url or person.stack.urls['generateUrl']}/v1"
    return openai.OpenAI(base_url=base, api_key=person.token, **options)


def receipt(answer: Any) -> dict[str, Any]:
    found: dict[str, Any] = answer.to_dict()["imagegen"]
    return found


def spent(person: Person) -> dict[str, Any]:
    usage = person.usage()
    return {name: usage[name] for name in SPENT_ONCE}


def test_the_python_client_gets_an_image(stack: Driver) -> None:
    person = stack.person()
    got = client_of(person).images.generate(prompt=PROMPT, model="openai-high", size="1024x1024")
    assert got.data is not None
    content = base64.b64decode(got.data[0].b64_json or "")
    ours = receipt(got)
    assert requests.get(ours["imageUrl"], timeout=TIMEOUT_SECONDS).content == content
    assert got.usage is not None
    assert got.usage.output_tokens > 0
    assert spent(person) == SPENT_ONCE


def test_the_models_are_listed(stack: Driver) -> None:
    listed = {one.id for one in client_of(stack.person()).models.list()}
    assert {"fast", "standard", "high", "ultra", "openai-high"} < listed


def test_many_calls_with_one_key_at_once_are_one_image(stack: Driver) -> None:
    person = stack.person()
    stack.provider("openai", delaySeconds=4)
    client = client_of(person, max_retries=5)

    def ask(_: int) -> str:
        got = client.images.generate(
            prompt=PROMPT,
            model="openai-high",
            response_format="url",
            extra_headers={"Idempotency-Key": "order-66"},
        )
        return str(receipt(got)["imageId"])

    with ThreadPoolExecutor(6) as pool:
        ids = set(pool.map(ask, range(6)))
    assert len(ids) == 1
    assert stack.counts("openai")["images"] == 1
    assert spent(person) == SPENT_ONCE


def test_several_images_are_made_at_once_and_are_the_same_for_every_repetition(
    stack: Driver,
) -> None:
    """Six equal calls with one key, each for three images: three are made and charged."""
    person = stack.person()
    stack.provider("openai", delaySeconds=4)
    client = client_of(person, max_retries=5)

    def ask(_: int) -> tuple[str, ...]:
        got = client.images.generate(
            prompt=PROMPT,
            model="openai-high",
            n=3,
            response_format="url",
            extra_headers={"Idempotency-Key": "order-70"},
        )
        return tuple(one["imageId"] for one in receipt(got)["images"])

    with ThreadPoolExecutor(6) as pool:
        found = set(pool.map(ask, range(6)))
    assert len(found) == 1
    assert len(set(next(iter(found)))) == stack.counts("openai")["images"] == 3
    assert spent(person) == {"images": 3, "spent": "0.158100"}


def test_of_many_repetitions_of_a_running_call_one_waits(stack: Driver) -> None:
    person = stack.person()
    # A call waits for 25 s at most: the run ends well before, and long after the last one has come.
    stack.provider("openai", delaySeconds=15)
    url = f"{stack.urls['generateUrl']}/v1/images/generations"
    body = {"prompt": PROMPT, "model": "openai-high", "response_format": "url"}
    begun = threading.Event()

    def first(_: int) -> tuple[int, float]:
        began = time.monotonic()
        answer = person.call("POST", url, body, **{"Idempotency-Key": "order-71"})
        return answer.status, time.monotonic() - began

    def again(number: int) -> tuple[int, float]:
        begun.wait()
        return first(number)

    with ThreadPoolExecutor(9) as pool:
        # With an instance for each of them, all come while the first one runs.
        list(pool.map(lambda _: person.usage(), range(9)))
        run = pool.submit(first, 0)
        others = [pool.submit(again, number) for number in range(1, 9)]
        try:
            while person.usage()["reserved"] == "0.000000":
                assert not run.done()
                time.sleep(0.2)
        finally:
            begun.set()
        answers = [one.result() for one in others]
        assert run.result()[0] == 200
    waited = [status for status, _ in answers if status == 200]
    refused = [seconds for status, seconds in answers if status == 503]
    assert (len(waited), len(refused)) == (1, 7)
    assert spent(person) == SPENT_ONCE


def test_equal_calls_at_once_without_a_key_get_an_image_each(stack: Driver) -> None:
    person = stack.person()
    client = client_of(person)

    def ask(_: int) -> str:
        got = client.images.generate(prompt=PROMPT, model="openai-high", response_format="url")
        return str(receipt(got)["imageId"])

    with ThreadPoolExecutor(4) as pool:
        ids = set(pool.map(ask, range(4)))
    assert len(ids) == stack.counts("openai")["images"] == person.usage()["images"] == 4


@pytest.mark.parametrize("key", [None, "order-67"])
def test_a_lost_reply_is_tried_again_by_the_client_and_paid_once(
    stack: Driver, key: str | None
) -> None:
    person = stack.person()
    headers = {"Idempotency-Key": key} if key else {}
    paths: list[str] = []

    def is_first(method: str, path: str, _body: bytes) -> bool:
        paths.append(path)
        return len(paths) == 1

    url = urlsplit(stack.urls["generateUrl"])
    with watching(url.geturl(), Watch(is_first, lambda _: None, after=True)) as proxy:
        got = client_of(person, proxy + url.path).images.generate(
            prompt=PROMPT, model="openai-high", response_format="url", extra_headers=headers
        )
    assert len(paths) == 2
    assert got.data
    assert receipt(got)["repeated"] is True
    assert stack.counts("openai")["images"] == 1
    assert spent(person) == SPENT_ONCE


def test_a_client_that_gives_up_waiting_meets_the_run_that_goes_on(stack: Driver) -> None:
    person = stack.person()
    client_of(person).models.list()
    stack.provider("openai", delaySeconds=6)
    # How often it has to ask again until the run has ended, only the machine knows.
    client = client_of(person, max_retries=8)
    got = client.with_options(timeout=4).images.generate(
        prompt=PROMPT, model="openai-high", response_format="url"
    )
    assert got.data
    assert receipt(got)["repeated"] is True
    assert stack.counts("openai")["images"] == 1
    assert spent(person) == SPENT_ONCE


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """OpenAI's package for node, checked, in a folder of its own."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("node and npm are not installed: OpenAI's JavaScript client is not tried")
    folder = tmp_path_factory.mktemp("js")
    pack = ["npm", "pack", f"openai@{JS_VERSION}", "--silent", "--ignore-scripts"]
    done = subprocess.run(pack, cwd=folder, check=True, capture_output=True, text=True)  # noqa: S603
    tarball = folder / done.stdout.split()[-1]
    digest = hashlib.sha512(tarball.read_bytes()).digest()
    assert base64.b64encode(digest).decode() == JS_SHA512
    with tarfile.open(tarball) as archive:
        archive.extractall(folder / "node_modules", filter="data")
    (folder / "node_modules" / "package").rename(folder / "node_modules" / "openai")
    shutil.copy(SCRIPT, folder)
    return folder


def test_the_javascript_client_gets_images_and_errors(stack: Driver, package: Path) -> None:
    person = stack.person()
    asked = {
        "baseURL": f"{stack.urls['generateUrl']}/v1",
        "apiKey": person.token,
        "prompt": PROMPT,
        "key": "order-68",
    }
    node = ["node", SCRIPT.name, json.dumps(asked)]
    done = subprocess.run(node, cwd=package, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert {"fast", "openai-fast"} < set(said["models"])
    assert base64.b64decode(said["first"]["data"][0]["b64_json"])
    assert base64.b64decode(said["edited"]["data"][0]["b64_json"])
    first, second = said["keyed"]
    assert first["data"] == second["data"]
    assert [(one["name"], one["status"], one["param"]) for one in said["errors"]] == [
        ("BadRequestError", 400, "n"),
        ("NotFoundError", 404, "model"),
        ("BadRequestError", 400, "x-max-cost"),
        ("UnprocessableEntityError", 422, "idempotency-key"),
    ]
    assert all(one["requestID"] for one in said["errors"])
    assert person.usage()["images"] == 3
