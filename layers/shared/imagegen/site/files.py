"""The page's files as they are sent: scripts joined, compressed, named by what they contain."""

import gzip
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from imagegen.providers import registry
from imagegen.site.bundles import Bundler, stripped, tight
from imagegen.site.words import LANGUAGES, read_words, worded

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
    "later.js",
    "client-run.js",
    "picture-acts.js",
    "settings.js",
    "pictures.js",
    "usage-view.js",
    "developer.js",
    "chats.js",
    "compare.js",
    "markdown.js",
    "message-acts.js",
    "mask-dialog.js",
    "llm-dialog.js",
    "upload.js",
    "frameworks.js",
    "admin.js",
)
"""The scripts that a page asks for. Each is sent with what it imports, without its comments."""
WORDS = tuple(
    f"{part}-{language}.js" for part in ("elements", "page") for language in LANGUAGES[1:]
)
"""The words in other languages, in a file each; English is a part of the scripts."""
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
        return cls(media_type, content, zipped, _digest(content))


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
    words = {name: bundler.bundled(name).encode() for name in WORDS}
    named = {name: _address(name, content) for name, content in words.items()}
    joined = {name: _renamed(bundler.bundled(name), named).encode() for name in ENTRIES}
    styles = {name: tight(stripped(read(name))).encode() for name in STYLES}
    sent = {**texts, **words, **joined, **styles}
    named |= {name: _address(name, sent[name]) for name in NAMED_BY_CONTENT}
    files = {f"/{name}": File.of(name, content) for name, content in sent.items()}
    files |= {f"/{named[name]}": replace(files[f"/{name}"], is_kept=True) for name in named}
    files |= _pages(read, named)
    return files | {address: files[f"/{name}"] for address, name in PAGES.items()}


def in_language(path: str, language: str) -> str:
    """Return where a page is in a language: no request has a path with this sign."""
    return path if language == LANGUAGES[0] else f"{path}#{language}"


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:32]


def _address(name: str, content: bytes) -> str:
    """Return a file's name with a digest of what it contains."""
    return f"{Path(name).stem}.{_digest(content)[:12]}{Path(name).suffix}"


def _renamed(text: str, named: Mapping[str, str]) -> str:
    for name, address in named.items():
        text = text.replace(f'"./{name}"', f'"./{address}"')
    return text


def _pages(read: Callable[[str], str], named: Mapping[str, str]) -> dict[str, File]:
    """Return the pages in each language that they have words in, the first one by their names."""
    found = {}
    for name in PAGES.values():
        page = read(name)
        for one, address in named.items():
            page = page.replace(f'"{one}"', f'"{address}"')
        for language in LANGUAGES if "data-t" in page else LANGUAGES[:1]:
            text = worded(page, read_words(read(f"page-{language}.js")), language)
            # The words come together with the script that needs them.
            if preloaded := named.get(f"page-{language}.js"):
                link = f'<link rel="modulepreload" href="{preloaded}">'
                text = text.replace("</head>", f"{link}\n</head>")
            found[in_language(f"/{name}", language)] = File.of(name, text.encode())
    return found


def providers_script() -> bytes:
    """Return ``providers.js``: how the elements name and colour each provider.

    A module, not a part of ``config.json``: an element has its names before it asks for anything.
    """
    shown = {
        name: {"title": about.title, "colour": about.colour} for name, about in registry().items()
    }
    return f"export const PROVIDERS = {json.dumps(shown, indent=1)};\n".encode()
