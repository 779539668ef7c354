"""Catalogs: the real one, and small ones made for a rule."""

from functools import cache
from pathlib import Path
from typing import Any

from imagegen.domain.catalog import Catalog, Tier, parse_catalog

ROOT = Path(__file__).resolve().parents[2]
SQUARE = {"size": "1024x1024", "shape": "square", "params": {"size": "1024x1024"}}
SOURCE = "https://example.com/prices"


@cache
def real_catalog() -> Catalog:
    """Return the catalog that is shipped."""
    return parse_catalog((ROOT / "provider_catalog.json").read_text())


def tier_of(provider: str) -> Tier:
    """Return a tier in which a provider draws from words alone: ``high`` if it has one there."""
    rows = (one for one in real_catalog().models if one.provider == provider)
    tiers = [one.tier for one in rows if not one.needs_input]
    return Tier.HIGH if Tier.HIGH in tiers else tiers[0]


def row(key: str, *, priority: int, usd: str = "0.05", **changes: Any) -> dict[str, Any]:
    """Return a row of a catalog; its provider is the key's first word."""
    return {
        "key": key,
        "provider": key.split("-", maxsplit=1)[0],
        "model": f"{key}-model",
        "tier": "standard",
        "fallbackPriority": priority,
        "params": {"steps": 4},
        "price": {"rule": "perImage", "usd": {"1024x1024": usd}},
        "sizes": [SQUARE],
        "maxPromptCharacters": 4000,
        "typicalSeconds": 10,
        "slowSeconds": 60,
        "source": SOURCE,
        "checkedOn": "2026-11-01",
    } | changes


def catalog(*rows: dict[str, Any], retired: tuple[dict[str, Any], ...] = ()) -> Catalog:
    """Return a catalog of these rows."""
    return Catalog.model_validate(
        {"schemaVersion": 1, "currency": "USD", "models": rows, "retired": retired}
    )


def three_providers() -> Catalog:
    """Return a catalog with one tier of three models: $0.05, $0.06 and $0.07."""
    return catalog(
        row("alpha-standard", priority=1, usd="0.05"),
        row("beta-standard", priority=2, usd="0.06"),
        row("gamma-standard", priority=3, usd="0.07"),
    )
