"""Every small change that a piece of Python allows, each as one replacement of text.

Changed are comparisons (the edge, and outside conditions the opposite), arithmetic, conditions
(always, never, one part left out), numbers (one more), texts, what is returned, arguments
and entries (left out), and statements (left out). In the stores' texts the operators of DynamoDB's
expressions are changed as well. Docstrings, types, imports and decorators stay as they are, and so
does what only a person reads (sentences, log lines, descriptions of fields), and figures that have
a name, such as a timeout.
"""

import ast
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

EDGES: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
}
OPPOSITES: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.GtE,
    ast.LtE: ast.Gt,
    ast.Gt: ast.LtE,
    ast.GtE: ast.Lt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.BitOr: ast.BitAnd,
}
FUNCTIONS = {"min": "max", "max": "min", "any": "all", "all": "any", "sorted": "list"}
EXPRESSION = {
    " AND ": " OR ",
    " OR ": " AND ",
    "attribute_not_exists": "attribute_exists",
    " = ": " <> ",
    " <= ": " < ",
    " < ": " <= ",
    " + ": " - ",
}
OTHER_TEXT = "XX"
SENTENCE = re.compile(r"[^|()\[\]\\]*\w[,:;.!?']* [^|()\[\]\\]*\w[,:;.!?']* \w[^|\[\]\\]*", re.DOTALL)
"""Three words at least, and no sign of a regular expression."""
LOGGERS = frozenset({"logger", "log"})
FOR_READERS = frozenset({"description", "title", "summary", "examples", "hint"})
"""Arguments that change nothing but what is read."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change. The name stays the same when lines move."""

    name: str
    line: int
    lines: range
    """The lines of the statement that it is in, without the statements inside that one."""
    function: range
    """The lines of the body of the function that it is in; none where it is outside."""
    names: tuple[str, ...]
    """Outside functions: the constants or the class that it is in."""
    start: int
    end: int
    text: bytes

    def applied(self, source: bytes) -> bytes:
        """Return the source with the change."""
        return source[: self.start] + self.text + source[self.end :]


def mutants(source: bytes, *, expressions: bool = False) -> list[Mutant]:
    """Return every change; a few leave something that does not compile."""
    maker = _Maker(source, expressions=expressions)
    maker.walk(ast.parse(source))
    return maker.made


@dataclass(slots=True)
class _Maker:
    source: bytes
    expressions: bool
    made: list[Mutant] = field(default_factory=list)
    _scope: list[str] = field(default_factory=list)
    _text: ast.expr | None = None
    """The f-string that we are in: it is written anew as a whole."""
    _names: Counter[str] = field(default_factory=Counter)
    _around: list[ast.stmt] = field(default_factory=list)
    """The statements that we are in, the innermost last."""
    _raising: int = 0
    _conditions: list[ast.AST] = field(default_factory=list)
    _starts: list[int] = field(default_factory=list)
    _lines: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        at = 0
        self._lines = self.source.splitlines(keepends=True)
        for line in self._lines:
            self._starts.append(at)
            at += len(line)

    def walk(self, node: ast.AST) -> None:
        """Collect the changes of a node and of everything in it."""
        if isinstance(node, ast.Import | ast.ImportFrom) or _is_for_types(node) or _is_log(node):
            return
        if isinstance(node, ast.stmt):
            self._around.append(node)
        self._raising += _is_error(node)
        if isinstance(node, ast.If | ast.IfExp | ast.While):
            self._conditions += _parts(node.test)
        scoped = isinstance(node, ast.FunctionDef | ast.ClassDef)
        if scoped:
            self._scope.append(node.name)  # type: ignore[attr-defined]
        outer = self._text
        if isinstance(node, ast.JoinedStr) and outer is None:
            self._text = node
        for kind, change in CHANGES:
            if isinstance(node, kind):
                for _ in change(self, node):
                    """Each step of a change is one mutant, taken down while it is in place."""
        for child in _children(node):
            self.walk(child)
        self._text = outer
        self._raising -= _is_error(node)
        if scoped:
            self._scope.pop()
        if isinstance(node, ast.stmt):
            self._around.pop()

    def is_in_condition(self, node: ast.expr) -> bool:
        """Return whether a part of a condition is changed to always and to never anyway."""
        return any(node is one for one in self._conditions)

    def is_named_figure(self) -> bool:
        """Return whether we are in a figure with a name: a test that repeats it proves nothing."""
        node = self._around[-1]
        named = isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(
            node.value, ast.Constant | ast.BinOp | ast.UnaryOp
        )
        return named and not any(map(_is_function, self._around))

    def is_for_readers(self, text: str) -> bool:
        """Return whether a text is a sentence, or what an error is raised with."""
        return bool(SENTENCE.fullmatch(text)) or (
            self._raising > 0 and (" " in text or not text)
        )

    def take(self, node: ast.expr | ast.stmt, text: str | None = None) -> None:
        """Take down a mutant: the node as it stands now, or as the text says."""
        anchor = self._text or node
        if text is None or self._text is not None:
            text = ast.unparse(anchor)
        if isinstance(anchor, ast.expr) and not isinstance(anchor, ast.Constant | ast.JoinedStr):
            text = f"({text})"
        start = self._offset(anchor.lineno, anchor.col_offset)
        end = self._offset(anchor.end_lineno or 0, anchor.end_col_offset or 0)
        old = " ".join(self.source[start:end].decode().split())
        line = self._lines[anchor.lineno - 1].decode().strip()
        where = ".".join(self._scope) or "module"
        name = f"{where} | {line} | {old} => {' '.join(text.split())}"
        self._names[name] += 1
        if self._names[name] > 1:
            name = f"{name} (#{self._names[name]})"
        function = next((one for one in self._around if _is_function(one)), None)
        body = range(0) if function is None else _body(function)
        names = () if function else _bound(self._around)
        lines = _header(self._around[-1])
        if anchor.lineno not in lines:
            # The line of an ``except`` runs only when something was raised.
            lines = range(anchor.lineno, anchor.lineno + 1)
        made = Mutant(name, anchor.lineno, lines, body, names, start, end, text.encode())
        self.made.append(made)

    def _offset(self, line: int, column: int) -> int:
        return self._starts[line - 1] + column


