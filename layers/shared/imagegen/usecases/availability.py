"""Which models can be called now, by keys, flags and circuits; and the list of all of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from imagegen.domain.candidates import Availability, Reason
from imagegen.domain.catalog import Catalog, Offering
from imagegen.domain.days import today
from imagegen.domain.pricing import most_for_input_microusd, price_microusd
from imagegen.domain.vendor_prices import Drift, drifts
from imagegen.guard import Guard, model_circuit
from imagegen.wire.model_list import (
    Models,
    OfferedInputs,
    OfferedModel,
    OfferedPreviews,
    OfferedSize,
    RetiredModel,
)


@dataclass(frozen=True, slots=True)
class ProviderSetup:
    """What the operator has set for a provider."""

    has_key: bool
    """Or another credential: a role."""
    enabled: bool
    advice: str = ""
    """What to do when the credential is refused."""
    route_advice: str = ""
    """What to do when the provider does not have the routes that are called."""


@dataclass(frozen=True, slots=True)
class Switchboard:
    """Combines what the operator has set with the state of the circuits."""

    catalog: Catalog
    setups: Callable[[], Mapping[str, ProviderSetup]]
    guard: Guard
    requires_marks: bool = False
    """Whether only models are offered whose files have a mark of origin."""
    closes_on_drift: bool = False
    """Whether a row is left out while its vendor states another price than the catalog."""

    def current_setups(self) -> dict[str, ProviderSetup]:
        """Return each provider's setup; what an operator has switched off is not enabled."""
        switched_off = self.guard.fleet().switched_off()
        return {
            name: replace(setup, enabled=False) if name in switched_off else setup
            for name, setup in self.setups().items()
        }

    def availability(self, user: str = "") -> dict[str, Availability]:
        """Return whether each row of the catalog can be called for the user now, by row key.

        The first reason against it is reported: no mark of origin although one is required, no key,
        switched off, a price that its vendor does not confirm, then a circuit that lets no call of
        this user through.
        """
        setups, blocked = self.current_setups(), self.guard.blocked_until_ms(user)
        unmarked, drifted = Availability(Reason.MARKS), self._drifted()
        return {
            row.key: unmarked
            if self.requires_marks and not row.marks
            else _state(row, setups.get(row.provider), drifted, blocked)
            for row in self.catalog.models
        }

    def _drifted(self) -> Mapping[str, Drift]:
        """Return the rows that are left out for their prices; none if they cannot be read."""
        if not self.closes_on_drift:
            return {}
        return drifts(self.catalog, self.guard.fleet().price_checks)

    def availability_on(self, day: date) -> dict[str, Availability]:
        """Return the same with the rows that are shut down on a day: that reason comes first."""
        states = self.availability()
        retired = Availability(Reason.RETIRED)
        gone = {row.key: retired for row in self.catalog.models if row.is_retired(day)}
        return states | gone


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
            operation=row.operation,
            quality=row.tier,
            fallback_priority=row.fallback_priority,
            sizes=tuple(
                OfferedSize(size=option.size, shape=option.shape, price=price)
                for option in row.sizes
                if (price := price_microusd(row, option)) is not None
            ),
            scales=_scales(row),
            inputs=_inputs(row),
            transparent=row.transparent is not None,
            seed=row.seed is not None,
            previews=(
                OfferedPreviews(most=row.previews.most, price=row.previews.usd)
                if row.previews
                else None
            ),
            max_prompt_characters=row.max_prompt_characters,
            typical_seconds=row.typical_seconds,
            available=state.reason is None,
            reason=state.reason,
            shutdown_on=row.shutdown_on.isoformat() if row.shutdown_on else None,
        )


def _scales(row: Offering) -> tuple[int, ...]:
    return tuple(map(int, row.enlarges.scales)) if row.enlarges else ()


def _inputs(row: Offering) -> OfferedInputs | None:
    if row.inputs is None:
        return None
    return OfferedInputs(
        most=row.inputs.most,
        price=most_for_input_microusd(row),
        mask=row.inputs.mask is not None,
        needs=row.inputs.needs,
    )


def _state(
    row: Offering,
    setup: ProviderSetup | None,
    drifted: Mapping[str, Drift],
    blocked: Mapping[str, int],
) -> Availability:
    if setup is None or not setup.has_key:
        return _NO_KEY
    if not setup.enabled:
        return _DISABLED
    if row.key in drifted:
        return _DRIFTED
    if not blocked:
        return _AVAILABLE
    names = (row.provider, model_circuit(row.provider, row.model))
    until_ms = next((blocked[name] for name in names if name in blocked), None)
    return _AVAILABLE if until_ms is None else Availability(Reason.CIRCUIT, until_ms)


_AVAILABLE = Availability()
_NO_KEY = Availability(Reason.NO_KEY)
_DISABLED = Availability(Reason.DISABLED)
_DRIFTED = Availability(Reason.PRICE)
