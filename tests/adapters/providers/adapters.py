"""The real adapters, pointed at a server on loopback."""

from dataclasses import replace
from typing import Any

from imagegen.domain.call_errors import ProviderError
from imagegen.domain.ports import ImageOrder, ImageProvider
from imagegen.providers import PROVIDERS, build_provider
from tests.adapters.providers.loopback import Loopback
from tests.fakes.catalogs import real_catalog
from tests.vendors import credential, vendor_path

KEY = "sk-CANARY-KEY-0123456789"
PROMPT = "CANARY-PROMPT: a lighthouse in the fog"
PATHS = {name: vendor_path(name) for name in PROVIDERS}


def build_adapter(name: str, server: Loopback, *, key: str = KEY) -> ImageProvider:
    """Return the adapter that is shipped; it does not sleep between polls and downloads."""
    base_url = server.origin + PATHS[name]
    provider: Any = build_provider(name, credential=credential(name, key), base_url=base_url)
    provider = replace(provider, downloader=replace(provider.downloader, sleep=no_pause))
    if hasattr(provider, "sleep"):
        provider = replace(provider, sleep=no_pause)
    awake: ImageProvider = provider
    return awake


def no_pause(_seconds: float) -> None:
    """Do not sleep."""


def order_for(name: str) -> ImageOrder:
    """Return an order of the provider's first model in the catalog, square."""
    row = next(row for row in real_catalog().models if row.provider == name)
    option = row.option("square")
    assert option is not None
    return ImageOrder(row.model, PROMPT, row.sent(option), *option.pixels, "user-1")


def texts_of(error: ProviderError) -> str:
    """Return everything that a log could show of the error, causes included."""
    shown = [str(error), repr(error), repr(vars(error)), repr(error.args)]
    shown += [repr(chained) for chained in (error.__cause__, error.__context__) if chained]
    return "\n".join(shown)
