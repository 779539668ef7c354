"""Which errors a handler can end with, read from the source: the calls are followed by their types.

What it does not see: errors of an object that a protocol stands for (stores and providers), and of
a callable that is passed in. An error that is caught and not raised again is none.
"""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from types import FunctionType
from typing import Any, get_type_hints

from imagegen.domain import errors
from imagegen.domain.errors import ImagegenError

type Errors = frozenset[type[ImagegenError]]
type Code = Callable[..., Any]

NONE: Errors = frozenset()


@dataclass(slots=True)
class Reader:
    """Reads functions, each once."""

    read: dict[tuple[Code, type | None], Errors] = field(default_factory=dict)

    def errors_of(self, code: Code, owner: type | None = None) -> Errors:
        """Return the errors that a function raises, by itself or by what it calls."""
        key = (code, owner)
        if key not in self.read:
            self.read[key] = NONE  # while it is read: a function that calls itself adds nothing
            self.read[key] = _Body(self, code, owner).errors()
        return self.read[key]

    def errors_of_class(self, kind: type) -> Errors:
        """Return the errors of all methods of a class that is made and used in one expression."""
        methods = [one for one in vars(kind).values() if isinstance(one, FunctionType)]
        return NONE.union(*(self.errors_of(one, kind) for one in methods))


@dataclass(frozen=True, slots=True)
class Method:
    """A function of a class."""

    code: Code
    owner: type


@dataclass
class _Body:
    """The body of one function, with the types of its names."""

    reader: Reader
    code: Code
    owner: type | None

    @cached_property
    def names(self) -> dict[str, Any]:
        """What a name is in the function's module, or is imported as within the function."""
        found = dict(inspect.unwrap(self.code).__globals__)
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("imagegen"):
                module = import_module(node.module or "")
                found |= {one.asname or one.name: vars(module)[one.name] for one in node.names}
        return found

    @cached_property
    def tree(self) -> ast.AST:
        try:
            return ast.parse(textwrap.dedent(inspect.getsource(self.code)))
        except OSError:  # A method that a dataclass made has no source.
            return ast.parse("")

    @cached_property
    def instances(self) -> dict[str, type]:
        """What a parameter is an instance of."""
        found = {name: one for name, one in hints(self.code).items() if isinstance(one, type)}
        return {**found, **({"self": self.owner} if self.owner else {})}

    def errors(self) -> Errors:
        return self._of(ast.iter_child_nodes(self.tree))

    def _of(self, nodes: Iterable[ast.AST]) -> Errors:
        return NONE.union(*map(self._of_node, nodes))

    def _of_node(self, node: ast.AST) -> Errors:
        match node:
            case ast.Try():
                inner = self._of(node.body)
                for handler in node.handlers:
                    inner = frozenset(one for one in inner if not self._ends(handler, one))
                return inner | self._of([*node.handlers, *node.orelse, *node.finalbody])
            case ast.Call():
                return self._of(ast.iter_child_nodes(node)) | self._called(node.func)
            case ast.Name() | ast.Attribute():
                # Passed on as it is: something calls it.
                return self._named(node) | self._of(ast.iter_child_nodes(node))
        return self._of(ast.iter_child_nodes(node))

    def _ends(self, handler: ast.ExceptHandler, error: type[ImagegenError]) -> bool:
        """Return whether an error is caught here and goes no further."""
        raised = [one for one in ast.walk(handler) if isinstance(one, ast.Raise) and not one.exc]
        kinds = [] if handler.type is None else ast.walk(handler.type)
        caught = [self.names.get(one.id) for one in kinds if isinstance(one, ast.Name)]
        return not raised and any(
            isinstance(one, type) and issubclass(error, one) for one in caught
        )

    def _called(self, func: ast.expr) -> Errors:
        found = self._resolved(func)
        if isinstance(found, type):
            if issubclass(found, ImagegenError) and found.__module__ == errors.__name__:
                return frozenset({found})
            is_own = found.__module__ == self.code.__module__ and found.__name__.startswith("_")
            return self.reader.errors_of_class(found) if is_own else NONE
        return NONE

    def _named(self, node: ast.expr) -> Errors:
        found = self._resolved(node)
        if isinstance(found, Method):
            return self.reader.errors_of(found.code, found.owner)
        if isinstance(found, FunctionType) and found.__module__.startswith("imagegen."):
            return self.reader.errors_of(found)
        return NONE

    def _resolved(self, node: ast.expr) -> Any:
        """Return what a name or attribute is: a class, a function, or a method and its class."""
        match node:
            case ast.Name(id=name) if name in self.instances:
                return None
            case ast.Name(id=name):
                return self.names.get(name)
            case ast.Attribute(value=value, attr=attr):
                kind = self._instance(value)
                if kind is None:
                    base = self._resolved(value)
                    is_module = inspect.ismodule(base) and base.__name__.startswith("imagegen.")
                    return vars(base).get(attr) if is_module else None
                member = inspect.getattr_static(kind, attr, None)
                return Method(member, kind) if isinstance(member, FunctionType) else None
        return None

    def _instance(self, node: ast.expr) -> type | None:
        """Return the class of what an expression is, as far as annotations say."""
        match node:
            case ast.Name(id=name):
                return self.instances.get(name)
            case ast.Attribute(value=value, attr=attr):
                kind = self._instance(value)
                found = member_type(kind, attr) if kind else None
                return found if isinstance(found, type) else None
        return None


def member_type(kind: type, name: str) -> Any:
    """Return what a field or a property of a class is annotated as."""
    match inspect.getattr_static(kind, name, None):
        case cached_property(func=get) | property(fget=get) if get is not None:
            return hints(get).get("return")
    return hints(kind).get(name)


def hints(of: Any) -> Mapping[str, Any]:
    """Return annotations, none where one names what is imported for types alone."""
    try:
        return get_type_hints(of)
    except NameError:
        return {}
