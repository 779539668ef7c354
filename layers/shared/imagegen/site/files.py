"""The page's files as they are sent: scripts joined, compressed, named by what they contain."""

import gzip
import hashlib
import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from imagegen.providers import registry
from imagegen.site.bundles import Bundler, stripped

MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".ts": "text/plain; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}
ENTRIES = (
    "page.js",
    "elements.js",
    "sign-in.js",
    "picture-acts.js",
    "settings.js",
    "pictures.js",
    "usage-view.js",
    "developer.js",
    "chats.js",
    "mask-dialog.js",
    "llm-dialog.js",
    "upload.js",
    "frameworks.js",
    "admin.js",
)
"""The scripts that a page asks for. Each is sent with what it imports, without its comments."""
STYLES = ("page.css", "admin.css")
PAGES = {"/": "index.html", "/admin": "admin.html"}
"""The pages by their address: one for everybody, one for operators."""
NAMED_BY_CONTENT = ("page.js", "admin.js", *STYLES, "icon.svg")
"""Files of the page that a browser keeps: their addresses have a digest of what they contain."""


@dataclass(frozen=True, slots=True)
class File:
    """One file, plain and compressed."""

    media_type: str
    content: bytes
    zipped: bytes = field(repr=False)
    tag: str
    is_kept: bool = False
    """Whether a browser keeps it without asking again: its address belongs to these bytes alone."""

    @classmethod
    def of(cls, name: str, content: bytes) -> Self:
        """Return a file as it is sent; its name's ending decides its media type."""
        media_type = MEDIA_TYPES[Path(name).suffix]
        # Without a time in the file, the bytes are the same at every start.
        zipped = gzip.compress(content, mtime=0)
        tag = hashlib.sha256(content).hexdigest()[:32]
        return cls(media_type, content, zipped, tag)


def read_files(folder: Path) -> dict[str, File]:
    """Return the files of a folder by their path, and the pages by their address.

    Raises:
        KeyError: ``MEDIA_TYPES`` does not have a file's ending.
    """
    texts = {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}
    texts["providers.js"] = providers_script()

    def read(name: str) -> str:
        return texts[name].decode()

    bundler = Bundler(read)
    joined = {name: bundler.bundled(name).encode() for name in ENTRIES}
    styles = {name: stripped(read(name)).encode() for name in STYLES}
    sent = {**texts, **joined, **styles}
    files = {f"/{name}": File.of(name, content) for name, content in sent.items()}
    pages = {name: read(name) for name in PAGES.values()}
    for name in NAMED_BY_CONTENT:
        path = Path(name)
        address = f"{path.stem}.{files[f'/{name}'].tag[:12]}{path.suffix}"
        files[f"/{address}"] = replace(files[f"/{name}"], is_kept=True)
        pages = {one: text.replace(f'"{name}"', f'"{address}"') for one, text in pages.items()}
    files |= {f"/{name}": File.of(name, text.encode()) for name, text in pages.items()}
    return files | {address: files[f"/{name}"] for address, name in PAGES.items()}


def providers_script() -> bytes:
    """Return ``providers.js``: how the elements name and colour each provider.

    A module, not a part of ``config.json``: an element has its names before it asks for anything.
    """
    shown = {
        name: {"title": about.title, "colour": about.colour} for name, about in registry().items()
    }
    return f"export const PROVIDERS = {json.dumps(shown, indent=1)};\n".encode()
