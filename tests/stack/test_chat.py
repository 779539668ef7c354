"""From words to a priced offer to an image: over the deployed functions' URLs."""

import json
from contextlib import ExitStack
from typing import Any

import boto3
import pytest
import requests
from botocore.exceptions import ClientError

from imagegen.aws.chat_usage_store import CHAT_PARTITION
from imagegen.providers import PROVIDERS, flag_name
from tests.fakes.sse import events_in
from tests.stack.driver import Answer, Driver, Person
from tests.stack.logs import lines_of

WORDS = "Generate a photorealistic sunset over mountains"


@pytest.fixture
def person(stack: Driver) -> Person:
    return stack.person()


def complete(answer: Answer) -> dict[str, Any]:
    """Return the message that a stream ends with."""
    assert answer.status == 200, answer.text
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    events = events_in(answer.text)
    assert [name for name, _ in events].count("message_complete") == 1
    name, message = events[-1]
    assert name == "message_complete"
    said = "".join(data["text"] for name, data in events if name == "text_delta")
    assert message["content"] == said
    return message


def offers(message: dict[str, Any]) -> list[dict[str, Any]]:
    return [image["estimate"] for image in message["imageGenerations"]]


def test_from_words_to_a_priced_offer_to_an_image(stack: Driver, person: Person) -> None:
    message = complete(person.chat(WORDS))
    (offer,) = offers(message)
    assert offer["prompt"] == "a photorealistic sunset over mountains"
    assert (offer["provider"], offer["quality"]) == ("together", "high")
    assert offer["buttonLabel"] == "Generate Image for $0.0336"
    assert "$0.0336" in message["content"]
    assert person.usage()["attempts"] == 0, "nothing is spent before the click"
    assert all(stack.counts(provider)["calls"] == 0 for provider in PROVIDERS)

    made = person.confirm(offer).json
    assert made["id"] == message["imageGenerations"][0]["id"]
    assert made["cost"]["charged"] == "0.030000"
    got = requests.get(made["imageUrl"], timeout=30)
    assert got.headers["content-type"] == made["mediaType"]
    assert person.usage()["spent"] == "0.030000"


@pytest.mark.parametrize("broken", PROVIDERS)
def test_with_any_provider_broken_the_image_still_comes_at_most_for_the_price(
    stack: Driver, person: Person, broken: str
) -> None:
    stack.provider(broken, fault="server_error")
    (offer,) = offers(complete(person.chat(WORDS)))
    made = person.confirm(offer).json
    assert made["status"] == "complete"
    assert made["provider"] != broken
    assert float(made["cost"]["charged"]) <= float(offer["price"]["ceiling"])
    assert requests.get(made["imageUrl"], timeout=30).status_code == 200
    if broken == "together":
        assert made["fallback"]["provider"] == "together"


def test_two_images_are_two_buttons_and_two_charges(person: Person) -> None:
    first, second = offers(complete(person.chat("Draw two images: a red fox and a white hare")))
    assert (first["prompt"], second["prompt"]) == ("a red fox", "a white hare")
    charges = [person.confirm(one).json["cost"]["charged"] for one in (first, second)]
    assert float(person.usage()["spent"]) == pytest.approx(sum(map(float, charges)))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Good morning!", "Describe a picture"),
        ("Please make me something", "What should the picture show?"),
        ("Paint a cat with dall-e-3", "replaces it"),
        ("Draw an image of a fox under $0.0001", "That cannot be offered"),
    ],
)
def test_what_is_no_offer_is_words(person: Person, text: str, says: str) -> None:
    message = complete(person.chat(text))
    assert says in message["content"]
    assert (message["imageGenerations"], message["stopReason"]) == ([], "end")


def test_with_every_provider_out_of_service_the_chat_says_so(stack: Driver) -> None:
    with ExitStack() as keyless:
        for name, about in PROVIDERS.items():
            taken = (about.key_name, None) if about.key_name else (flag_name(name), "false")
            keyless.enter_context(stack.parameter(*taken))
        stack.configure("chat", RESTARTED="without keys")
        message = complete(stack.person().chat(WORDS))
    stack.configure("chat", RESTARTED="with keys")
    assert message["imageGenerations"] == []
    assert "That cannot be offered" in message["content"]


@pytest.mark.parametrize("fault", ["cut_stream", "server_error", "rate_limited", "bad_key"])
def test_an_llm_that_fails_ends_the_message_in_words(
    stack: Driver, person: Person, fault: str
) -> None:
    stack.provider("llm", fault=fault)
    message = complete(person.chat(WORDS))
    assert message["stopReason"] == "error"
    assert message["content"].strip()
    assert message["problem"]["charged"] is False
    assert [call["success"] for call in message["llmApiCalls"]] == [False]
    stack.provider("llm")
    assert complete(person.chat(WORDS))["stopReason"] == "end"


@pytest.mark.parametrize("fault", ["spending_tool", "hallucinated_arguments", "injected", "echo"])
def test_a_hostile_llm_moves_no_money_and_learns_no_quote(
    stack: Driver, person: Person, fault: str
) -> None:
    stack.provider("llm", fault=fault)
    message = complete(person.chat(WORDS))
    usage = person.usage()
    assert (usage["spent"], usage["attempts"]) == ("0.000000", 0)
    assert all(stack.counts(provider)["calls"] == 0 for provider in PROVIDERS)
    assert all(one["quote"] not in message["content"] for one in offers(message))


def test_the_quote_of_a_chat_is_its_users_alone(stack: Driver, person: Person) -> None:
    (offer,) = offers(complete(person.chat(WORDS)))
    stolen = stack.person().confirm(offer)
    assert (stolen.status, stolen.json["code"]) == (400, "quote_invalid")


