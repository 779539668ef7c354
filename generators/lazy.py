"""Rewrites packages whose ``__init__`` imports everything, so that they import names on first use.

``import openai`` loads 850 modules, four fifths of them types of other services; Powertools' event
handlers load every resolver and asyncio. Both only re-export names. In the layer such names are
looked up when they are first used (PEP 562); nothing else in the packages changes.
"""

import ast
from pathlib import Path

LOOKUP = """
# Rewritten when the layer was built: names are looked up when they are first used.
_LAZY = {names!r}


def __getattr__(name):
    if name not in _LAZY:
        raise AttributeError(f"module {{__name__!r}} has no attribute {{name!r}}")
    from importlib import import_module

    module, attribute = _LAZY[name]
    value = globals()[name] = getattr(import_module(module, __name__), attribute)
    return value
"""


def make_lazy(init: Path) -> None:
    """Rewrite an ``__init__.py`` that re-exports names.

    Raises:
        ValueError: it uses one of the names itself, or imports ``*``.
    """
    init.write_text(lazy_source(init.read_text()))


def lazy_source(source: str) -> str:
    """Return the source with each ``from x import y`` postponed until ``y`` is first used.

    Raises:
        ValueError: in the same cases as ``make_lazy``.
    """
    tree = ast.parse(source)
    imports = [
        node
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module != "__future__"
    ]
    names = {
        alias.asname or alias.name: ("." * node.level + (node.module or ""), alias.name)
        for node in imports
        for alias in node.names
    }
    rest = [node for node in tree.body if node not in imports]
    used = {node.id for one in rest for node in ast.walk(one) if isinstance(node, ast.Name)}
    if "*" in names or used & names.keys():
        raise ValueError(f"These names are needed at import: {sorted(used & names.keys()) or '*'}")
    if not names:
        return source
    return ast.unparse(ast.Module(rest, [])) + "\n" + LOOKUP.format(names=names)
