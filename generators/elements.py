"""Writes ``providers.js`` beside the elements: their package has as a file what the page makes."""

from imagegen.site.files import providers_script
from local.paths import ROOT


def main() -> None:
    """Write the file from the registry of providers."""
    (ROOT / "functions" / "page" / "static" / "providers.js").write_bytes(providers_script())


if __name__ == "__main__":
    main()