type Change = Callable[[_Maker, ast.AST], Iterator[None]]


def _lines(node: ast.stmt) -> range:
    return range(node.lineno, (node.end_lineno or node.lineno) + 1)


def _body(node: ast.stmt) -> range:
    first: int = node.body[0].lineno  # type: ignore[attr-defined]
    return range(first, (node.end_lineno or first) + 1)


def _header(node: ast.stmt) -> range:
    """Return the lines of a statement up to the first statement in it."""
    inner = getattr(node, "body", None)
    return range(node.lineno, max(inner[0].lineno, node.lineno + 1)) if inner else _lines(node)


def _is_function(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef)


def _bound(around: list[ast.stmt]) -> tuple[str, ...]:
    """Return the names that the outermost statement gives a value."""
    node = around[0]
    if isinstance(node, ast.ClassDef):
        return (node.name,)
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return tuple(
        one.id for target in targets if target for one in ast.walk(target) if isinstance(one, ast.Name)
    )


def _is_error(node: ast.AST) -> bool:
    return isinstance(node, ast.Raise) or (
        isinstance(node, ast.Call) and ast.unparse(node.func).endswith("Error")
    )


def _parts(node: ast.expr) -> list[ast.AST]:
    """Return a condition and the parts that "and", "or" and "not" join."""
    inner = node.values if isinstance(node, ast.BoolOp) else []
    inner = [node.operand] if isinstance(node, ast.UnaryOp) else inner
    return [node, *(part for one in inner for part in _parts(one))]


def _is_log(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Call)
        and ast.unparse(node.value.func).split(".")[0] in LOGGERS
    ) or (isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__")


def _is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.TypeAlias) or (
        isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    )


def _children(node: ast.AST) -> Iterator[ast.AST]:
    """Return what is in a node, but types, decorators and docstrings."""
    for name, value in ast.iter_fields(node):
        if name in {"annotation", "returns", "decorator_list", "type_params", "format_spec"}:
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not _is_docstring(child) and not _is_reading(child):
                yield child


def _is_reading(node: ast.AST) -> bool:
    return isinstance(node, ast.keyword) and (node.arg in FOR_READERS or _is_default(node))


