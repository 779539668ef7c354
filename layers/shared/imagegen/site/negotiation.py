"""What a browser's headers say of a file: whether it may be compressed, and is held already."""


def accepts_gzip(accepted: str) -> bool:
    """Return whether an Accept-Encoding header accepts gzip (RFC 9110, 12.5.3)."""
    for one in accepted.lower().split(","):
        coding, _, weight = one.partition(";")
        if coding.strip() in ("gzip", "*"):
            return weight.strip().removeprefix("q=").strip("0.") != "" if weight else True
    return False


def etag_matches(tag: str, held: str) -> bool:
    """Return whether an If-None-Match header has a tag, compared weakly (RFC 9110, 13.1.2)."""
    tags = {one.strip().removeprefix("W/") for one in held.split(",")}
    return tag in tags or "*" in tags
