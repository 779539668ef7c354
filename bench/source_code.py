"""What can be counted in Python source without running it: sizes, types, docstrings, decisions."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

type Function = ast.FunctionDef | ast.AsyncFunctionDef
FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)
BRANCHES: Final = (ast.If, ast.IfExp, ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler)
PLAIN: Final = (ast.Name, ast.Attribute, ast.Starred, ast.Constant)


@dataclass(frozen=True)
class Module:
    """One source file."""

    path: Path
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """Its syntax tree."""
        return ast.parse(self.text)

    @property
    def lines(self) -> int:
        """How many lines it has."""
        return self.text.count("\n")

    @cached_property
    def functions(self) -> list[Function]:
        """Every function in it, methods and inner ones too."""
        return [node for node in ast.walk(self.tree) if isinstance(node, FUNCTIONS)]

    def public(self) -> Iterator[Function]:
        """Yield the public functions, and the public methods of public classes."""
        classes = [node for node in self.tree.body if isinstance(node, ast.ClassDef)]
        bodies = [self.tree.body, *(node.body for node in classes if not node.name.startswith("_"))]
        for node in (one for body in bodies for one in body):
            if isinstance(node, FUNCTIONS) and not node.name.startswith("_"):
                yield node

    def names(self) -> Iterator[str]:
        """Yield the names that it defines at its top, private ones too."""
        for node in self.tree.body:
            match node:
                case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                    yield node.name
                case ast.Assign():
                    inner = (one for target in node.targets for one in ast.walk(target))
                    yield from (one.id for one in inner if isinstance(one, ast.Name))
                case (
                    ast.AnnAssign(target=ast.Name(id=name)) | ast.TypeAlias(name=ast.Name(id=name))
                ):
                    yield name


def length(function: Function) -> int:
    """Return a function's lines without its decorators and its docstring."""
    doc = function.body[0] if ast.get_docstring(function, clean=False) is not None else None
    total = (function.end_lineno or 0) - function.lineno + 1
    return total - ((doc.end_lineno or 0) - doc.lineno + 1 if doc else 0)


def complexity(function: Function) -> int:
    """Return the cyclomatic complexity, inner functions too: 1, and 1 more for each decision."""
    total = 1
    for node in ast.walk(function):
        if isinstance(node, BRANCHES):
            total += 1
        elif isinstance(node, ast.BoolOp):
            total += len(node.values) - 1
        elif isinstance(node, ast.comprehension):
            total += 1 + len(node.ifs)
        elif isinstance(node, ast.Match):
            total += len(node.cases) - 1
    return total


def is_typed(function: Function) -> bool:
    """Return whether every parameter but ``self`` and ``cls``, and the result, has a type."""
    given = function.args
    every = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
    named = [one for one in every if one and one.arg not in {"self", "cls"}]
    return function.returns is not None and all(one.annotation for one in named)


def positional(function: Function) -> int:
    """Return how many parameters a caller may give by position, ``self`` and ``cls`` apart."""
    given = [*function.args.posonlyargs, *function.args.args]
    return sum(one.arg not in {"self", "cls"} for one in given)


def is_one_call(function: Function) -> bool:
    """Return whether a function only calls another, with names and constants for arguments."""
    body = function.body[ast.get_docstring(function) is not None :]
    if len(body) != 1 or not isinstance(body[0], ast.Return | ast.Expr):
        return False
    call = body[0].value
    if not isinstance(call, ast.Call):
        return False
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    return all(isinstance(one, PLAIN) for one in given)


def broad_handlers(module: Module) -> int:
    """Return how often any error at all is caught or suppressed."""
    broad = {None, "Exception", "BaseException"}
    total = 0
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ExceptHandler):
            total += _name(node.type) in broad
        elif isinstance(node, ast.Call) and _name(node.func) == "suppress":
            total += any(_name(one) in broad for one in node.args)
    return total


def _name(node: ast.expr | None) -> str | None:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case None:
            return None
        case _:
            return ""
