"""Every small change that a piece of Python allows, each as one replacement of text.

Changed are comparisons (the edge, and outside conditions the opposite), arithmetic, conditions
(always, never, one part left out), numbers (one more), texts, what is returned, arguments
and entries (left out), and statements (left out). In the stores' texts the operators of DynamoDB's
expressions are changed as well. Docstrings, types, imports and decorators stay as they are, and so
does what only a person reads (sentences, log lines, descriptions of fields), and figures that have
a name, such as a timeout.
"""

import ast
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tests.mutation import syntax

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
        if syntax.is_left_alone(node):
            return
        outer = self._text
        self._enter(node)
        for kind, change in CHANGES:
            if isinstance(node, kind):
                for _ in change(self, node):
                    """Each step of a change is one mutant, taken down while it is in place."""
        for child in syntax.children_of(node):
            self.walk(child)
        self._text = outer
        self._leave(node)

    def _enter(self, node: ast.AST) -> None:
        if isinstance(node, ast.stmt):
            self._around.append(node)
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            self._scope.append(node.name)
        if isinstance(node, ast.If | ast.IfExp | ast.While):
            self._conditions += syntax.parts_of(node.test)
        if isinstance(node, ast.JoinedStr) and self._text is None:
            self._text = node
        self._raising += syntax.is_error(node)

    def _leave(self, node: ast.AST) -> None:
        if isinstance(node, ast.stmt):
            self._around.pop()
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            self._scope.pop()
        self._raising -= syntax.is_error(node)

    def is_in_condition(self, node: ast.expr) -> bool:
        """Return whether a part of a condition is changed to always and to never anyway."""
        return any(node is one for one in self._conditions)

    def is_named_figure(self) -> bool:
        """Return whether we are in a figure with a name: a test that repeats it proves nothing."""
        node = self._around[-1]
        named = isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(
            node.value, ast.Constant | ast.BinOp | ast.UnaryOp
        )
        return named and not any(map(syntax.is_function, self._around))

    def is_for_readers(self, text: str) -> bool:
        """Return whether a text is a sentence, or what an error is raised with."""
        if isinstance(self._text, ast.JoinedStr) and (
            syntax.is_sentence(self._text) or not any(map(str.isalnum, text))
        ):
            return True
        in_error = self._raising > 0 and (" " in text or not text)
        return in_error or bool(syntax.SENTENCE.fullmatch(text))

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
        function = next((one for one in self._around if syntax.is_function(one)), None)
        body = range(0) if function is None else syntax.body_of(function)
        names = () if function else syntax.bound_names(self._around)
        lines = syntax.header_of(self._around[-1])
        if anchor.lineno not in lines:
            # The line of an ``except`` runs only when something was raised.
            lines = range(anchor.lineno, anchor.lineno + 1)
        made = Mutant(name, anchor.lineno, lines, body, names, start, end, text.encode())
        self.made.append(made)

    def _offset(self, line: int, column: int) -> int:
        return self._starts[line - 1] + column


type Change = Callable[[_Maker, ast.AST], Iterator[None]]


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
        if syntax.is_reading(keyword):
            continue
        _put(maker, node, node, "keywords", node.keywords[:at] + node.keywords[at + 1 :])
        yield


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
