"""The list of models: the catalog with the prices and the availability of now."""

from collections.abc import Callable
from dataclasses import dataclass

from imagegen.domain.catalog import Catalog, Offering
from imagegen.domain.days import today
from imagegen.domain.pricing import price_microusd
from imagegen.domain.selection import Availability
from imagegen.usecases.availability import Switchboard
from imagegen.wire.reports import Models, OfferedModel, OfferedSize, RetiredModel


@dataclass(frozen=True, slots=True)
class ModelLister:
    """Lists the models, each with its prices and whether it can be called."""

    catalog: Catalog
    switchboard: Switchboard
    now_ms: Callable[[], int]

    def models(self) -> Models:
        """Return every row of the catalog, and the models that were shut down."""
        states = self.switchboard.availability_on(today(self.now_ms()))
        return Models(
            models=tuple(self._model(row, states[row.key]) for row in self.catalog.models),
            retired=tuple(
                RetiredModel(
                    provider=row.provider,
                    model=row.model,
                    shutdown_on=row.shutdown_on.isoformat(),
                    replaced_by=row.replaced_by,
                )
                for row in self.catalog.retired
            ),
        )

    def _model(self, row: Offering, state: Availability) -> OfferedModel:
        return OfferedModel(
            key=row.key,
            provider=row.provider,
            model=row.model,
            quality=row.tier,
            fallback_priority=row.fallback_priority,
            sizes=tuple(
                OfferedSize(size=option.size, shape=option.shape, price=price)
                for option in row.sizes
                if (price := price_microusd(row, option)) is not None
            ),
            max_prompt_characters=row.max_prompt_characters,
            typical_seconds=row.typical_seconds,
            available=state.reason is None,
            reason=state.reason,
            shutdown_on=row.shutdown_on.isoformat() if row.shutdown_on else None,
        )
