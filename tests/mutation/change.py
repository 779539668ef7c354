"""Puts the changed code of one module into the process, without a file and mostly without imports.

A change inside a function takes effect by giving the function object its new code. A change of a
plain constant of a module is put wherever that constant was imported to. Everything else needs the
package to be imported anew (``forget_package``).
"""

import gc
import importlib.util
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import _lru_cache_wrapper
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType, FunctionType, ModuleType

from tests.mutation.maker import Mutant

LOADED_ANEW = re.compile(r"(imagegen|tests|local|generators|operations|bench|functions)(\.|$)")
KEPT = re.compile(r"tests$|tests\.mutation|tests\.planted|local$|local\.paths")


class ReimportError(Exception):
    """The change cannot be put into place: the package must be imported anew."""


class SameCodeError(Exception):
    """The change compiles to the same code."""


@dataclass(frozen=True, slots=True)
class ChangedModule:
    """A module of the package with one mutant in it."""

    module: str
    """Its path in the package."""
    path: str
    mutant: Mutant
    source: bytes

    @property
    def module_name(self) -> str:
        """The module's name for an import."""
        dotted = self.module.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
        return f"imagegen.{dotted}"


@dataclass(frozen=True, slots=True)
class Code:
    """What a module compiles to: the body of the module and its classes, and its functions."""

    bodies: Sequence[CodeType]
    functions: Sequence[CodeType]


def compiled(source: bytes, path: str) -> Code:
    """Return the parts of a module's code."""
    bodies, functions = list[CodeType](), list[CodeType]()

    def take(code: CodeType) -> None:
        bodies.append(code)
        for constant in code.co_consts:
            if isinstance(constant, CodeType):
                if _is_class(constant):
                    take(constant)
                else:
                    functions.append(constant)

    take(compile(source, path, "exec", dont_inherit=True))
    return Code(bodies, functions)


def _is_class(code: CodeType) -> bool:
    return "__module__" in code.co_names and "__qualname__" in code.co_names


def changed_functions(before: Code, after: Code) -> list[tuple[CodeType, CodeType]]:
    """Return old and new code of each function that the change is in.

    Raises:
        ReimportError: the change is outside functions.
        SameCodeError: nothing of the code is different.
    """
    if len(before.functions) != len(after.functions) or not _are_alike(before, after):
        raise ReimportError
    pairs = zip(before.functions, after.functions, strict=True)
    changed = [(old, new) for old, new in pairs if _essence(old) != _essence(new)]
    if not changed:
        raise SameCodeError
    return changed


def _are_alike(before: Code, after: Code) -> bool:
    return [_body(one) for one in before.bodies] == [_body(one) for one in after.bodies]


def _body(code: CodeType) -> tuple[object, ...]:
    """Return what a body does, without the functions in it and the numbers of lines."""
    constants = tuple(
        (type(one), repr(one))
        for one in code.co_consts
        if not isinstance(one, CodeType) and not _is_line(code, one)
    )
    return code.co_code, code.co_names, constants, code.co_exceptiontable


def _is_line(code: CodeType, constant: object) -> bool:
    # A class body keeps the number of its first line as a constant.
    return constant == code.co_firstlineno and _is_class(code)


def _essence(code: CodeType) -> tuple[object, ...]:
    nested = tuple(_essence(one) for one in code.co_consts if isinstance(one, CodeType))
    return *_body(code), code.co_freevars, code.co_varnames, nested


type Undo = Callable[[], None]


def replace_functions(
    functions: Sequence[FunctionType], changed: Sequence[tuple[CodeType, CodeType]]
) -> Undo:
    """Give the function objects their new code; return what gives them the old one back.

    Raises:
        ReimportError: there is no such object, or it needs other variables from around it.
    """
    before = list[tuple[FunctionType, CodeType]]()

    def undo() -> None:
        for function, code in before:
            function.__code__ = code

    for old, new in changed:
        found = [one for one in functions if _is_of(one.__code__, old)]
        if not found:
            raise ReimportError
        for function in found:
            before.append((function, function.__code__))
            try:
                function.__code__ = new
            except ValueError as error:
                undo()
                raise ReimportError from error
    return undo


def _is_of(code: CodeType, other: CodeType) -> bool:
    return (
        code.co_filename == other.co_filename
        and code.co_qualname == other.co_qualname
        and code.co_firstlineno == other.co_firstlineno
    )


def replace_constant(module: ModuleType, source: bytes, names: Sequence[str]) -> Undo:
    """Put new values of a module's constants in place, wherever they were imported to.

    Returns what puts the old ones back.

    Raises:
        ReimportError: a value is made of the module's own classes.
    """
    assert module.__file__
    fresh = ModuleType(module.__name__)
    fresh.__dict__.update({"__file__": module.__file__, "__package__": module.__package__})
    exec(compile(source, module.__file__, "exec"), fresh.__dict__)  # noqa: S102 our own source
    before = list[tuple[ModuleType, str, object]]()

    def undo() -> None:
        for other, name, old in before:
            setattr(other, name, old)

    for name in names:
        old, new = getattr(module, name), getattr(fresh, name)
        if not (_is_plain(old) and _is_plain(new)):
            undo()
            raise ReimportError
        for other in list(sys.modules.values()):
            if getattr(other, "__dict__", {}).get(name) is old:
                before.append((other, name, old))
                setattr(other, name, new)
    return undo


def _is_plain(value: object) -> bool:
    if isinstance(value, dict):
        return all(map(_is_plain, value.keys())) and all(map(_is_plain, value.values()))
    if isinstance(value, tuple | list | set | frozenset):
        return all(map(_is_plain, value))
    return type(value) in {int, str, bytes, float, bool, type(None), re.Pattern}


@dataclass(frozen=True, slots=True)
class Finder(MetaPathFinder):
    """Finds one module with a source of its own."""

    module: str
    path: str
    source: bytes

    def find_spec(
        self, fullname: str, path: object = None, target: object = None
    ) -> ModuleSpec | None:
        """Return how to load the module, ``None`` for all others."""
        if fullname != self.module:
            return None
        loader: Loader = _Loader(fullname, self.path, self.source)
        return importlib.util.spec_from_file_location(fullname, self.path, loader=loader)


class _Loader(SourceFileLoader):
    def __init__(self, fullname: str, path: str, source: bytes) -> None:
        super().__init__(fullname, path)
        self._source = source

    def get_code(self, fullname: str) -> CodeType:
        return compile(self._source, self.path, "exec", dont_inherit=True)


def forget_package(module: str, path: str, source: bytes, *, kept: re.Pattern[str]) -> None:
    """Forget all that is of this tree, so that it is imported anew, one module from a source."""
    for name in [*sys.modules]:
        file = getattr(sys.modules[name], "__file__", None) or ""
        ours = file.startswith(str(Path.cwd())) and "site-packages" not in file
        if (ours or LOADED_ANEW.match(name)) and not KEPT.match(name) and not kept.match(name):
            del sys.modules[name]
    sys.meta_path.insert(0, Finder(module, path, source))
    gc.freeze()


def forget_results(module: str) -> None:
    """Empty the caches of a module's functions: a result from before would hide the change."""
    for one in vars(sys.modules[module]).values():
        if isinstance(one, _lru_cache_wrapper):
            one.cache_clear()
