"""Text that can be encoded as UTF-8, even if the JSON that it came from named half a character."""


def legible(text: str) -> str:
    r"""Return the text with surrogate pairs joined and lone surrogates replaced.

    JSON may name half a character (``\ud83d``), which cannot be sent or logged as UTF-8:
    https://www.rfc-editor.org/rfc/rfc8259#section-8.2
    """
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def is_first_half(character: str) -> bool:
    """Return whether it is a high surrogate, whose low one may be in the next part of a text."""
    return "\ud800" <= character <= "\udbff"
