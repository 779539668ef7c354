"""What every store of the chat's counts does: one suite for memory and DynamoDB."""

from imagegen.aws.chat_usage_store import DynamoChatUsageStore
from imagegen.aws.items import from_item
from imagegen.domain.chat_usage import ChatReservation, ChatUsage, ChatUsageStore, DailyChatLimits
from tests.adapters.aws.world import Aws, at_once
from tests.fakes.clock import NOON_MS as NOW

DAY = "20261122"
LIMITS = DailyChatLimits(chats=5, tokens=100_000)


def reservation(
    user: str, name: str = "one", tokens: int = 30_000, day: str = DAY
) -> ChatReservation:
    return ChatReservation(user, day, name, tokens)


def code(store: ChatUsageStore, one: ChatReservation, limits: DailyChatLimits = LIMITS) -> str:
    limit = store.reserve(one, limits, now_ms=NOW)
    return limit.code if limit else ""


def test_a_day_that_nobody_has_seen_is_empty(chat_usages: ChatUsageStore, user: str) -> None:
    assert chat_usages.load(user, DAY) == ChatUsage()


def test_counts_are_where_the_chats_role_may_write_and_go_after_three_days(
    aws: Aws, user: str
) -> None:
    store = DynamoChatUsageStore(aws.dynamodb, aws.new_table())
    assert code(store, reservation(user)) == ""
    (item,) = aws.dynamodb.scan(TableName=store.table)["Items"]
    values = from_item(item)
    assert (values["pk"], values["sk"]) == (f"C#{user}", f"DAY#{DAY}")
    assert values["ttl"] == NOW // 1000 + 3 * 86_400


def test_a_request_is_counted_and_its_tokens_are_reserved(
    chat_usages: ChatUsageStore, user: str
) -> None:
    assert code(chat_usages, reservation(user)) == ""
    assert chat_usages.load(user, DAY) == ChatUsage(1, 30_000, {"one": 30_000})
    chat_usages.settle(reservation(user), tokens=4_000)
    assert chat_usages.load(user, DAY) == ChatUsage(1, 4_000, {})


def test_writes_that_are_sent_twice_change_nothing_the_second_time(
    chat_usages: ChatUsageStore, user: str
) -> None:
    for _ in range(2):
        assert code(chat_usages, reservation(user)) == ""
    assert chat_usages.load(user, DAY).chats == 1
    # Also where the first one reached the limit.
    last = DailyChatLimits(chats=2, tokens=60_000)
    for _ in range(2):
        assert code(chat_usages, reservation(user, "two"), last) == ""
    chat_usages.settle(reservation(user, "two"), tokens=0)
    for _ in range(3):
        chat_usages.settle(reservation(user), tokens=4_000)
    assert chat_usages.load(user, DAY) == ChatUsage(2, 4_000, {})


def test_what_was_never_reserved_is_not_settled(chat_usages: ChatUsageStore, user: str) -> None:
    chat_usages.settle(reservation(user), tokens=4_000)
    assert chat_usages.load(user, DAY) == ChatUsage()


def test_a_limit_stops_a_request_and_counts_nothing(chat_usages: ChatUsageStore, user: str) -> None:
    for number in range(3):
        assert code(chat_usages, reservation(user, f"h{number}")) == ""
    before = chat_usages.load(user, DAY)
    assert code(chat_usages, reservation(user, "late", 10_001)) == "daily_chat_tokens"
    assert chat_usages.load(user, DAY) == before
    for number, tokens in ((3, 10_000), (4, 0)):
        assert code(chat_usages, reservation(user, f"h{number}", tokens)) == ""
    assert code(chat_usages, reservation(user, "sixth", 0)) == "daily_chats"
    assert code(chat_usages, reservation(user, "tomorrow", day="20261123")) == ""


def test_a_request_above_the_whole_limit_is_stopped_on_an_empty_day(
    chat_usages: ChatUsageStore, user: str
) -> None:
    assert code(chat_usages, reservation(user, tokens=100_001)) == "daily_chat_tokens"
    assert code(chat_usages, reservation(user), DailyChatLimits(0, 100_000)) == "daily_chats"
    assert chat_usages.load(user, DAY) == ChatUsage()


def test_more_than_was_reserved_is_counted_too(chat_usages: ChatUsageStore, user: str) -> None:
    code(chat_usages, reservation(user))
    chat_usages.settle(reservation(user), tokens=150_000)
    assert chat_usages.load(user, DAY).tokens == 150_000
    assert code(chat_usages, reservation(user, "two", 1)) == "daily_chat_tokens"


def test_of_40_requests_at_once_exactly_as_many_as_fit_begin(
    chat_usages: ChatUsageStore, user: str
) -> None:
    limits = DailyChatLimits(chats=25, tokens=7 * 30_000 + 29_999)
    reservations = [reservation(user, f"h{number}") for number in range(40)]
    codes = at_once(lambda one: code(chat_usages, one, limits), reservations)
    assert (codes.count(""), codes.count("daily_chat_tokens")) == (7, 33)
    few = DailyChatLimits(chats=9, tokens=10**9)
    codes = at_once(
        lambda one: code(chat_usages, one, few), [reservation(user, f"g{n}") for n in range(40)]
    )
    assert codes.count("") == 2
    assert chat_usages.load(user, DAY).chats == 9
