"""The table that `make security` prints: what each row must show, and what was measured."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Row:
    """One measured row."""

    name: str
    must: str
    measured: str
    passes: bool


@dataclass(slots=True)
class Board:
    """The rows of one run."""

    rows: list[Row] = field(default_factory=list)

    def show(self, name: str, must: str, measured: str, *, passes: bool) -> None:
        """Add a row.

        Raises:
            AssertionError: it falls short.
        """
        self.rows.append(Row(name, must, measured, passes))
        assert passes, f"{name} falls short: must show {must}; measured {measured}"

    def lines(self) -> list[str]:
        """Return the table."""
        said = [
            f"{row.name:<4} {'pass' if row.passes else 'FALLS SHORT':<11}  {row.must}\n"
            f"{'':18}{row.measured}"
            for row in sorted(self.rows, key=lambda row: row.name)
        ]
        return [line for one in said for line in one.split("\n")]
