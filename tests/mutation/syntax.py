"""What a piece of Python is: what only a person reads, what a statement covers and names."""

import ast
import re
from collections.abc import Iterator

SENTENCE = re.compile(
    r"[^|()\[\]\\]*\w[,:;.!?']* [^|()\[\]\\]*\w[,:;.!?']* \w[^|\[\]\\]*", re.DOTALL
)
"""Three words at least, and no sign of a regular expression."""
LOGGERS = frozenset({"logger", "log"})
FOR_READERS = frozenset({"description", "title", "summary", "examples", "hint"})
"""Arguments that change nothing but what is read."""


def is_left_alone(node: ast.AST) -> bool:
    """Return whether nothing of a statement is changed: it imports, names a type or logs."""
    return isinstance(node, ast.Import | ast.ImportFrom) or is_for_types(node) or is_log(node)


def lines_of(node: ast.stmt) -> range:
    return range(node.lineno, (node.end_lineno or node.lineno) + 1)


def body_of(node: ast.stmt) -> range:
    first: int = node.body[0].lineno  # type: ignore[attr-defined]
    return range(first, (node.end_lineno or first) + 1)


def header_of(node: ast.stmt) -> range:
    """Return the lines of a statement up to the first statement in it."""
    inner = getattr(node, "body", None)
    return range(node.lineno, max(inner[0].lineno, node.lineno + 1)) if inner else lines_of(node)


def is_function(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef)


def bound_names(around: list[ast.stmt]) -> tuple[str, ...]:
    """Return the names that the outermost statement gives a value."""
    node = around[0]
    if isinstance(node, ast.ClassDef):
        return (node.name,)
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return tuple(
        one.id
        for target in targets
        if target
        for one in ast.walk(target)
        if isinstance(one, ast.Name)
    )


def is_sentence(node: ast.JoinedStr) -> bool:
    """Return whether an f-string reads as a sentence, whatever stands in its places."""
    parts = (one.value if isinstance(one, ast.Constant) else "x" for one in node.values)
    return bool(SENTENCE.fullmatch("".join(map(str, parts))))


def is_error(node: ast.AST) -> bool:
    return isinstance(node, ast.Raise) or (
        isinstance(node, ast.Call) and ast.unparse(node.func).endswith("Error")
    )


def parts_of(node: ast.expr) -> list[ast.AST]:
    """Return a condition and the parts that "and", "or" and "not" join."""
    inner = node.values if isinstance(node, ast.BoolOp) else []
    inner = [node.operand] if isinstance(node, ast.UnaryOp) else inner
    return [node, *(part for one in inner for part in parts_of(one))]


def is_log(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Call)
        and ast.unparse(node.value.func).split(".")[0] in LOGGERS
    ) or (isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__")


def is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.TypeAlias) or (
        isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    )


def children_of(node: ast.AST) -> Iterator[ast.AST]:
    """Return what is in a node, but types, decorators and docstrings."""
    for name, value in ast.iter_fields(node):
        if name in {"annotation", "returns", "decorator_list", "type_params", "format_spec"}:
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not is_docstring(child) and not is_reading(child):
                yield child


def is_reading(node: ast.AST) -> bool:
    return isinstance(node, ast.keyword) and (node.arg in FOR_READERS or is_default(node))


def is_docstring(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def is_default(keyword: ast.keyword) -> bool:
    """Return whether an argument says what holds without it: ``strict=False`` of ``zip``."""
    return ast.unparse(keyword) == "strict=False"
