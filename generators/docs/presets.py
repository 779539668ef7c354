"""The table of the kinds of server that an instance may be, from the adapter's own table."""

from collections.abc import Iterator

from generators.docs.blocks import code, table
from imagegen.providers.presets import PRESETS, Preset, SizeWords

SIZES = {
    SizeWords.PIXELS: "`size`: `1024x1024`",
    SizeWords.RATIO: "`aspect_ratio` and `resolution`",
}
HEAD = ("preset", "server", "base URL", "key", "free key check", "a size is sent as", "always sent")


def made() -> dict[str, str]:
    """Return the part of docs/own-servers.md by name."""
    rows = ((code(name), *_row(one)) for name, one in PRESETS.items())
    return {"presets": table(HEAD, rows)}


def _row(preset: Preset) -> Iterator[str]:
    bills = "; **bills refusals**" if preset.bills_refusals else ""
    yield f"[{preset.title}]({preset.source}){bills}"
    yield code(preset.base_url) if preset.base_url else "yours"
    header = "bearer" if preset.key_header == "authorization" else code(preset.key_header)
    yield header if preset.needs_key else f"{header}, if it has one"
    yield code(f"GET {preset.key_path}") if preset.key_path else "none is known"
    yield SIZES[preset.size_words]
    yield ", ".join(code(name) for name in preset.fixed) or "nothing"
