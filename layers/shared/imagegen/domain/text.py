"""Text that UTF-8 can carry, whatever the JSON that it came in said."""


def legible(text: str) -> str:
    r"""Return the text with halves of a character joined where they meet, replaced where not.

    JSON may name half a character (``\ud83d``), which no answer and no log can carry:
    https://www.rfc-editor.org/rfc/rfc8259#section-8.2
    """
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def is_first_half(character: str) -> bool:
    """Return whether it is a character's first half, whose second may be on its way."""
    return "\ud800" <= character <= "\udbff"
