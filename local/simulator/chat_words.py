"""Chooses the simulated LLM's reply by rules, so that the same text always gets the same reply.

Whatever is not plainly a question or small talk is a wish for a picture, or for a change of the
last one.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from local.simulator.chat_history import Message, calls_of, last_words, results_in, text_of
from local.simulator.chat_languages import DEFAULT, language_of, money_text, phrase
from local.simulator.chat_wishes import TOOL, Arguments, wishes_in

NOT_THERE = "not_found"
"""The code of the tool's problem if a picture is not made yet, or is not the user's."""


FREE = "Free"
"""What a button says in place of a price of nothing."""


@dataclass(frozen=True, slots=True)
class Use:
    """A tool call; ``arguments`` is JSON text."""

    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Reply:
    """The LLM's reply: text and tool calls."""

    words: str = ""
    uses: tuple[Use, ...] = field(default=())


def reply_to(messages: Sequence[Message], *, has_tool: bool) -> Reply:
    """Return the reply to a conversation."""
    text = last_words(messages)
    said = [text_of(one) for one in messages if one.get("role") == "user"]
    language = language_of(text, " ".join(said))
    if results := results_in(messages):
        if again := described_instead(messages, results):
            return Reply("", (Use(TOOL, json.dumps(again, ensure_ascii=False)),))
        return Reply(results_text(results, language))
    calls, kind = wishes_in(messages[:-1]).calls_for(text)
    if not calls or not has_tool:
        return Reply(phrase(kind or "other", language))
    lead = phrase("one" if len(calls) == 1 else "many", language).format(count=len(calls))
    uses = (Use(TOOL, json.dumps(one, ensure_ascii=False)) for one in calls)
    return Reply(lead, tuple(uses))


def described_instead(messages: Sequence[Message], results: Sequence[Any]) -> Arguments:
    """Return a call that describes the changed picture, if the one to change is not made yet."""
    is_not_there = [isinstance(one, dict) and one.get("code") == NOT_THERE for one in results]
    calls = (
        list(calls_of(messages[-len(results) - 1], TOOL)) if len(messages) > len(results) else []
    )
    if not all(is_not_there) or len(calls) != 1 or "edit" not in calls[0]:
        return {}
    if "operation" in calls[0]:
        return {}
    description = wishes_in(messages[: -len(results)]).description
    kept = {name: one for name, one in calls[0].items() if name not in ("edit", "references")}
    return {**kept, "prompt": description}


def results_text(results: Sequence[Any], language: str) -> str:
    """Return a sentence about a tool's results: one for all offers, and one for each problem."""
    prices = [price_in(one) for one in results if price_in(one)]
    offers = [offer_text(prices, language)] if len(prices) > 1 else []
    others = [one for one in results if not (offers and price_in(one))]
    return " ".join([*offers, *(result_text(one, language) for one in others)])


def offer_text(prices: Sequence[str], language: str) -> str:
    """Return a sentence with the prices of several offers."""
    written = " + ".join(money_text(one, language) for one in prices)
    return phrase("offer", language).format(what=phrase("them", language), price=written)


def result_text(result: Any, language: str = DEFAULT) -> str:
    """Return a sentence about a tool's result."""
    if isinstance(result, dict) and result.get("blocked"):
        return phrase("blocked", language).format(why=result["blocked"])
    if price := price_in(result):
        if price == FREE:
            return phrase("free", language)
        written = money_text(price, language)
        return phrase("offer", language).format(what=phrase("it", language), price=written)
    detail = result.get("detail") if isinstance(result, dict) else None
    return phrase("problem", language).format(detail=detail or phrase("trouble", language))


def price_in(result: Any) -> str:
    """Return the price of an offer that can be taken, empty if the result is none."""
    if not isinstance(result, dict) or result.get("blocked"):
        return ""
    return str(result.get("buttonLabel", "")).partition(" for ")[2]
