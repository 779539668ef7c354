"""S5: neither what a user writes nor what an LLM answers can spend, write, or learn a quote."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from imagegen.domain.chat_usage import DailyChatLimits
from imagegen.domain.ports import ChatTurn, TextPart, TokenCount, ToolUse
from tests.fakes.sse import events_in
from tests.security.board import Board
from tests.security.conftest import House
from tests.security.test_s5_estimate import DEEDS, ORDERS, READ, ReadOnlyLedgers

NAMES = (
    "generate_image", "confirm_generation", "generate-image", "reserve", "settle", "http_request",
    "python", "GENERATE_IMAGE", "generate_image; rm", "imagegen.bootstrap.generate.get_generator",
    "", "__class__", "dynamodb:UpdateItem", "generate_image\nevent: message_complete",
)  # fmt: skip


@dataclass(slots=True)
class Traitor:
    """An LLM that obeys whoever wrote last, uses every tool it can think of, and tells all."""

    stolen: str
    provider: str = "acme"
    model: str = "traitor-1"
    told: list[str] = field(default_factory=list)

    def answer(
        self, turns: Sequence[ChatTurn], *, timeout_seconds: float, user: str = ""
    ) -> Iterator[TextPart | ToolUse | TokenCount]:
        self.told.append(repr(turns))
        yield TextPart(turns[-1].text + "\n\nevent: message_complete\ndata: {}\n\n")
        if turns[-1].role == "tool":
            return
        order = turns[-1].text
        for number, arguments in enumerate(self._bodies(order)):
            name = NAMES[(len(self.told) + number) % len(NAMES)]
            yield ToolUse(f"c{number}", name, arguments)
            yield ToolUse(f"d{number}", "generate_image", arguments)

    def _bodies(self, order: str) -> list[str]:
        bodies: list[dict[str, Any]] = [
            {"prompt": order},
            {"quote": self.stolen, "prompt": order},
            {"prompt": order, "confirm": True, "user": "admin", "charged": False},
            {"prompt": order, "maxCost": -1, "price": {"expected": "0"}},
            {"prompt": order, "provider": order[:40], "model": order[:120]},
        ]
        return [json.dumps(body) for body in bodies] + [order]


def test_two_hundred_orders_to_an_obedient_llm_spend_write_and_leak_nothing(
    house: House, board: Board
) -> None:
    victim = house.service.estimate("The victim's fox", "b2" * 16)
    service = house.service
    service.ledgers = ReadOnlyLedgers()
    service.llm = traitor = Traitor(victim.quote)
    # More orders than a user may give on a day: each of them has to reach the LLM.
    service.redeploy(chat_limits=DailyChatLimits(10**6, 10**9))
    writes_before = service.circuits.writes
    statuses, wrong, stores, offers = Counter[int](), Counter[str](), Counter[str](), 0
    orders = [f"{order} {deed}" for order, deed in product(ORDERS, DEEDS)]
    for order in orders:
        service.wire.calls.clear()
        body = {"messages": [{"role": "user", "content": order}]}
        answer = house.ask("chat", "POST", "/chat", body, token=house.functions.token)
        statuses[answer["statusCode"]] += 1
        stores.update(service.wire.calls)
        events = events_in(answer["body"])
        names = [name for name, _ in events]
        message = events[-1][1]
        quotes = [one["estimate"]["quote"] for one in message["imageGenerations"]]
        ids = [one["id"] for one in message["imageGenerations"]]
        offers += len(quotes)
        wrong["not one ending"] += names.count("message_complete") != 1
        wrong["quote in words"] += any(one in message["content"] for one in quotes)
        wrong["quote told to the LLM"] += any(q in t for q in quotes for t in traitor.told)
        wrong["id told to the LLM"] += any(i in t for i in ids for t in traitor.told)
        wrong["victim's"] += victim.image_id in answer["body"]
        traitor.told.clear()
    drawn = len(service.called) + len(service.moderator.asked)  # type: ignore[union-attr]
    writes = service.writes + service.circuits.writes - writes_before
    counted = {"chat_usages.reserve": len(orders), "chat_usages.settle": len(orders)}
    wrong["counted otherwise than once"] += any(stores[one] != n for one, n in counted.items())
    touched = {name for name in stores if name not in READ | counted.keys()}
    bad = {name: count for name, count in wrong.items() if count}
    board.show(
        "S5b",
        ">= 200 orders to an LLM that obeys and uses every tool: no write, no call, no quote told",
        f"{len(orders)} orders {dict(statuses)}, {offers} offers made of them: {writes} writes, "
        f"{drawn} provider calls; stores touched otherwise: {sorted(touched)}; wrong: {bad}",
        passes=set(statuses) == {200} and offers > 0 and not (writes or drawn or touched or bad),
    )


def test_an_offer_of_the_chat_is_good_for_its_user_alone(house: House, board: Board) -> None:
    body = {"messages": [{"role": "user", "content": "Draw a fox"}]}
    answer = house.ask("chat", "POST", "/chat", body, token=house.functions.token)
    (image,) = events_in(answer["body"])[-1][1]["imageGenerations"]
    click = {"quote": image["estimate"]["quote"], "prompt": image["prompt"]}
    thief = house.forge.good(sub="user-2")
    stolen = house.ask("generate", "POST", "/generate-image", click, token=thief)
    changed = {**click, "prompt": "something else"}
    other = house.ask("generate", "POST", "/generate-image", changed, token=house.functions.token)
    own = house.ask("generate", "POST", "/generate-image", click, token=house.functions.token)
    statuses = [one["statusCode"] for one in (stolen, other, own)]
    board.show(
        "S5c",
        "a chat's quote: another user 400, another prompt 409, its own user 200",
        f"{statuses}",
        passes=statuses == [400, 409, 200],
    )


def test_the_llm_sees_nobody_elses_words(house: House, board: Board) -> None:
    house.service.llm = traitor = Traitor("")
    secret = "CANARY-OF-ALICE"
    for token, text in ((house.functions.token, secret), (house.forge.good(sub="user-2"), "Hi")):
        body = {"messages": [{"role": "user", "content": text}]}
        house.ask("chat", "POST", "/chat", body, token=token)
        if text == "Hi":
            continue
        traitor.told.clear()
    board.show(
        "S5d",
        "nothing of one user's chat is told to the LLM in another's",
        f"{sum(secret in one for one in traitor.told)} of {len(traitor.told)} calls tell it",
        passes=bool(traitor.told) and not any(secret in one for one in traitor.told),
    )
