"""One change to a source as a replacement of text, and what takes the changes down by name."""

import ast
from collections import Counter
from dataclasses import dataclass, field

from tests.mutation import syntax


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


@dataclass(slots=True)
class Maker:
    """Takes down the mutants of one source, and keeps where in it we are."""

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

    def enter(self, node: ast.AST) -> None:
        """Note what a node is part of; ``leave`` ends it."""
        if isinstance(node, ast.stmt):
            self._around.append(node)
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            self._scope.append(node.name)
        if isinstance(node, ast.If | ast.IfExp | ast.While):
            self._conditions += syntax.parts_of(node.test)
        if isinstance(node, ast.JoinedStr) and self._text is None:
            self._text = node
        self._raising += syntax.is_error(node)

    def leave(self, node: ast.AST) -> None:
        """End what ``enter`` noted."""
        if isinstance(node, ast.stmt):
            self._around.pop()
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            self._scope.pop()
        if node is self._text:
            self._text = None
        self._raising -= syntax.is_error(node)

    def is_in_condition(self, node: ast.expr) -> bool:
        """Return whether a part of a condition is changed to always and to never anyway."""
        return any(node is one for one in self._conditions)

    @property
    def is_in_text(self) -> bool:
        """Whether we are in an f-string."""
        return self._text is not None

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
