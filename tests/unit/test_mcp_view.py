"""The view of an offer for MCP Apps: it is the page's element of today, in one file."""

import re

from generators.mcp_view import WRITTEN, view
from imagegen.mcp import app

MOST_BYTES = 90_000


def test_the_file_is_what_the_generator_writes() -> None:
    assert WRITTEN.read_text() == view(), "run: python -m generators.mcp_view"
    assert app.view() == view()


def test_it_is_one_file_that_loads_nothing() -> None:
    text = view()
    assert len(text.encode()) <= MOST_BYTES
    assert re.findall(r"\bimport\b\s*[({\"]", text) == []
    assert not re.search(r"<(?:link|img|iframe|script [^>]*src)", text)
    assert text.count("<script") == text.count("</script") == 1


def test_it_has_no_token_and_names_no_route_that_spends() -> None:
    text = view()
    assert "confirm_image" in text
    assert "localStorage" not in text
    assert 'if(!path.startsWith("/images/"))throw' in text
