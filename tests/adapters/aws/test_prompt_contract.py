"""What every store of prompts does, in memory and in AWS; and what only the table does."""

import random
from typing import Any

import pytest

from imagegen.aws.items import from_item, to_item
from imagegen.aws.prompt_store import DynamoPromptStore
from imagegen.domain.gallery import KeptPrompt, PromptStore
from imagegen.domain.ids import ImageRef
from imagegen.domain.records import Place
from tests.adapters.aws.world import Aws
from tests.fakes.clock import NOON_MS as NOW

WORDS = KeptPrompt("a fox in the snow", "ink")
LONGEST = {
    "letters": "x" * 32_000,
    "words": "a fox in the snow, seen by night; " * 941,
    "wide": "狐" * 32_000,
    "faces": "🦊" * 32_000,
}


def ref(user: str, number: int = 0) -> ImageRef:
    return ImageRef(f"{number:a>24}", user, NOW + number)


def place(number: int) -> Place:
    return Place(NOW + number, f"{number:a>24}")


def item_of(aws: Aws, table: str, one: ImageRef) -> dict[str, Any]:
    key = to_item({"pk": f"P#{one.user}", "sk": f"{one.issued_ms:015d}#{one.quote_id}"})
    return from_item(aws.dynamodb.get_item(TableName=table, Key=key)["Item"])


@pytest.mark.parametrize(
    "words",
    [WORDS, KeptPrompt(""), KeptPrompt('"\\\n\t\u0001🦊🏽 مرحبا', "狐"), KeptPrompt(" ", " ")],
    ids=["plain", "empty", "any", "blank"],
)
def test_words_come_back_letter_for_letter(
    prompts: PromptStore, user: str, words: KeptPrompt
) -> None:
    assert prompts.get(ref(user)) is None
    prompts.put(ref(user), words, until_ms=NOW)
    assert prompts.get(ref(user)) == words


@pytest.mark.parametrize("text", LONGEST.values(), ids=LONGEST)
def test_the_longest_prompt_is_kept(prompts: PromptStore, user: str, text: str) -> None:
    prompts.put(ref(user), KeptPrompt(text), until_ms=NOW)
    assert prompts.get(ref(user)) == KeptPrompt(text)


def test_forgotten_words_are_gone_and_forgetting_again_is_no_error(
    prompts: PromptStore, user: str
) -> None:
    prompts.put(ref(user), WORDS, until_ms=NOW)
    prompts.put(ref(user, 1), WORDS, until_ms=NOW)
    for _ in range(2):
        prompts.forget(ref(user))
    assert prompts.get(ref(user)) is None
    assert prompts.get(ref(user, 1)) == WORDS


def test_the_words_between_two_places_are_found_and_nobody_elses(
    prompts: PromptStore, user: str
) -> None:
    for number in range(6):
        prompts.put(ref(user, number), KeptPrompt(str(number)), until_ms=NOW)
    prompts.put(ref(f"{user}0", 3), WORDS, until_ms=NOW)
    found = prompts.between(user, place(4), place(2))
    assert {one.prompt for one in found.values()} == {"2", "3", "4"}
    assert found[ref(user, 3).quote_id] == KeptPrompt("3")
    assert prompts.between(user, place(40), place(20)) == {}


def test_more_than_one_answer_of_the_table_is_read(prompts: PromptStore, user: str) -> None:
    """An answer of the table has at most a megabyte."""
    chance = random.Random(1)
    text = "".join(chr(chance.randrange(0x4E00, 0x9FFF)) for _ in range(32_000))
    for number in range(20):
        prompts.put(ref(user, number), KeptPrompt(f"{number}{text}"), until_ms=NOW)
    assert len(prompts.between(user, place(19), place(0))) == 20


def test_the_table_deletes_words_when_the_images_time_is_over(
    aws: Aws, table: str, user: str
) -> None:
    store = DynamoPromptStore(aws.dynamodb, table)
    store.put(ref(user), WORDS, until_ms=NOW + 999)
    assert item_of(aws, table, ref(user))["ttl"] == NOW // 1000


def test_the_words_are_in_a_partition_without_records_and_ledgers(
    aws: Aws, table: str, user: str
) -> None:
    store = DynamoPromptStore(aws.dynamodb, table)
    store.put(ref(user), WORDS, until_ms=NOW)
    assert item_of(aws, table, ref(user))["pk"] == f"P#{user}"


def size(item: dict[str, Any]) -> int:
    """Return about how many bytes an item has."""
    texts = {**item, "w": bytes(item["w"]), "ttl": "", "pk": item["pk"].encode()}
    return sum(len(name) + len(value) for name, value in texts.items())


@pytest.mark.parametrize(
    ("text", "most"), [("a fox in the snow", 300), ("a fox in the snow, " * 1_684, 1_024)]
)
def test_usual_words_cost_one_write_unit(
    aws: Aws, table: str, user: str, text: str, most: int
) -> None:
    """A write unit is a KB that is begun; a prompt that repeats itself shrinks a lot."""
    store = DynamoPromptStore(aws.dynamodb, table)
    store.put(ref(user), KeptPrompt(text), until_ms=NOW)
    assert size(item_of(aws, table, ref(user))) < most
