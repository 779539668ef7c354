"""Every small change that a piece of Python allows, each as one replacement of text.

Changed are comparisons (the edge, and outside conditions the opposite), arithmetic, conditions
(always, never, one part left out), numbers (one more), texts, what is returned, arguments
and entries (left out), and statements (left out). In the stores' texts the operators of DynamoDB's
expressions are changed as well. Docstrings, types, imports and decorators stay as they are, and so
does what only a person reads (sentences, log lines, descriptions of fields), and figures that have
a name, such as a timeout.
"""

import ast

from tests.mutation import syntax
from tests.mutation.changes import CHANGES
from tests.mutation.maker import Maker, Mutant


def mutants(source: bytes, *, expressions: bool = False) -> list[Mutant]:
    """Return every change; a few leave something that does not compile."""
    maker = Maker(source, expressions=expressions)
    _walk(maker, ast.parse(source))
    return maker.made


def _walk(maker: Maker, node: ast.AST) -> None:
    """Collect the changes of a node and of everything in it."""
    if syntax.is_left_alone(node):
        return
    maker.enter(node)
    for kind, change in CHANGES:
        if isinstance(node, kind):
            for _ in change(maker, node):
                """Each step of a change is one mutant, taken down while it is in place."""
    for child in syntax.children_of(node):
        _walk(maker, child)
    maker.leave(node)