def _is_docstring(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _put(maker: _Maker, node: ast.expr, owner: ast.AST, name: str, value: object) -> None:
    """Take down the node while a field of it, or of a part of it, has another value."""
    before = getattr(owner, name)
    setattr(owner, name, value)
    maker.take(node)
    setattr(owner, name, before)


def _compare(maker: _Maker, node: ast.Compare) -> Iterator[None]:
    tables = [EDGES] if maker.is_in_condition(node) else [EDGES, OPPOSITES]
    for at, operator in enumerate(node.ops):
        for other in (table[type(operator)] for table in tables if type(operator) in table):
            _put(maker, node, node, "ops", [*node.ops[:at], other(), *node.ops[at + 1 :]])
            yield


def _arithmetic(maker: _Maker, node: ast.BinOp) -> Iterator[None]:
    if other := ARITHMETIC.get(type(node.op)):
        _put(maker, node, node, "op", other())
        yield


def _both(maker: _Maker, node: ast.BoolOp) -> Iterator[None]:
    # Whoever notices that a part is missing notices that "and" is "or".
    for at in range(len(node.values)):
        rest = node.values[:at] + node.values[at + 1 :]
        if len(rest) == 1:
            maker.take(node, ast.unparse(rest[0]))
        else:
            _put(maker, node, node, "values", rest)
        yield


def _unary(maker: _Maker, node: ast.UnaryOp) -> Iterator[None]:
    if maker._text is None and not maker.is_in_condition(node):
        maker.take(node, ast.unparse(node.operand))
        yield


def _condition(maker: _Maker, node: ast.If | ast.IfExp | ast.While) -> Iterator[None]:
    for text in ("True", "False"):
        maker.take(node.test, text)
        yield


def _filters(maker: _Maker, node: ast.comprehension) -> Iterator[None]:
    for test in node.ifs:
        for text in ("True", "False"):
            maker.take(test, text)
            yield


def _constant(maker: _Maker, node: ast.Constant) -> Iterator[None]:
    if isinstance(node.value, str) and not maker.expressions and maker.is_for_readers(node.value):
        return
    if isinstance(node.value, int) and maker.is_named_figure():
        return
    for other in _others(node.value, expressions=maker.expressions):
        _put(maker, node, node, "value", other)
        yield


def _others(value: object, *, expressions: bool) -> Iterator[object]:
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield value + 1
    elif isinstance(value, bytes):
        yield OTHER_TEXT.encode()
    elif isinstance(value, str):
        yield OTHER_TEXT
        for old, new in EXPRESSION.items() if expressions else ():
            if old in value:
                yield value.replace(old, new, 1)


def _call(maker: _Maker, node: ast.Call) -> Iterator[None]:
    if isinstance(node.func, ast.Name) and node.func.id in FUNCTIONS:
        _put(maker, node, node.func, "id", FUNCTIONS[node.func.id])
        yield
    for at, keyword in enumerate(node.keywords):
        if _is_reading(keyword):
            continue
        _put(maker, node, node, "keywords", node.keywords[:at] + node.keywords[at + 1 :])
        yield


def _is_default(keyword: ast.keyword) -> bool:
    """Return whether an argument says what holds without it: ``strict=False`` of ``zip``."""
    return ast.unparse(keyword) == "strict=False"


def _dict(maker: _Maker, node: ast.Dict) -> Iterator[None]:
    keys, values = node.keys, node.values
    for at, key in enumerate(keys):
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            # Its key is changed, which is no less.
            continue
        node.keys, node.values = keys[:at] + keys[at + 1 :], values[:at] + values[at + 1 :]
        maker.take(node)
        node.keys, node.values = keys, values
        yield


def _return(maker: _Maker, node: ast.Return) -> Iterator[None]:
    # Callers ask only whether it holds, so "None" in place of "False" is the same.
    if node.value is not None and ast.unparse(node.value) not in {"None", "False"}:
        maker.take(node, "return None")
        yield


def _statement(maker: _Maker, node: ast.stmt) -> Iterator[None]:
    if isinstance(node, ast.Expr) and ast.unparse(node) == "...":
        return
    target = node.targets[0] if isinstance(node, ast.Assign) else None
    if not isinstance(node, ast.Assign) or isinstance(target, ast.Attribute | ast.Subscript):
        maker.take(node, "pass")
        yield


def _handler(maker: _Maker, node: ast.ExceptHandler) -> Iterator[None]:
    if node.type is not None:
        maker.take(node.type, "()")
        yield


CHANGES: tuple[tuple[type | tuple[type, ...], Change], ...] = (
    (ast.Compare, _compare),
    (ast.BinOp, _arithmetic),
    (ast.BoolOp, _both),
    (ast.UnaryOp, _unary),
    ((ast.If, ast.IfExp, ast.While), _condition),
    (ast.comprehension, _filters),
    (ast.Constant, _constant),
    (ast.Call, _call),
    (ast.Dict, _dict),
    (ast.Return, _return),
    ((ast.Expr, ast.Assign, ast.AugAssign, ast.Raise, ast.Continue, ast.Break), _statement),
    (ast.ExceptHandler, _handler),
)  # type: ignore[assignment]  # each change takes the kind beside it
