"""The month on the page: each charge on its UTC day, and the sum of what the gallery has."""

import json
from typing import Any, cast

import pytest

from local.paths import ROOT
from tests.unit.scripts import NODE, written_by

USAGE = ROOT / "functions" / "page" / "static" / "usage-view.js"

pytestmark = pytest.mark.skipif(NODE is None, reason="node runs the page's scripts")


def days(images: list[dict[str, Any]], today: str) -> list[dict[str, Any]]:
    """The days of the month until today, as the chart and the table have them."""
    text = (
        f"const {{ daysOf }} = await import({json.dumps(USAGE.as_uri())});\n"
        f"console.log(JSON.stringify(daysOf({json.dumps(images)}, {json.dumps(today)})));"
    )
    return cast("list[dict[str, Any]]", written_by(text))


def image(at: str, charged: str | None) -> dict[str, Any]:
    return {"createdAt": at, "cost": charged and {"charged": charged}}


def test_charges_are_added_up_on_their_days_in_whole_micro_dollars() -> None:
    found = days(
        [
            image("2026-11-03T23:59:59.999Z", "0.013200"),
            image("2026-11-03T00:00:00.000Z", "0.000001"),
            image("2026-11-01T12:00:00.000Z", "1.000000"),
            image("2026-10-31T23:59:59.999Z", "9.000000"),
        ],
        "2026-11-03",
    )
    assert found == [
        {"day": "2026-11-01", "images": 1, "micro": 1_000_000},
        {"day": "2026-11-02", "images": 0, "micro": 0},
        {"day": "2026-11-03", "images": 2, "micro": 13_201},
    ]


def test_an_image_whose_charge_is_not_known_counts_as_an_image_alone() -> None:
    (day,) = days([image("2026-12-01T00:00:00.000Z", None)], "2026-12-01")
    assert (day["images"], day["micro"]) == (1, 0)


def test_an_image_of_a_day_that_the_service_has_not_yet_is_left_out() -> None:
    # Midnight passes between the two requests.
    (day,) = days([image("2026-12-02T00:00:00.000Z", "0.01")], "2026-12-01")
    assert (day["images"], day["micro"]) == (0, 0)


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ({"usdToday": None, "usdThisMonth": None}, ""),
        (
            {"usdToday": "3.000000", "usdThisMonth": None},
            "You set yourself a limit of $3.00 a day.",
        ),
        (
            {"usdToday": "0.000000", "usdThisMonth": "20.500000"},
            "You set yourself a limit of $0.00 a day. You set yourself a limit of $20.50 a month.",
        ),
    ],
)
def test_the_limits_of_ones_own_are_said(own: dict[str, str | None], expected: str) -> None:
    text = (
        f"const {{ ownText }} = await import({json.dumps(USAGE.as_uri())});\n"
        f"console.log(JSON.stringify(ownText({json.dumps(own)})));"
    )
    assert written_by(text) == expected
