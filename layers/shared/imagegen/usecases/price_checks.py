"""The price check: once a day, each vendor's own statement of what the catalog's rows cost.

It costs nothing: a dry run or a list of models. A price that a vendor does not state is not
reported as a difference. If a provider cannot be asked, its earlier findings are kept.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from imagegen.domain.call_errors import ProviderError
from imagegen.domain.catalog import Catalog
from imagegen.domain.days import today
from imagegen.domain.errors import StoreUnavailableError
from imagegen.domain.ports import ImageProvider
from imagegen.domain.vendor_prices import (
    Drift,
    PriceCheck,
    PriceCheckStore,
    PriceSource,
    drifts,
    findings,
    sample_order,
    source_of,
)
from imagegen.usecases.availability import ProviderSetup
from imagegen.usecases.key_checks import ROUND_SECONDS, in_service, offered_rows

CHECKED, SILENT = "checked", "states_none"


@dataclass(frozen=True, slots=True)
class PriceCheckResults:
    """What one check of the prices found."""

    outcomes: Mapping[str, str]
    """By provider: ``checked``, ``states_none``, or the ``Outcome`` of a call that failed."""
    drifts: tuple[Drift, ...]


@dataclass(frozen=True, slots=True)
class PriceChecker:
    """Compares the catalog's prices with what the vendors state, at no cost."""

    catalog: Catalog
    setups: Callable[[], Mapping[str, ProviderSetup]]
    provider: Callable[[str], ImageProvider]
    store: PriceCheckStore
    now_ms: Callable[[], int]

    def check(self) -> PriceCheckResults:
        """Ask every vendor that states prices; return the results, which are also stored.

        An unreachable store raises no error: the next check finds the same.
        """
        sources = self._sources()
        outcomes: dict[str, str] = {}
        checks: dict[str, PriceCheck] = {}
        for name, source in sources.items():
            try:
                found = self._ask(name, source, ROUND_SECONDS / len(sources))
            except ProviderError as error:
                outcomes[name] = error.outcome
                continue
            outcomes[name] = SILENT if found is None else CHECKED
            if found is not None:
                checks[name] = found
                self._save(name, found)
        return PriceCheckResults(outcomes, tuple(drifts(self.catalog, checks).values()))

    def _sources(self) -> dict[str, PriceSource]:
        names = in_service(self.catalog, self.setups())
        named = ((name, source_of(self.provider(name))) for name in names)
        return {name: source for name, source in named if source is not None}

    def _ask(self, name: str, source: PriceSource, timeout_seconds: float) -> PriceCheck | None:
        rows = offered_rows(self.catalog, name, today(self.now_ms()))
        orders = [sample_order(row) for row in rows]
        stated = source.stated_prices(orders, timeout_seconds=timeout_seconds)
        if stated is None:
            return None
        return PriceCheck(self.now_ms(), dict(findings(rows, stated)))

    def _save(self, name: str, found: PriceCheck) -> None:
        try:
            self.store.save_prices(name, found)
        except StoreUnavailableError:
            return  # The next check finds the same.
