"""Equal orders: equal bytes for tests, and another picture each time where a person looks."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from local.simulator import Simulator
from local.simulator.drawing import Sketch
from local.simulator.routes import BASES
from local.simulator.studio import MOST_SKETCHES, Takes
from tests.vendors import vendor

FOX = Sketch("acme", "painter-1", "a fox", 64, 64, "png")


@pytest.fixture
def varying() -> Iterator[Simulator]:
    with Simulator.start(varies=True) as simulator:
        yield simulator


def pictures(simulator: Simulator, prompt: str, count: int) -> list[bytes]:
    """Order the same picture several times at once."""
    url = f"{simulator.url}{BASES['openai']}/images/generations"
    body = {"model": "gpt-image-2.5-flare", "prompt": prompt, "quality": "low", "size": "1024x1024"}

    def order(_: int) -> bytes:
        answer = requests.post(url, json=body, headers=vendor("openai").auth("sk-1"), timeout=30)
        return str(answer.json()["data"][0]["b64_json"]).encode()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(order, range(count)))


def test_four_equal_orders_are_four_pictures_where_it_varies(varying: Simulator) -> None:
    assert len(set(pictures(varying, "a fox", 4))) == 4


def test_four_equal_orders_are_equal_bytes_else(sim: Simulator, varying: Simulator) -> None:
    (plain,) = set(pictures(sim, "a fox", 4))
    assert pictures(varying, "a fox", 1) == [plain]


@pytest.mark.parametrize(("seed", "different"), [({}, 2), ({"seed": 7}, 1)])
def test_a_seed_gives_the_same_picture_again(
    varying: Simulator, seed: dict[str, int], different: int
) -> None:
    url = f"{varying.url}{BASES['together']}/images/generations"
    body = {
        "model": "black-forest-labs/FLUX.2-dev", "prompt": "a fox", "width": 1024, "height": 1024,
        "response_format": "base64", **seed,
    }  # fmt: skip
    headers = vendor("together").auth("key")
    answers = [requests.post(url, json=body, headers=headers, timeout=30) for _ in range(2)]
    assert len({one.json()["data"][0]["b64_json"] for one in answers}) == different


def test_no_two_calls_get_the_same_take() -> None:
    takes = Takes()
    assert [takes.first_of(count, FOX) for count in (1, 4, 2, 1)] == [0, 1, 5, 7]


def test_sketches_are_not_counted_for_ever() -> None:
    takes = Takes()
    for number in range(MOST_SKETCHES):
        takes.first_of(1, Sketch("acme", "painter-1", str(number), 64, 64, "png"))
    assert takes.first_of(1, FOX) == 0
    assert takes.first_of(1, FOX) == 1
