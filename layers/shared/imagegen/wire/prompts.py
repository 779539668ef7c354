"""The texts that an image is made of: they can be seen, and nothing of them was lost."""

from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from imagegen.domain.text import REPLACED, is_blank

MAX_PROMPT_CHARACTERS = 32_000
MAX_STYLE_CHARACTERS = 200


def _visible(text: str) -> str:
    if is_blank(text):
        raise ValueError("must not be empty: it has no visible character")
    return text


def _undamaged(text: str) -> str:
    if REPLACED in text:
        # What it stood for is lost, and an image of the rest would be paid for.
        raise ValueError("contains U+FFFD, the mark of text that was not valid UTF-8; leave it out")
    return text


Prompt = Annotated[
    str,
    StringConstraints(min_length=1, max_length=MAX_PROMPT_CHARACTERS),
    AfterValidator(_visible),
    AfterValidator(_undamaged),
]
Style = Annotated[
    str, StringConstraints(max_length=MAX_STYLE_CHARACTERS), AfterValidator(_undamaged)
]
