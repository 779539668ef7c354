"""``make docs``: writes the generated parts of README, docs/ and ``.env.example`` again.

The examples in docs/api.md come from the stack of a running ``make run``; without one they stay
unchanged.
"""

import sys
from pathlib import Path

from generators.docs import (
    alarms,
    chat_endpoints,
    clients,
    costs,
    deployer,
    fields,
    presets,
    prices,
    problems,
    scale,
    settings,
)
from generators.docs.blocks import marked_files, with_blocks
from generators.docs.examples import played
from generators.docs.visitor import StackNotFreshError
from local.paths import ROOT, STACK_FILE
from local.stack import running_stack


def from_source() -> dict[str, str]:
    """Return every part that is generated from the source alone, by name."""
    pages_of_operators = (settings, alarms, costs, deployer, presets)
    parts = (*pages_of_operators, prices, problems, fields, chat_endpoints, clients, scale)
    return {name: text for part in parts for name, text in part.made().items()}


def main() -> None:
    """Write the files that have changed."""
    made, stack = from_source(), running_stack(STACK_FILE)
    if stack:
        try:
            made |= played(stack)
        except StackNotFreshError as error:
            sys.exit(f"make docs: {error}")
    else:
        print("`make run` is not running: the examples in docs/api.md stay unchanged.")
    changed = [path for path in marked_files() if _written(path, made)]
    print("\n".join(f"written: {path.relative_to(ROOT)}" for path in changed) or "nothing changed")


def _written(path: Path, made: dict[str, str]) -> bool:
    old = path.read_text()
    new = with_blocks(old, made)
    if new != old:
        path.write_text(new)
    return new != old


if __name__ == "__main__":
    main()
