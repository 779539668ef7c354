"""Operators on the deployed stack, with the roles of the template; and a person who is erased."""

from typing import Any

import pytest

from imagegen.edge.tokens import user_id
from tests.stack.driver import Answer, Driver, Person

PROMPT = "A red fox in fresh snow, seen by a canary"


@pytest.fixture
def operator(stack: Driver) -> Person:
    return Person(stack, stack.urls["adminToken"])


def ask(operator: Person, method: str, path: str, body: Any = None) -> dict[str, Any]:
    answer = operator.call(method, f"{operator.stack.urls['adminUrl']}/admin/{path}", body)
    assert answer.status == 200, answer.text
    return answer.json


def versions(stack: Driver) -> list[str]:
    """Return the keys of every version and deletion marker in the bucket."""
    pages = (
        stack.client("s3")
        .get_paginator("list_object_versions")
        .paginate(Bucket=stack.urls["bucket"])
    )
    return [
        one["Key"]
        for page in pages
        for one in [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
    ]


def partition(stack: Driver, key: str) -> list[dict[str, Any]]:
    found = stack.client("dynamodb").query(
        TableName=stack.urls["table"],
        KeyConditionExpression="pk = :p",
        ExpressionAttributeValues={":p": {"S": key}},
    )
    items: list[dict[str, Any]] = found["Items"]
    return items


def test_the_role_is_enough_for_everything_that_an_operator_does(
    stack: Driver, operator: Person
) -> None:
    person = stack.person()
    person.make(PROMPT, quality="fast")
    for path in ("spending", "failures", "providers", "trail"):
        ask(operator, "GET", path)
    for on in (False, True):
        body = {"provider": "openai", "on": on, "reason": "drill"}
        found = ask(operator, "POST", "providers/switch", body)
        assert found["providers"][0]["enabled"] is on
    ask(operator, "POST", "circuits/reset", {"circuit": "openai"})
    refused = person.call("GET", f"{stack.urls['adminUrl']}/admin/spending")
    assert refused.status == 403


def test_an_erased_person_leaves_the_money_and_nothing_else(
    stack: Driver, operator: Person
) -> None:
    subject = "a person who is erased"
    person = Person(stack, stack.local.issuer.token(subject))
    user = user_id(stack.urls["issuer"], subject)
    made = [person.make(f"{PROMPT} {n}", quality="fast").json for n in range(2)]
    quotes = [one["id"][:24] for one in made]
    assert sum(key.endswith(tuple(quotes)) for key in versions(stack)) == 2
    assert len(partition(stack, f"P#{user}")) == 2
    answer: Answer = person.call("DELETE", f"{stack.urls['generateUrl']}/me")
    assert answer.status == 200, answer.text
    assert answer.json["finished"] is True
    left = [key for key in versions(stack) if key.endswith(tuple(quotes)) or user in key]
    assert all(key.startswith("deleted/") for key in left)
    assert len(left) == 2
    assert partition(stack, f"P#{user}") == []
    items = partition(stack, f"U#{user}")
    assert "canary" not in str(items)
    records = [one for one in items if one["sk"]["S"].startswith("I#")]
    assert len(records) == 2
    assert all("deleted_ms" in one and "parents" not in one for one in records)
    found = ask(operator, "POST", "people/find", {"subject": subject})
    assert found["spent"] == f"{sum(float(one['cost']['charged']) for one in made):.6f}"
    trail = ask(operator, "GET", "trail")["entries"]
    assert [one["new"] for one in trail if one["target"] == user] == ["erased"]


def test_an_operators_wish_is_done_by_the_schedule(stack: Driver, operator: Person) -> None:
    subject = "a person whom an operator erases"
    person = Person(stack, stack.local.issuer.token(subject))
    made = person.make(PROMPT, quality="fast").json
    user = ask(operator, "POST", "people/find", {"subject": subject})["user"]
    asked = ask(operator, "POST", "people/erase", {"user": user, "reason": "letter"})
    assert asked["erasingSince"] is not None
    stack.invoke("generate", {"task": "reconcile"})
    assert ask(operator, "POST", "people/find", {"user": user})["erasingSince"] is None
    left = [key for key in versions(stack) if key.endswith(made["id"][:24])]
    assert [key.partition("/")[0] for key in left] == ["deleted"]
