"""Moves imports of other people's modules into the functions that use them.

The AWS SDK loads what writes its documentation, an HTML parser and the parallel transfers of
files, and the library that verifies tokens loads certificates: a cold start pays for all of it and
no function uses any. Unlike ``lazy``, this is for modules that use the names themselves. Whatever
uses a name outside a function stops the build, as does a name that is no longer imported.
"""

import ast
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Final

type Function = ast.FunctionDef | ast.AsyncFunctionDef

MOVED: Final[Mapping[str, Collection[str]]] = {
    "boto3/docs/__init__.py": ("ServiceDocumenter",),
    "boto3/docs/docstring.py": (
        *("document_action", "document_load_reload_action", "document_attribute"),
        *("document_identifier", "document_reference", "document_batch_action"),
        *("document_collection_method", "document_collection_object"),
        *("document_sub_resource", "document_resource_waiter"),
    ),
    "boto3/s3/inject.py": (
        *("ProgressCallbackInvoker", "S3Transfer", "TransferConfig", "create_transfer_manager"),
    ),
    "botocore/docs/__init__.py": ("ServiceDocumenter",),
    "botocore/docs/docstring.py": (
        *("DocumentStructure", "document_model_driven_method"),
        *("document_paginate_method", "document_wait_method"),
    ),
    "jwt/algorithms.py": ("x509", "load_ssh_public_key"),
    "pydantic/networks.py": ("version",),
    "urllib3/http2/__init__.py": ("version",),
}
"""The names by module: of documentation, transfers of files, certificates and versions."""
REPLACED: Final = (
    ("boto3/compat.py", "from s3transfer.manager import TransferConfig\n", ""),
    ("boto3/compat.py", "hasattr(TransferConfig, 'UNSET_DEFAULT')", "True"),
    # There is no plugin of pydantic in the layer, and looking for one loads ZIP files and e-mail.
    ("pydantic/plugin/_loader.py", "from importlib.metadata import entry_points\n", ""),
    ("pydantic/plugin/_loader.py", "entry_points(group=PYDANTIC_ENTRY_POINT_GROUP)", "()"),
)
"""Single texts, each with what is put in its place."""


def rewrite(packages: Path) -> None:
    """Rewrite the modules of ``MOVED`` and ``REPLACED`` in a folder of packages.

    Raises:
        ValueError: a module is not as these tables expect it.
    """
    for name, names in MOVED.items():
        move_imports(packages / name, names)
    for name, old, new in REPLACED:
        module = packages / name
        module.write_text(replaced(module.read_text(), old, new))


def replaced(source: str, old: str, new: str) -> str:
    """Return the source with a text replaced.

    Raises:
        ValueError: the text is not in it exactly once.
    """
    if source.count(old) != 1:
        raise ValueError(f"This text must be in it once: {old!r}")
    return source.replace(old, new)


def move_imports(module: Path, names: Collection[str]) -> None:
    """Rewrite a module, so that each function that uses one of the names imports it itself.

    Raises:
        ValueError: the module does not import a name, or uses it outside its functions.
    """
    module.write_text(moved_source(module.read_text(), names))


def moved_source(source: str, names: Collection[str]) -> str:
    """Return the source with the imports of these names moved.

    Raises:
        ValueError: in the same cases as ``move_imports``.
    """
    tree = ast.parse(source)
    imports = dict(_taken_out(tree, names))
    if missing := set(names) - imports.keys():
        raise ValueError(f"These names are not imported: {sorted(missing)}")
    for function in _outer_functions(tree):
        used = sorted(imports.keys() & _names_in(*function.body))
        at = 1 if ast.get_docstring(function, clean=False) is not None else 0
        function.body[at:at] = [imports[name] for name in used]
    if early := imports.keys() & _early_names(tree):
        raise ValueError(f"These names are used outside functions: {sorted(early)}")
    return ast.unparse(ast.fix_missing_locations(tree)) + "\n"


def _taken_out(tree: ast.Module, names: Collection[str]) -> Iterator[tuple[str, ast.ImportFrom]]:
    """Remove the names from the imports outside functions; yield each with its own import."""
    for node in list(_outside_functions(tree)):
        if not isinstance(node, ast.ImportFrom):
            continue
        for alias in list(node.names):
            name = alias.asname or alias.name
            if name in names:
                node.names.remove(alias)
                yield name, ast.ImportFrom(node.module, [alias], node.level)
    _Emptied().visit(tree)


class _Emptied(ast.NodeTransformer):
    """Replaces an import that has no name left."""

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.stmt:
        """Return the import, or a statement that does nothing in its place."""
        return node if node.names else ast.Pass()


def _outside_functions(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what is executed or evaluated when the module is loaded."""
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, Function.__value__):
            yield from _outside_functions(child)


def _outer_functions(tree: ast.Module) -> Iterator[Function]:
    for node in _outside_functions(tree):
        if isinstance(node, Function.__value__):
            yield node


def _early_names(tree: ast.Module) -> set[str]:
    """Return the names that are used when the module is loaded."""
    lazy_notes = any(
        isinstance(node, ast.ImportFrom) and node.module == "__future__" for node in tree.body
    )
    found = {node.id for node in _outside_functions(tree) if isinstance(node, ast.Name)}
    for function in _outer_functions(tree):
        arguments = function.args
        found |= _names_in(*function.decorator_list, *arguments.defaults)
        found |= _names_in(*filter(None, arguments.kw_defaults))
        if not lazy_notes:
            found |= _names_in(*filter(None, [function.returns, *_notes(arguments)]))
    return found


def _notes(arguments: ast.arguments) -> Iterator[ast.expr | None]:
    """Yield the annotations of a function's arguments."""
    for node in ast.walk(arguments):
        if isinstance(node, ast.arg):
            yield node.annotation


def _names_in(*nodes: ast.AST) -> set[str]:
    return {one.id for node in nodes for one in ast.walk(node) if isinstance(one, ast.Name)}
