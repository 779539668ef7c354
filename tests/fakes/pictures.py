"""Real images of the three formats, a few hundred bytes each, and one of each size."""

from functools import cache
from io import BytesIO

from PIL import Image

WIDTH, HEIGHT = 24, 16


def picture(
    kind: str = "PNG",
    *,
    size: tuple[int, int] = (WIDTH, HEIGHT),
    alpha: bool = False,
    **save: object,
) -> bytes:
    """Return an image as Pillow writes it."""
    pixels = bytes((x * 7 + y * 13) % 256 for y in range(size[1]) for x in range(size[0]))
    image = Image.frombytes("L", size, pixels).convert("RGBA" if alpha else "RGB")
    out = BytesIO()
    image.save(out, kind, **save)
    return out.getvalue()


@cache
def png(size: tuple[int, int] = (1024, 1024)) -> bytes:
    """Return a PNG of a size that is sold, a few hundred bytes long: black and white bars."""
    out = BytesIO()
    bar = Image.new("1", (size[0], size[1]))
    bar.paste(1, (size[0] // 2, 0, *size))
    bar.save(out, "PNG")
    return out.getvalue()


def clear_png(size: tuple[int, int] = (1024, 1024)) -> bytes:
    """Return a PNG whose left half is transparent."""
    out = BytesIO()
    image = Image.new("LA", size, (90, 255))
    image.paste((0, 0), (0, 0, size[0] // 2, size[1]))
    image.save(out, "PNG")
    return out.getvalue()


def exif() -> bytes:
    """Return EXIF data with one entry."""
    data = Image.Exif()
    data[0x010E] = "a description"
    return data.tobytes()


def cutout(kind: str = "PNG", **save: object) -> bytes:
    """Return an image whose left half is transparent, with one column of half alpha."""
    image = Image.open(BytesIO(picture("PNG", alpha=True)))
    image.paste((9, 9, 9, 0), (0, 0, WIDTH // 2, HEIGHT))
    image.paste((9, 9, 9, 128), (WIDTH // 2, 0, WIDTH // 2 + 1, HEIGHT))
    out = BytesIO()
    image.save(out, kind, **save)
    return out.getvalue()
