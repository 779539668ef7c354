"""Writes the view of an offer for MCP Apps as one file: such a view loads nothing but pictures."""

import re
from functools import cache
from pathlib import Path
from typing import Final

from imagegen.site.bundles import Bundler
from imagegen.site.files import providers_script
from local.paths import ROOT

HERE: Final = Path(__file__).parent
STATIC: Final = ROOT / "functions" / "page" / "static"
WRITTEN: Final = ROOT / "layers" / "shared" / "imagegen" / "mcp" / "offer.html"
PLACE: Final = "/* script */\n"
LATER: Final = re.compile(r'import\("\./([\w-]+)\.js"\)')
INSIDE: Final = frozenset({"picture_acts", "later", "client_run"})
"""What the element loads later and the view has with it; it has no use for the rest."""


def main() -> None:
    """Write the file."""
    WRITTEN.write_text(view())


@cache
def view() -> str:
    """Return the view: the page's image element and the view's own script, in one HTML file.

    Raises:
        UnknownSyntaxError: a module is not written as the bundler reads them.
    """
    script = LATER.sub(_inside, Bundler(_read).bundled("view.js"))
    # A script ends at the first end tag, wherever it stands.
    return (HERE / "view.html").read_text().replace(PLACE, script.replace("</", "<\\/"))


def _read(name: str) -> str:
    if name == "providers.js":
        return providers_script().decode()
    folder = HERE if name == "view.js" else STATIC
    return (folder / name).read_text()


def _inside(found: re.Match[str]) -> str:
    name = found[1].replace("-", "_")
    return f"Promise.resolve(${name}_js)" if name in INSIDE else "Promise.reject(new Error())"
