"""`make report` over the deployed stack: what users paid, and what providers counted."""

import csv
import io
import subprocess
from collections import Counter

from local.paths import ROOT
from tests.stack.driver import Driver

PROMPT = "A red fox in fresh snow"


def report(stack: Driver, month: str, *more: str) -> str:
    done = subprocess.run(  # noqa: S603 our own Makefile
        ["make", "report", f"STACK={stack.urls['stackName']}", f"MONTH={month}", *more],  # noqa: S607
        cwd=ROOT,
        env=stack.local.emulator.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def charged(stack: Driver, month: str) -> Counter[tuple[str, str, str]]:
    rows = csv.DictReader(io.StringIO(report(stack, month, "CSV=1")))
    found: Counter[tuple[str, str, str]] = Counter()
    for row in rows:
        kind = (row["provider"], row["model"], row["outcome"])
        found[kind] += round(float(row["charged_usd"]) * 1_000_000)
    return found


def test_a_months_report_is_what_users_paid(stack: Driver) -> None:
    # An offer that is made in the last minutes of a month ends in the next one.
    month = stack.person().make(PROMPT, quality="fast").json["createdAt"][:7]
    before = charged(stack, month)
    ann, bob = stack.person(), stack.person()
    ann.make(PROMPT, quality="high", provider="openai")
    bob.make(PROMPT, quality="fast", provider="openai")
    bob.make("A provider-refusal of a picture", quality="high", provider="openai")
    spent = sum(round(float(one.usage()["spent"]) * 1_000_000) for one in (ann, bob))
    grown = charged(stack, month) - before
    assert grown == {
        ("openai", "gpt-image-2.5-flare", "complete"): spent,
    }
    assert ("-", "-", "content_refused") in charged(stack, month)


def test_the_actual_cost_by_tokens_is_kept_beside_the_price(stack: Driver) -> None:
    person = stack.person()
    made = person.make(PROMPT, quality="high", provider="openai").json
    items = stack.client("dynamodb").scan(TableName=stack.urls["table"])["Items"]
    mine = [one for one in items if one["sk"]["S"].endswith(made["id"][:24])]
    (newest,) = (one for one in mine if one["sk"]["S"].startswith("I#"))
    assert made["cost"]["charged"] == "0.052700"
    # 1756 tokens of the image at $30 a million, and 6 of the prompt at $5.
    assert int(newest["actual_microusd"]["N"]) == 1756 * 30 + 6 * 5


def test_a_report_for_people_has_its_tables(stack: Driver) -> None:
    made = stack.person().make(PROMPT, quality="high", provider="openai").json
    month = made["createdAt"][:7]
    said = report(stack, month)
    for title in (f"month {month}", "provider and model", "outcome", "user"):
        assert title in said
