"""Tables for a terminal."""

from collections.abc import Sequence


def table(*lines: Sequence[str], texts: int = 1) -> str:
    """Return lines in columns; the first ``texts`` columns are aligned left, the others right."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column < texts else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )
