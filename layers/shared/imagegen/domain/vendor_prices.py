"""What vendors state of their own prices, and where that differs from the catalog.

Each day the vendors are asked what one image of each row costs. Nothing is made or billed for it.
Only what differs is kept, with the digest of what was asked for: after a correction of the catalog,
a row no longer differs.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, cast

from imagegen.domain.catalog import Catalog, Offering
from imagegen.domain.ports import ImageOrder
from imagegen.domain.pricing import price_microusd

DRIFT_PERCENT = 2
"""A price that differs by more than this many per cent of the catalog's has drifted."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What a vendor states of one row."""

    microusd: int | None = None
    """The price of one image; ``None`` if it states none."""
    is_served: bool = True
    """``False`` if it no longer takes the request: the model or a parameter is gone."""


class PriceSource(Protocol):
    """A provider whose vendor states prices."""

    def stated_prices(
        self, orders: Sequence[ImageOrder], *, timeout_seconds: float
    ) -> Sequence[Statement] | None:
        """Return what the vendor states of each order, in their order; nothing is made or billed.

        ``None`` if it states nothing of any.

        Raises:
            ProviderError: it could not be asked.
        """
        ...


def source_of(provider: object) -> PriceSource | None:
    """Return the provider as a source of prices, ``None`` if it states no prices."""
    has_prices = callable(getattr(provider, "stated_prices", None))
    return cast("PriceSource", provider) if has_prices else None


@dataclass(frozen=True, slots=True)
class Finding:
    """A statement that differs from the catalog, with the digest of what was asked for."""

    digest: str
    microusd: int | None
    """``None`` if the vendor no longer takes the request."""


@dataclass(frozen=True, slots=True)
class PriceCheck:
    """What the last check of a provider's prices found."""

    at_ms: int
    findings: Mapping[str, Finding] = field(default_factory=dict)
    """By row key; a row that is missing here does not differ, or nothing is stated of it."""


@dataclass(frozen=True, slots=True)
class Drift:
    """A row whose price is not the vendor's."""

    row: Offering
    microusd: int
    """The catalog's price of one image in the row's first size."""
    stated_microusd: int | None
    """The vendor's; ``None`` if it no longer takes the request."""


class PriceCheckStore(Protocol):
    """Where the results of the price checks are stored."""

    def save_prices(self, provider: str, price_check: PriceCheck) -> None:
        """Store a price check; the last one wins.

        Raises:
            StoreUnavailableError: it may or may not have been stored.
        """
        ...


def sample_order(row: Offering) -> ImageOrder:
    """Return the order of one image that a vendor is asked the price of: the row's first size."""
    option = row.sizes[0]
    prompt = "a" if row.max_prompt_characters else ""
    return ImageOrder(row.model, prompt, row.sent(option), *option.pixels, user="")


def findings(
    rows: Sequence[Offering], statements: Sequence[Statement]
) -> Iterator[tuple[str, Finding]]:
    """Yield the statements that differ from the catalog, by row key."""
    for row, stated in zip(rows, statements, strict=True):
        found = Finding(row.digest(row.sizes[0]), stated.microusd if stated.is_served else None)
        is_silent = stated.is_served and stated.microusd is None
        if not is_silent and _drift(row, found):
            yield row.key, found


def drifts(catalog: Catalog, price_checks: Mapping[str, PriceCheck]) -> dict[str, Drift]:
    """Return the rows of the catalog that differ from what their vendors stated, by row key."""
    found = (
        (key, drift)
        for check in price_checks.values()
        for key, finding in check.findings.items()
        if (row := catalog.by_key.get(key)) and (drift := _drift(row, finding))
    )
    return dict(found)


def _drift(row: Offering, finding: Finding) -> Drift | None:
    """Return the difference, ``None`` if there is none or the row has changed since."""
    option = row.sizes[0]
    price, stated = price_microusd(row, option), finding.microusd
    if price is None or finding.digest != row.digest(option):
        return None
    if stated is not None and abs(stated - price) * 100 <= price * DRIFT_PERCENT:
        return None
    return Drift(row, price, stated)
