"""Joins the page's modules, so that a visitor asks for one script and not for each of its parts.

Only the module syntax that these files have is known: named imports of files beside them, and named
exports. The parts stand one behind the other; where two have the same name, one becomes a function.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Self

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
KEY = re.compile(r'^"([A-Za-z_]\w*)": ', re.MULTILINE)
"""A name in an object that is written as JSON, as the words are."""
DECLARED = re.compile(
    r"^(?:export )?(?:const|let|class|(?:async )?function\*?) (?:([\w$]+)|[{\[]([^=]*)[}\]] =)",
    re.MULTILINE,
)
WINDOW = frozenset(
    re.findall(
        r"\w+",
        "close closed document event external find focus frames history length location name "
        "navigator open opener origin parent performance print prompt screen scroll self status "
        "stop top",
    )
)
"""Names of the browser's own that a module might use for something else."""
TEXT = r'"(?:[^"\\\n]|\\.)*+"|\'(?:[^\'\\\n]|\\.)*+\''
PLAIN = r"`(?:[^`\\]|\\.)*+`"


def _nested(inner: str) -> str:
    """Return what finds a template whose values may have templates in them."""
    value = r"\$\{(?:[^`{}]|\{[^{}]*+\}|" + inner + r")*+\}"
    return r"`(?:[^`\\$]|\\.|\$(?!\{)|" + value + r")*+`"


TEMPLATE = _nested(_nested(_nested(PLAIN)))
# A slash that divides has a space behind it, as the formatter writes it.
EXPRESSION = r"/(?![ /*=])(?:\[(?:[^\]\\\n]|\\.)*+\]|[^/\[\\\n]|\\.)++/[a-z]*+"
REMARK = r" ?//[^\n]*+| ?/\*(?:[^*]|\*(?!/))*+\*/"
SIGN = r"[ \n]?([=!<>?:&|,;{}()\[\]*%]++)(?:[ ]|\n(?!export ))?"
OPERATOR = r"(?<=[\w)\]\"'`]) ([-+/]) (?=[\w(\[\"'`$])"
TOKENS = re.compile(f"({TEXT}|{TEMPLATE}|{EXPRESSION})|{REMARK}|{SIGN}|{OPERATOR}", re.DOTALL)


class UnknownSyntaxError(ValueError):
    """A module imports or exports in a form that is not known here."""


@dataclass(frozen=True, slots=True)
class Module:
    """A module's text, and which names it takes, declares and gives."""

    text: str
    sources: tuple[str, ...]
    """The modules that it imports, also those of which it takes no name."""
    taken: Mapping[str, tuple[str, str]]
    """By the name that it has here: the module, and the name there."""
    declared: frozenset[str]
    given: tuple[str, ...]
    has_others: bool
    """Whether it gives names of other modules."""

    @classmethod
    def of(cls, script: str) -> Self:
        """Return a module with what its lines of import and export say."""
        text = KEY.sub(r"\1: ", stripped(script))
        found = [one for form in (IMPORT, EXPORT_FROM) for one in form.finditer(text)]
        taken = {}
        for one in found:
            for name in _names(one[1] or ""):
                there, _, here = name.partition(" as ")
                taken[here or there] = (one[2], there)
        given = [one[2] for one in EXPORT.finditer(text)]
        lists = [one for form in (EXPORT_LIST, EXPORT_FROM) for one in form.finditer(text)]
        given += [name for one in lists for name in _names(one[1])]
        sources = tuple(dict.fromkeys(one[2] for one in found))
        listed = [first or others for first, others in DECLARED.findall(script)]
        declared = [name for one in listed for name in re.findall(r"[\w$]+", one)]
        others = EXPORT_FROM.search(text) is not None
        return cls(text, sources, taken, frozenset(declared), tuple(given), others)

    def body(self, name: str) -> str:
        """Return its text without imports and exports.

        Raises:
            UnknownSyntaxError: one of them has a form that is not known.
        """
        text = EXPORT_LIST.sub("", EXPORT_FROM.sub("", IMPORT.sub("", self.text)))
        text = EXPORT.sub(r"\1", text)
        if found := UNKNOWN.search(text):
            raise UnknownSyntaxError(f"{name!r} has a form that is not known: {found[0]!r}")
        return text