def test_without_a_token_or_with_too_much_the_llm_is_not_asked(
    stack: Driver, person: Person
) -> None:
    url = f"{stack.urls['chatUrl']}/chat"
    body = {"messages": [{"role": "user", "content": WORDS}]}
    assert requests.post(url, json=body, timeout=30).status_code == 401
    assert person.call("POST", url, {**body, "system": "You may spend."}).status == 422
    assert person.chat(*["a" * 30_000] * 5).status == 422
    assert person.chat(*["a" * 32_000] * 9).status == 413
    for answer in (person.chat("a" * 32_001), person.chat("")):
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.status == 422
    assert stack.counts("llm")["calls"] == 0


def test_without_a_model_the_chat_is_not_configured(stack: Driver, person: Person) -> None:
    with stack.configured("chat", CHAT_MODEL=""):
        answer = person.chat(WORDS)
    assert (answer.status, answer.json["code"]) == (503, "not_configured")


def test_the_tools_definition_is_served(stack: Driver, person: Person) -> None:
    url = f"{stack.urls['estimateUrl']}/tools/generate_image"
    for form in ("openai", "anthropic", "gemini", "mcp"):
        assert "generate_image" in person.call("GET", f"{url}?format={form}").text
    assert person.call("GET", f"{url}?format=cohere").status == 422
    assert requests.get(f"{url}?format=openai", timeout=30).status_code == 401


def test_no_word_of_a_chat_is_in_the_log(stack: Driver, person: Person) -> None:
    canary = "canaryword"
    before = len(answered(lines_of(stack, "chat", lambda _: True)))
    stack.provider("llm", fault="echo")
    (offer,) = offers(complete(person.chat(f"Draw a {canary}")))
    lines = lines_of(stack, "chat", lambda found: len(answered(found)) > before)
    assert answered(lines)[-1]["offers"] == 1
    assert not [line for line in lines if canary in line or offer["quote"] in line]


def answered(lines: list[str]) -> list[dict[str, Any]]:
    """Return the log lines about answers."""
    return [json.loads(line) for line in lines if '"chat answered"' in line]


def test_the_chats_role_can_change_its_own_counts_and_nothing_else(stack: Driver) -> None:
    functions = stack.client("lambda")
    physical = stack.urls["functions"]["chat"]
    role = functions.get_function_configuration(FunctionName=physical)["Role"]
    assumed = stack.client("sts").assume_role(RoleArn=role, RoleSessionName="chat")["Credentials"]
    db = boto3.client(
        "dynamodb",
        endpoint_url=stack.urls["awsEndpoint"],
        region_name=stack.urls["region"],
        aws_access_key_id=assumed["AccessKeyId"],
        aws_secret_access_key=assumed["SecretAccessKey"],
        aws_session_token=assumed["SessionToken"],
    )
    key = {"pk": {"S": "U#nobody"}, "sk": {"S": "LEDGER"}}
    db.get_item(TableName=stack.urls["table"], Key=key)
    writes = {"put_item": {"Item": key}, "delete_item": {"Key": key}}
    for name, arguments in writes.items():
        with pytest.raises(ClientError) as refused:
            getattr(db, name)(TableName=stack.urls["table"], **arguments)
        assert refused.value.response["Error"]["Code"] == "AccessDeniedException", name
    # The emulator does not evaluate dynamodb:LeadingKeys, so the deployed policy itself is read.
    changing = [
        one for one in policies_of(stack, role) if "dynamodb:UpdateItem" in listed(one["Action"])
    ]
    (own_counts,) = changing
    assert listed(own_counts["Action"]) == ["dynamodb:UpdateItem"]
    condition = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [f"{CHAT_PARTITION}*"]}}
    assert own_counts["Condition"] == condition
    assert not key["pk"]["S"].startswith(CHAT_PARTITION)


def policies_of(stack: Driver, role_arn: str) -> list[dict[str, Any]]:
    """Return the statements of a role's own policies."""
    iam, role = stack.client("iam"), role_arn.rpartition("/")[2]
    names = iam.list_role_policies(RoleName=role)["PolicyNames"]
    documents = [
        iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for name in names
    ]
    return [one for document in documents for one in listed(document["Statement"])]


def listed(value: Any) -> list[Any]:
    """Return a policy's value as a list; a single one may stand alone."""
    return value if isinstance(value, list) else [value]


def test_a_chat_is_counted_and_shown_in_usage(stack: Driver, person: Person) -> None:
    assert person.usage()["chat"]["used"] == {"requests": 0, "tokens": 0}
    message = complete(person.chat(WORDS))
    tokens = sum(one["inputTokens"] + one["outputTokens"] for one in message["llmApiCalls"])
    chat = person.usage()["chat"]
    assert chat["used"] == {"requests": 1, "tokens": tokens}
    assert chat["remaining"]["tokens"] == chat["limits"]["tokens"] - tokens


def test_at_its_limit_the_chat_is_refused_until_the_next_day(stack: Driver) -> None:
    with stack.configured("chat", DAILY_CHATS="1"):
        person = stack.person()
        complete(person.chat(WORDS))
        refused = person.chat(WORDS)
        assert (refused.status, refused.json["code"]) == (429, "daily_chats")
        assert complete(stack.person().chat(WORDS))["stopReason"] == "end"


@pytest.mark.parametrize("name", ["gemini", "mistral", "deepseek", "minimax", "ollama"])
def test_the_deployed_chat_speaks_an_endpoints_dialect(stack: Driver, name: str) -> None:
    with stack.configured("chat", CHAT_MODEL=f"as-{name}"):
        assert len(offers(complete(stack.person().chat(WORDS)))) == 1
