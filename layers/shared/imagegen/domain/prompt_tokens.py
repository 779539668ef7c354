"""The most tokens that a provider's tokenizer makes of a prompt, without a tokenizer.

Tokenizers of the byte-pair kind work on UTF-8 bytes and never make more tokens than bytes. Dense
text comes close: 32,000 rare CJK characters have 96,000 bytes, and ``o200k_base``, which OpenAI
uses, makes 95,372 tokens of them. The tokenizers first cut the text into pieces: letters at each
change to a capital, digits into groups of three (https://github.com/openai/tiktoken).
"""

import re

BYTES_PER_TOKEN = 4
"""Of English text, on average."""
PIECE = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|[0-9]{1,3}|\s\s|[!-/:-@\\[-`{-~]|[\x00-\x08\x0b-\x1f\x7f]")
LETTERS_PER_TOKEN = 5
"""Of a word of usual length: the common ones are one token."""
LONGEST_WORD = 15
"""Longer runs of letters are no words, and two letters make a token."""


def prompt_tokens(text: str) -> int:
    """Return how many tokens the text has at most, apart from invented words.

    Outside ASCII every byte counts as a token. For invented words of usual length in ASCII letters,
    a tokenizer may make twice as many tokens as are counted here.
    """
    plain = "".join(filter(str.isascii, text)) if not text.isascii() else text
    foreign_bytes = len(text.encode("utf-8", "surrogatepass")) - len(plain)
    pieces = sum(_tokens(piece) for piece in PIECE.findall(plain))
    return foreign_bytes + max(pieces, -(-len(plain) // BYTES_PER_TOKEN))


def _tokens(piece: str) -> int:
    if not piece.isalpha():
        return 1
    return -(-len(piece) // (2 if len(piece) > LONGEST_WORD else LETTERS_PER_TOKEN))