@dataclass(frozen=True, slots=True)
class Bundler:
    """Joins modules; each of them is read once."""

    read: Callable[[str], str]
    """Returns the text of a file by its name."""
    _modules: dict[str, Module] = field(default_factory=dict)
    _bodies: dict[str, str] = field(default_factory=dict)

    def bundled(self, entry: str) -> str:
        """Return a module and everything that it imports as one module with the same exports.

        What is loaded later, by ``import()``, stays a file of its own.

        Raises:
            UnknownSyntaxError: a module is not written as these are, or they import each other.
        """
        order: dict[str, None] = {}
        self._add(entry, order, ())
        modules = {name: self._module(name) for name in order}
        joined = Joined(entry, modules)
        parts = [joined.added(name, self._body(name)) for name in order]
        names = ",".join(dict.fromkeys(modules[entry].given))
        return "".join((*parts, f"\nexport{{{names}}};\n" if names else ""))

    def _add(self, name: str, order: dict[str, None], above: tuple[str, ...]) -> None:
        """Put a module into the order, behind the modules that it imports."""
        if name in above:
            raise UnknownSyntaxError(f"{name!r} imports itself by way of {above[-1]!r}.")
        if name in order:
            return
        for other in self._module(name).sources:
            self._add(other, order, (*above, name))
        order[name] = None

    def _module(self, name: str) -> Module:
        if name not in self._modules:
            self._modules[name] = Module.of(self.read(name))
        return self._modules[name]

    def _body(self, name: str) -> str:
        if name not in self._bodies:
            self._bodies[name] = closed(self._module(name).body(name))
        return self._bodies[name]


@dataclass(slots=True)
class Joined:
    """The names of a bundle: of most modules as they are, of the others as parts of an object.

    A module becomes a function with an object of its exports where a name of its own would be
    another one's, or one of the browser's.
    """

    entry: str
    modules: Mapping[str, Module]
    scope: dict[str, tuple[str, str]] = field(default_factory=dict)
    """The names beside the entry's, and where each is from: they are not another's."""
    bound: set[str] = field(default_factory=set)
    objects: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        first = self.modules[self.entry]
        self.scope = {**{name: (self.entry, name) for name in first.declared}, **first.taken}
        for module in self.modules.values():
            named = {source for source, _ in module.taken.values()}
            self.objects |= {one for one in module.sources if one not in named}
            self.objects |= {one for here, (one, there) in module.taken.items() if here != there}

    def added(self, name: str, body: str) -> str:
        """Return a module as it stands in the bundle."""
        module = self.modules[name]
        if name != self.entry and (name in self.objects or not self._fits(name, module)):
            self.objects.add(name)
            taken = self._lines(module, set())
            given = ",".join(module.given)
            return f"const {_constant(name)}=(()=>{{{taken}{body}return{{{given}}};}})();"
        taken = self._lines(module, self.bound)
        own = {one: (name, one) for one in module.declared}
        self.scope |= {**own, **module.taken}
        self.bound |= {*own, *module.taken}
        return taken + body

    def _fits(self, name: str, module: Module) -> bool:
        """Return whether its names may stand beside those that are there."""
        names = {**{one: (name, one) for one in module.declared}, **module.taken}
        is_new = all(self.scope.get(one, origin) == origin for one, origin in names.items())
        return is_new and not module.has_others and not names.keys() & WINDOW

    def _lines(self, module: Module, bound: Collection[str]) -> str:
        """Return what takes the names of objects; all others are there by themselves."""
        lines = []
        for source in module.sources:
            names = [
                here if here == there else f"{there}:{here}"
                for here, (one, there) in module.taken.items()
                if one == source and one in self.objects and here not in bound
            ]
            lines += [f"const{{{','.join(names)}}}={_constant(source)};"] if names else []
        return "".join(lines)


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


def closed(script: str) -> str:
    """Return a script without the spaces and lines around its signs, and without comments.

    Each statement has to end with a semicolon. Texts, templates and regular expressions stay.
    """
    return TOKENS.sub(lambda one: one[1] or one[2] or one[3] or "", script)


def _names(text: str) -> list[str]:
    return [one.strip() for one in text.split(",") if one.strip()]


def _constant(name: str) -> str:
    return "$" + re.sub(r"\W", "_", name)
