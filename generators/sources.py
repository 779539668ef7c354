"""The syntax of a source file, parsed once: many tables and tests read the same files."""

import ast
from functools import cache
from pathlib import Path


@cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    """Return every node of a Python file, breadth first. Its first is the module.

    Raises:
        SyntaxError: the file is not Python.
    """
    return tuple(ast.walk(ast.parse(path.read_text(), filename=str(path))))
