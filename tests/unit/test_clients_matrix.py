"""The matrix of other people's clients has what it shows, and nothing of the machine it ran on."""

import json

from tests.clients.__main__ import RESULTS, Result, written


def test_a_client_that_failed_is_written_without_its_traceback() -> None:
    why = f'Traceback (most recent call last):\n  File "{__file__}", line 1'
    failed = Result("A client", "", "run", "MCP", unchanged=False, images=0, why=why)
    assert __file__ not in written([failed])
    assert "Traceback" not in written([failed])


def test_the_file_is_one_that_it_writes() -> None:
    rows = json.loads(RESULTS.read_text())
    assert written([Result(**row) for row in rows]) == RESULTS.read_text()
