"""Reads the project's catalog for the simulator: the models and their prices."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from functools import cache
from pathlib import Path
from typing import Any

CATALOG_PATH = Path(__file__).parents[2] / "provider_catalog.json"
MICROUSD_PER_USD = 1_000_000


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the catalog."""

    provider: str
    model: str
    params: Mapping[str, Any]
    price: Mapping[str, Any]
    billed_megapixels: Mapping[str, Decimal]
    """By size, for sizes whose billed megapixels differ from their area."""
    typical_seconds: float
    shutdown_on: str | None
    tier: str = "standard"

    def price_microusd(self, width: int, height: int) -> int | None:
        """Return the price of one image in micro-dollars, ``None`` for a size without a price."""
        size = f"{width}x{height}"
        if self.price["rule"] == "perImage":
            usd = self.price["usd"].get(size)
            return None if usd is None else microusd(Decimal(usd))
        area = Decimal(width * height) / 1_000_000
        if self.price["rule"] == "perStartedBlock":
            blocks = (area / Decimal(self.price["megapixels"])).to_integral_value(ROUND_CEILING)
            return microusd(Decimal(self.price["usd"]) * blocks)
        per_run = Decimal(self.price.get("usdPerRun", "0"))
        megapixels = self.billed_megapixels.get(size, area)
        return microusd(per_run + Decimal(self.price["usd"]) * megapixels)


@dataclass(frozen=True, slots=True)
class Catalog:
    """All rows and all retired models."""

    rows: tuple[Row, ...]
    retired: Mapping[tuple[str, str], str]
    """Shutdown date by provider and model."""

    def models(self, provider: str) -> dict[str, Row]:
        """Return one row of each model that a provider serves."""
        return {row.model: row for row in self.rows if row.provider == provider}

    def row(self, provider: str, model: str, quality: str | None = None) -> Row | None:
        """Return the row of a model; at ``quality`` if the model's price depends on it."""
        fitting = (row for row in self.rows if (row.provider, row.model) == (provider, model))
        return next((row for row in fitting if row.params.get("quality") == quality), None)


def microusd(usd: Decimal) -> int:
    """Return dollars as whole micro-dollars, rounded up as the service does."""
    return int((usd * MICROUSD_PER_USD).to_integral_value(ROUND_CEILING))


@cache
def load_catalog() -> Catalog:
    """Return the repository's catalog."""
    data = json.loads(CATALOG_PATH.read_text())
    retired = {(old["provider"], old["model"]): old["shutdownOn"] for old in data["retired"]}
    return Catalog(tuple(row_from(entry) for entry in data["models"]), retired)


def row_from(entry: Mapping[str, Any]) -> Row:
    """Return one entry of the file as a row."""
    billed = {
        size["size"]: Decimal(size["billedMegapixels"])
        for size in entry["sizes"]
        if "billedMegapixels" in size
    }
    return Row(
        entry["provider"],
        entry["model"],
        entry["params"],
        entry["price"],
        billed,
        entry["typicalSeconds"],
        entry["shutdownOn"],
        entry["tier"],
    )
