"""The kinds of changes: by the kind of a node, what it is replaced by."""

import ast
from collections.abc import Callable, Iterator

from tests.mutation import syntax
from tests.mutation.maker import Maker

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


type Change = Callable[[Maker, ast.AST], Iterator[None]]


def _put(maker: Maker, node: ast.expr, owner: ast.AST, name: str, value: object) -> None:
    """Take down the node while a field of it, or of a part of it, has another value."""
    before = getattr(owner, name)
    setattr(owner, name, value)
    maker.take(node)
    setattr(owner, name, before)


def _compare(maker: Maker, node: ast.Compare) -> Iterator[None]:
    tables = [EDGES] if maker.is_in_condition(node) else [EDGES, OPPOSITES]
    for at, operator in enumerate(node.ops):
        for other in (table[type(operator)] for table in tables if type(operator) in table):
            _put(maker, node, node, "ops", [*node.ops[:at], other(), *node.ops[at + 1 :]])
            yield


def _arithmetic(maker: Maker, node: ast.BinOp) -> Iterator[None]:
    if other := ARITHMETIC.get(type(node.op)):
        _put(maker, node, node, "op", other())
        yield


def _both(maker: Maker, node: ast.BoolOp) -> Iterator[None]:
    # Whoever notices that a part is missing notices that "and" is "or".
    for at in range(len(node.values)):
        rest = node.values[:at] + node.values[at + 1 :]
        if len(rest) == 1:
            maker.take(node, ast.unparse(rest[0]))
        else:
            _put(maker, node, node, "values", rest)
        yield


def _unary(maker: Maker, node: ast.UnaryOp) -> Iterator[None]:
    if not maker.is_in_text and not maker.is_in_condition(node):
        maker.take(node, ast.unparse(node.operand))
        yield


def _condition(maker: Maker, node: ast.If | ast.IfExp | ast.While) -> Iterator[None]:
    for text in ("True", "False"):
        maker.take(node.test, text)
        yield


def _filters(maker: Maker, node: ast.comprehension) -> Iterator[None]:
    for test in node.ifs:
        for text in ("True", "False"):
            maker.take(test, text)
            yield


def _constant(maker: Maker, node: ast.Constant) -> Iterator[None]:
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


def _call(maker: Maker, node: ast.Call) -> Iterator[None]:
    if isinstance(node.func, ast.Name) and node.func.id in FUNCTIONS:
        _put(maker, node, node.func, "id", FUNCTIONS[node.func.id])
        yield
    for at, keyword in enumerate(node.keywords):
        if syntax.is_reading(keyword):
            continue
        _put(maker, node, node, "keywords", node.keywords[:at] + node.keywords[at + 1 :])
        yield


def _dict(maker: Maker, node: ast.Dict) -> Iterator[None]:
    keys, values = node.keys, node.values
    for at, key in enumerate(keys):
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            # Its key is changed, which is no less.
            continue
        node.keys, node.values = keys[:at] + keys[at + 1 :], values[:at] + values[at + 1 :]
        maker.take(node)
        node.keys, node.values = keys, values
        yield


def _return(maker: Maker, node: ast.Return) -> Iterator[None]:
    # Callers ask only whether it holds, so "None" in place of "False" is the same.
    if node.value is not None and ast.unparse(node.value) not in {"None", "False"}:
        maker.take(node, "return None")
        yield


def _statement(maker: Maker, node: ast.stmt) -> Iterator[None]:
    if isinstance(node, ast.Expr) and ast.unparse(node) == "...":
        return
    target = node.targets[0] if isinstance(node, ast.Assign) else None
    if not isinstance(node, ast.Assign) or isinstance(target, ast.Attribute | ast.Subscript):
        maker.take(node, "pass")
        yield


def _handler(maker: Maker, node: ast.ExceptHandler) -> Iterator[None]:
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
