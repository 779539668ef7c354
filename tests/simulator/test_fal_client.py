"""fal's official client works against the simulator unchanged: the network alone leads it there."""

import io
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import requests
from fal_client import (
    Completed,
    FalClientHTTPError,
    InProgress,
    Queued,
    Status,
    SyncClient,
    encode_image,
)
from fal_client.client import BackupDomainTransport
from PIL import Image

from imagegen.providers import PROVIDERS
from local.simulator import Simulator
from local.simulator.fal import BASE_PATH
from tests.vendors import vendor

KEY = "sk-simulated-1234"
VENDOR = vendor("fal")
APP = VENDOR.usual["model"]
HOST = httpx.URL(PROVIDERS["fal"].base_url).host
ASK: dict[str, Any] = {
    "prompt": "a fox",
    **{name: value for name, value in VENDOR.usual.items() if name != "model"},
}
type Arm = Callable[..., None]


class Led(httpx.BaseTransport):
    """A network in which the queue's host is the simulator. Every other host is itself."""

    def __init__(self, origin: str) -> None:
        self.origin = httpx.URL(origin)
        self.wire = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.host == HOST:
            path = BASE_PATH.encode() + request.url.raw_path
            request.url = self.origin.copy_with(raw_path=path)
            request.headers["host"] = self.origin.netloc.decode()
        return self.wire.handle_request(request)

    def close(self) -> None:
        self.wire.close()


@pytest.fixture
def client(sim: Simulator) -> Iterator[SyncClient]:
    client = SyncClient(key=KEY)
    client._client._transport.close()
    client._client._transport = BackupDomainTransport(transport=Led(sim.url))
    yield client
    client._client.close()


def size_of(url: str) -> tuple[int, int]:
    answer = requests.get(url, timeout=10)
    image = Image.open(io.BytesIO(answer.content))
    image.load()
    return image.size


def test_it_draws_and_gives_the_state_on_the_way(
    client: SyncClient, totals: Callable[[str], dict[str, Any]]
) -> None:
    seen, ids = list[Status](), list[str]()
    found = client.subscribe(
        APP, ASK, with_logs=True, interval=0, on_enqueue=ids.append, on_queue_update=seen.append
    )
    (image,) = found["images"]
    asked = ASK["image_size"]
    assert (image["width"], image["height"]) == (asked["width"], asked["height"])
    assert size_of(image["url"]) == (asked["width"], asked["height"])
    assert found["has_nsfw_concepts"] == [False]
    assert isinstance(seen[-1], Completed)
    assert len(ids) == 1
    assert totals("fal")["billedMicrousd"] == VENDOR.usual_microusd


def test_a_job_is_found_again_by_its_id_alone(client: SyncClient) -> None:
    """As after the death of whoever ordered it; the client then builds the addresses itself."""
    ordered = client.submit(APP, ASK)
    again = client.get_handle(APP, ordered.request_id)
    assert isinstance(client.status(APP, ordered.request_id), Completed)
    assert again.get(interval=0) == ordered.get(interval=0)
    assert client.result(APP, ordered.request_id)["prompt"] == ASK["prompt"]


@pytest.mark.parametrize(
    ("armed", "state"),
    [
        ({"fault": "fal_never_ready"}, Queued(position=0)),
        ({"fault": None, "delaySeconds": 600}, InProgress(logs=None)),
    ],
)
def test_a_job_that_is_not_done_is_in_the_queue_or_in_progress(
    client: SyncClient, arm: Arm, armed: dict[str, Any], state: Status
) -> None:
    arm("fal", **armed)
    assert client.submit(APP, ASK).status() == state


@pytest.mark.parametrize(
    ("fault", "status"),
    [("bad_key", 401), ("out_of_credit", 403), ("model_gone", 404), ("bad_parameter", 422)],
)
def test_an_order_that_is_refused_raises_its_error(
    client: SyncClient, arm: Arm, fault: str, status: int
) -> None:
    arm("fal", fault)
    with pytest.raises(FalClientHTTPError) as raised:
        client.submit(APP, ASK)
    assert raised.value.status_code == status


@pytest.mark.parametrize(
    ("fault", "status", "kind"),
    [
        ("refused", 422, "content_policy_violation"),
        ("fal_no_media", 422, "no_media_generated"),
        ("fal_failed", 500, "internal_server_error"),
    ],
)
def test_a_job_that_failed_raises_its_error_at_its_result(
    client: SyncClient, arm: Arm, fault: str, status: int, kind: str
) -> None:
    arm("fal", fault)
    ordered = client.submit(APP, ASK)
    with pytest.raises(FalClientHTTPError) as raised:
        ordered.get(interval=0)
    assert raised.value.status_code == status
    (detail,) = raised.value.response.json()["detail"]
    assert detail["type"] == kind


def test_a_black_square_is_a_success_for_the_client(client: SyncClient, arm: Arm) -> None:
    arm("fal", "fal_black_image")
    assert client.subscribe(APP, ASK, interval=0)["has_nsfw_concepts"] == [True]


def test_what_is_done_cannot_be_cancelled(client: SyncClient) -> None:
    ordered = client.submit(APP, ASK)
    with pytest.raises(FalClientHTTPError) as raised:
        ordered.cancel()
    assert raised.value.status_code == 400


def test_an_edit_takes_pictures_as_the_client_writes_them(client: SyncClient) -> None:
    """``encode_image`` of the client makes a data URL, which is what we send, too."""
    url = encode_image(Image.new("RGB", (64, 48), "teal"), format="png")
    size = {"width": 992, "height": 992}
    asked = {"prompt": "a fox", "image_urls": [url], "image_size": size}
    found = client.subscribe("fal-ai/flux-2-max/edit", asked, interval=0)
    assert size_of(found["images"][0]["url"]) == (992, 992)
