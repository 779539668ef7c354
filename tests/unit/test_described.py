"""The document of the routes is what the code says: bounds, defaults, names and words."""

from generators.openapi import DOCUMENT, document, text_of


def test_the_document_of_the_routes_is_of_this_code() -> None:
    """``make openapi`` writes it anew; ``make check`` compares it, too."""
    assert text_of(document()) == DOCUMENT.read_text()
