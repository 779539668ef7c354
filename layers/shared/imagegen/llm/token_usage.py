"""Finds the token counts in an answer: endpoints differ in where they are and what they count."""

from collections.abc import Iterator
from typing import Final

from imagegen.domain.ports import Json, TokenCount
from imagegen.providers.faults import dig

MAX_TOKENS: Final = 1_000_000_000
PLACES: Final = (
    ("usage",),
    ("x_groq", "usage"),
    # Kimi: https://github.com/earendil-works/pi/issues/2017
    ("choices", 0, "usage"),
    ("choices", 0, "delta", "usage"),
    ("message", "usage"),
)
NAMES: Final = (("prompt_tokens", "completion_tokens"), ("input_tokens", "output_tokens"))


def usage_in(body: Json) -> TokenCount | None:
    """Return the token counts of a chunk, or ``None`` if it has none."""
    return next(_counts(body), None)


def merged_usage(known: TokenCount | None, found: TokenCount | None) -> TokenCount | None:
    """Return the higher counts: some endpoints count in each chunk, some send zeros before."""
    if known is None or found is None:
        return known or found
    return TokenCount(
        max(known.input_tokens, found.input_tokens), max(known.output_tokens, found.output_tokens)
    )


def _counts(body: Json) -> Iterator[TokenCount]:
    for place in PLACES:
        usage = dig(body, *place)
        for input_name, output_name in NAMES:
            yield from _count_of(
                dig(usage, input_name), dig(usage, output_name), dig(usage, "total_tokens")
            )
    # Ollama's own names, and llama.cpp's timings, where there is no usage.
    yield from _count_of(dig(body, "prompt_eval_count"), dig(body, "eval_count"))
    yield from _count_of(dig(body, "timings", "prompt_n"), dig(body, "timings", "predicted_n"))


def _count_of(inputs: Json, outputs: Json, total: Json = None) -> Iterator[TokenCount]:
    if type(inputs) is not int or type(outputs) is not int:
        return
    # Gemini leaves what the model thinks out of its output tokens; it is billed, and in the total.
    thought = total - inputs - outputs if type(total) is int else 0
    yield TokenCount(_bounded(inputs), _bounded(outputs + max(0, thought)))


def _bounded(tokens: int) -> int:
    return min(max(0, tokens), MAX_TOKENS)
