"""``make structure``: how large, how plain and how typed the code is, and the way of a request.

    python -m bench.structure [--root CHECKOUT] [--names] [--calls]

Read from the source by ``ast``, except the way, which ``bench/request_path.py`` runs. No figure is
a limit: they are there to compare two commits (``--root`` with a `git worktree` of the other).
"""

import argparse
import ast
import json
import os
import statistics
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from bench.source_code import (
    Module,
    broad_handlers,
    complexity,
    is_one_call,
    is_typed,
    length,
    positional,
)

ROOT: Final = Path(__file__).parents[1]
PARTS: Final = {
    "layer": "layers/shared/imagegen",
    **{name: name for name in ("functions", "local", "operations", "generators", "tests", "bench")},
}
PRODUCT: Final = ("layer", "functions")
COMMON: Final = frozenset({"api", "lambda_handler", "main", "build", "ROOT"})
"""Names of a common interface: each function, tool or provider has its own."""
POSITIONAL: Final = 3

COLUMNS: Final = (
    "part",
    "modules · lines",
    "module median/max",
    "functions",
    "their lines median/p90/max",
    "typed",
    "public with docstring",
    "cyclomatic avg/max",
    "broad except",
    "public names of a module median/max",
    "names in two files or more",
    f"more than {POSITIONAL} positional",
    "one call",
)


def modules(root: Path, part: str) -> list[Module]:
    """Return the modules of a part; none where a checkout lacks it."""
    paths = sorted((root / PARTS[part]).rglob("*.py"))
    return [Module(path.relative_to(root), path.read_text()) for path in paths]


def repeated(found: Sequence[Module]) -> dict[str, list[Path]]:
    """Return the names that two or more modules define at their top, with those modules."""
    places: dict[str, list[Path]] = defaultdict(list)
    for module in found:
        for name in set(module.names()) - COMMON:
            places[name].append(module.path)
    return {name: paths for name, paths in sorted(places.items()) if len(paths) > 1}


def part_row(part: str, found: Sequence[Module]) -> list[str]:
    """Return a part's row of the table."""
    functions = [one for module in found for one in module.functions]
    public = [one for module in found for one in module.public()]
    sizes, lengths = [one.lines for one in found], sorted(map(length, functions))
    decisions = [complexity(one) for one in functions]
    names = [sum(not one.startswith("_") for one in set(module.names())) for module in found]
    return [
        part,
        f"{len(found)} · {sum(sizes):,}",
        f"{statistics.median(sizes):.0f} / {max(sizes)}",
        f"{len(functions):,}",
        f"{statistics.median(lengths):.0f} / {lengths[len(lengths) * 9 // 10]} / {lengths[-1]}",
        share(functions, is_typed),
        share(public, ast.get_docstring),
        f"{statistics.mean(decisions):.1f} / {max(decisions)}",
        f"{sum(map(broad_handlers, found))}",
        f"{statistics.median(names):.0f} / {max(names)}",
        f"{len(repeated(found))}",
        f"{sum(positional(one) > POSITIONAL for one in functions)}",
        f"{sum(map(is_one_call, functions))}",
    ]


def share[T](values: Sequence[T], holds: Callable[[T], object]) -> str:
    """Return for how many of the values something holds, in percent."""
    return f"{100 * sum(map(bool, map(holds, values))) / len(values):.0f} %" if values else ""


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a table as Markdown."""
    lines = [f"| {' | '.join(map(str, row))} |" for row in (head, *rows)]
    return "\n".join([lines[0], "|---" * len(head) + "|", *lines[1:]])


def request_table(root: Path) -> str:
    """Return the way of four warm requests."""
    found: dict[str, dict[str, int]] = json.loads(request_path(root))
    columns = ("files", "functions", "file-to-file calls", "deepest")
    return table(("warm request", *columns), [(name, *row.values()) for name, row in found.items()])


def request_path(root: Path, *options: str) -> str:
    """Return what the tracer prints, run in a process of that checkout."""
    program = Path(__file__).with_name("request_path.py")
    done = subprocess.run(  # noqa: S603  our own interpreter and our own file
        [sys.executable, "-P", program, *options],
        cwd=root,
        env={**os.environ, "PYTHONPATH": f"{root}{os.pathsep}{root / 'layers/shared'}"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="make structure", description=__doc__)
    parser.add_argument("--root", type=Path, default=ROOT, help="another checkout")
    parser.add_argument("--names", action="store_true", help="list names defined twice")
    parser.add_argument("--calls", action="store_true", help="list who calls each file on the way")
    given = parser.parse_args()
    root = given.root.resolve()
    found = {part: modules(root, part) for part in PARTS}
    product = [module for part in PRODUCT for module in found[part]]
    rows = [part_row(part, inside) for part, inside in found.items() if inside]
    print(table(COLUMNS, [*rows, part_row("layer and functions", product)]))
    if given.names:
        for name, paths in repeated(product).items():
            print(f"{name}: {', '.join(map(str, paths))}")
    print(f"\n{request_table(root)}")
    if given.calls:
        print(request_path(root, "--calls"))


if __name__ == "__main__":
    main()
