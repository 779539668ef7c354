"""Joins the page's modules, so that a visitor asks for one script and not for each of its parts.

Only the module syntax that these files have is known: named imports of files beside them, and named
exports. Each part keeps its own names, because it becomes a function; the entry stays a module.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

COMMENT = re.compile(r"^[ \t]*(?:/\*[^*]*\*+(?:[^/*][^*]*\*+)*/|//[^\n]*)[ \t]*\n", re.MULTILINE)
SPACE = re.compile(r"^[ \t]+|\n(?=\n)", re.MULTILINE)
STYLES = re.compile(r"(?<=const css = )`.*?^`;", re.MULTILINE | re.DOTALL)
SIGNS = re.compile(r"\s*([{};,])\s*|(:) ")
IMPORT = re.compile(r'^import (?:\{([^}]*)\} from )?"\./([\w-]+\.js)";$', re.MULTILINE)
EXPORT_FROM = re.compile(r'^export \{([^}]*)\} from "\./([\w-]+\.js)";$', re.MULTILINE)
EXPORT_LIST = re.compile(r"^export \{([^}]*)\};$", re.MULTILINE)
EXPORT = re.compile(
    r"^export ((?:const|class|async function\*?|function\*?) ([\w$]+))", re.MULTILINE
)
PRIVATE = re.compile(r"(?:(?<=\.)|(?<=get |set |ync |tic )|(?<=[;{}]\n))#(\w+)")
UNKNOWN = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)


class UnknownSyntaxError(ValueError):
    """A module imports or exports in a form that is not known here."""


@dataclass(frozen=True, slots=True)
class Bundler:
    """Joins modules; each of them is read and translated once."""

    read: Callable[[str], str]
    """Returns the text of a file by its name."""
    _parts: dict[str, str] = field(default_factory=dict)
    _imports: dict[str, list[str]] = field(default_factory=dict)

    def bundled(self, entry: str) -> str:
        """Return a module and everything that it imports as one module with the same exports.

        What is loaded later, by ``import()``, stays a file of its own.

        Raises:
            UnknownSyntaxError: a module is not written as these are, or they import each other.
        """
        text = stripped(self.read(entry))
        order: dict[str, None] = {}
        for name in _imported(text):
            self._add(name, order, (entry,))
        return "".join((*(self._part(name) for name in order), _as_entry(text)))

    def _add(self, name: str, order: dict[str, None], above: tuple[str, ...]) -> None:
        """Put a module into the order, behind the modules that it imports."""
        if name in above:
            raise UnknownSyntaxError(f"{name!r} imports itself by way of {above[-1]!r}.")
        if name in order:
            return
        self._part(name)
        for other in self._imports[name]:
            self._add(other, order, (*above, name))
        order[name] = None

    def _part(self, name: str) -> str:
        if name not in self._parts:
            text = stripped(self.read(name))
            self._imports[name] = _imported(text)
            self._parts[name] = _as_part(name, text)
        return self._parts[name]


def stripped(text: str) -> str:
    """Return a script or a style sheet without lines of comment, indentation and empty lines.

    What a class keeps to itself gets a short name: nothing outside of it has that name.
    """
    text = SPACE.sub("", COMMENT.sub("", text))
    return _renamed(STYLES.sub(lambda one: tight(one[0]), text))


def _renamed(text: str) -> str:
    """Return a script with short private names; ids in its style sheets look like them and stay."""
    names = dict.fromkeys(re.findall(r"\.#(\w+)", text))
    short = {name: f"{number:x}" for number, name in enumerate(names)}
    return PRIVATE.sub(lambda one: f"#_{short[one[1]]}" if one[1] in short else one[0], text)


def tight(styles: str) -> str:
    """Return a style sheet without the spaces and lines around its signs."""
    return SIGNS.sub(r"\1\2", styles).replace(";}", "}")


def _imported(text: str) -> list[str]:
    return [one[2] for form in (IMPORT, EXPORT_FROM) for one in form.finditer(text)]


def _as_part(name: str, text: str) -> str:
    """Return a module as a constant: an object of its exports."""
    exported = [one[2] for one in EXPORT.finditer(text)]
    for form in (EXPORT_LIST, EXPORT_FROM):
        exported += [one for found in form.finditer(text) for one in _names(found[1])]
    body = EXPORT_FROM.sub(_destructured, IMPORT.sub(_destructured, text))
    body = EXPORT.sub(r"\1", EXPORT_LIST.sub("", body))
    _check(name, body)
    returned = f"return {{ {', '.join(exported)} }};"
    return f"const {_constant(name)} = (() => {{\n{body}\n{returned}\n}})();\n"


def _as_entry(text: str) -> str:
    """Return a module that takes its imports from the parts."""
    _check(
        "The entry", EXPORT.sub("", EXPORT_LIST.sub("", IMPORT.sub("", EXPORT_FROM.sub("", text))))
    )
    text = EXPORT_FROM.sub(lambda one: f"{_destructured(one)}\nexport {{{one[1]}}};", text)
    return IMPORT.sub(_destructured, text)


def _destructured(found: re.Match[str]) -> str:
    names = ", ".join(one.replace(" as ", ": ") for one in _names(found[1] or ""))
    return f"const {{ {names} }} = {_constant(found[2])};" if names else ""


def _names(text: str) -> list[str]:
    return [one.strip() for one in text.split(",") if one.strip()]


def _constant(name: str) -> str:
    return "$" + re.sub(r"\W", "_", name)


def _check(name: str, body: str) -> None:
    if found := UNKNOWN.search(body):
        raise UnknownSyntaxError(f"{name!r} has a form that is not known: {found[0]!r}")
