"""Who may use the switches from a browser: pages of this machine, and no site that is visited."""

import pytest
import requests

from local.simulator import Simulator

HERE = "http://127.0.0.1:4566"


def test_a_page_of_this_machine_may_ask_and_order(sim: Simulator) -> None:
    url = f"{sim.url}/control/providers/openai"
    asked = requests.options(url, headers={"Origin": HERE}, timeout=10)
    assert (asked.status_code, asked.headers["Access-Control-Allow-Origin"]) == (204, HERE)
    assert "POST" in asked.headers["Access-Control-Allow-Methods"]
    done = requests.post(url, json={"fault": "server_error"}, headers={"Origin": HERE}, timeout=10)
    assert done.headers["Access-Control-Allow-Origin"] == HERE
    assert [one["fault"] for one in done.json()["armed"]] == ["server_error"]


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1.evil.example"]
)
def test_a_page_from_elsewhere_can_neither_read_nor_break_anything(
    sim: Simulator, origin: str
) -> None:
    url = f"{sim.url}/control/providers/openai"
    done = requests.post(
        url, json={"fault": "server_error"}, headers={"Origin": origin}, timeout=10
    )
    assert done.status_code == 403
    assert "Access-Control-Allow-Origin" not in done.headers
    assert requests.get(url, timeout=10).json()["armed"] == []


def test_a_preflight_needs_an_origin_and_a_program_needs_none(sim: Simulator) -> None:
    url = f"{sim.url}/control/providers/openai"
    assert requests.options(url, timeout=10).status_code == 404
    assert requests.get(url, timeout=10).ok
