"""Which providers would be used now: one read of the state that all instances share, or none.

There is no read while the guard's cached copy is fresh.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from imagegen.domain import breaker
from imagegen.domain.breaker import Circuit, State
from imagegen.domain.candidates import Availability
from imagegen.domain.catalog import Catalog, Offering
from imagegen.domain.days import today
from imagegen.domain.fleet import FleetState, KeyCheck
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import ModerationMode
from imagegen.domain.vendor_prices import Drift, drifts
from imagegen.usecases.availability import ProviderSetup, Switchboard
from imagegen.usecases.key_checks import VALID, last_day
from imagegen.wire.health import (
    CircuitReport,
    Health,
    KeyCheckReport,
    ModelReport,
    ModerationReport,
    PriceDriftReport,
    ProviderReport,
)

WARNING_DAYS = timedelta(days=30)
NO_ROUTE = frozenset({Outcome.MODEL_GONE, Outcome.BAD_PARAMETER, Outcome.BLOCKED})
"""Of a key check, which names no model: the outcomes of a 404 and a 405, with JSON or without."""

type Credentials = Literal["missing", "present", "valid", "refused"]


@dataclass(frozen=True, slots=True)
class HealthReporter:
    """Reports which providers would be used now."""

    catalog: Catalog
    switchboard: Switchboard
    now_ms: Callable[[], int]
    moderation: ModerationMode
    moderated_by: Callable[[], str]

    def report(self) -> Health:
        """Return the state of every provider, with the codes of the last errors.

        The report contains no secrets and no user data.
        """
        setups, fleet = self.switchboard.current_setups(), self.switchboard.guard.fleet()
        states = self.switchboard.availability_on(today(self.now_ms()))
        providers = tuple(
            self._provider(name, setups.get(name), fleet, states) for name in self.catalog.providers
        )
        return Health(
            status=self._status(states, fleet),
            checked_at=self.now_ms(),
            moderation=self._moderation(),
            providers=providers,
        )

    def _moderation(self) -> ModerationReport:
        is_off = self.moderation is ModerationMode.OFF
        return ModerationReport(
            mode=self.moderation, provider=None if is_off else self.moderated_by() or None
        )

    def _status(
        self, states: Mapping[str, Availability], fleet: FleetState
    ) -> Literal["healthy", "degraded", "unhealthy"]:
        up = [row for row in self.catalog.models if states[row.key].reason is None]
        if not up:
            return "unhealthy"
        return "healthy" if fleet.is_known and len(up) == len(self.catalog.models) else "degraded"

    def _provider(
        self,
        name: str,
        setup: ProviderSetup | None,
        fleet: FleetState,
        states: Mapping[str, Availability],
    ) -> ProviderReport:
        rows = [row for row in self.catalog.models if row.provider == name]
        key_check, circuit = fleet.key_checks.get(name), fleet.circuits.get(name, Circuit())
        price_check = fleet.price_checks.get(name)
        drifted = drifts(self.catalog, {name: price_check} if price_check else {})
        models = tuple(
            self._model(row, states[row.key], key_check, drifted.get(row.key)) for row in rows
        )
        up = any(model.available for model in models)
        return ProviderReport(
            provider=name,
            available=up,
            reason=None if up else next((m.reason for m in models if m.reason), None),
            credentials=_credentials(setup, key_check),
            enabled=setup is not None and setup.enabled,
            circuit=self._circuit(circuit, is_known=fleet.is_known),
            models=models,
            last_key_check=_key_check_report(key_check),
            prices_checked_at=price_check.at_ms if price_check else None,
            hint=_hint(setup, circuit, key_check),
        )

    def _circuit(self, circuit: Circuit, *, is_known: bool) -> CircuitReport:
        policy = self.switchboard.guard.policy
        failures = breaker.recent(circuit, policy, now_ms=self.now_ms())
        return CircuitReport(
            state=circuit.state.value if is_known else "unknown",
            failures=len(failures),
            retry_at=self._retry_at(circuit),
            why=circuit.why or None,
        )

    def _retry_at(self, circuit: Circuit) -> int | None:
        is_past_rest = circuit.state is State.CLOSED and circuit.until_ms <= self.now_ms()
        return None if is_past_rest else circuit.until_ms or None

    def _model(
        self, row: Offering, state: Availability, key_check: KeyCheck | None, drift: Drift | None
    ) -> ModelReport:
        return ModelReport(
            key=row.key,
            model=row.model,
            quality=row.tier,
            available=state.reason is None,
            reason=state.reason,
            warning=_warning(row, key_check, today(self.now_ms())),
            price_drift=_price_drift(drift),
        )


def public_summary(report: Health) -> Health:
    """Return the report without what only operators see, so that it may be public.

    That is the codes of the last errors, and the vendors' prices.
    """
    return report.model_copy(update={"providers": tuple(map(_public, report.providers))})


def _public(report: ProviderReport) -> ProviderReport:
    circuit = report.circuit.model_copy(update={"why": None})
    models = tuple(one.model_copy(update={"price_drift": None}) for one in report.models)
    hidden = {"circuit": circuit, "models": models, "hint": None, "prices_checked_at": None}
    return report.model_copy(update=hidden)


def _price_drift(drift: Drift | None) -> PriceDriftReport | None:
    if drift is None:
        return None
    return PriceDriftReport(
        size=drift.row.sizes[0].size, price=drift.microusd, stated=drift.stated_microusd
    )


def _key_check_report(key_check: KeyCheck | None) -> KeyCheckReport | None:
    return KeyCheckReport(at=key_check.at_ms, outcome=key_check.outcome) if key_check else None


def _credentials(setup: ProviderSetup | None, key_check: KeyCheck | None) -> Credentials:
    if setup is None or not setup.has_key:
        return "missing"
    if key_check is None:
        return "present"
    if key_check.outcome == VALID:
        return "valid"
    return "refused" if key_check.outcome == Outcome.ACCOUNT else "present"


def _hint(setup: ProviderSetup | None, circuit: Circuit, key_check: KeyCheck | None) -> str | None:
    if setup is None:
        return None
    is_refused = circuit.state is not State.CLOSED and circuit.why == Outcome.ACCOUNT
    advice = setup.advice if is_refused else ""
    if key_check is not None and key_check.outcome in NO_ROUTE:
        advice = advice or setup.route_advice
    return advice or None


def _warning(row: Offering, key_check: KeyCheck | None, day: date) -> str | None:
    ends = last_day(row, key_check)
    if ends is not None and ends - day <= WARNING_DAYS:
        return f"{row.model} ends on {ends}"
    if key_check is not None and row.model in key_check.unlisted:
        return f"{row.model} is not in the list of models that {row.provider} serves"
    return None
