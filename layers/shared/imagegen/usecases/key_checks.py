"""The probe: every provider's key and list of models, looked at for nothing.

A refused key opens its provider before a user meets it, and keeps it open while it is refused. A
good key closes nothing: only a real image does.

A model that is not in its provider's list is warned of, and no circuit is opened for it. The lists
do not say what can be called: Together's names models that left serverless and may leave out what
an organization has not switched on, OpenAI's depends on the key's project, Replicate has none. A
model that is really gone costs the fleet one failed call an hour, inside a fallback; one that is
closed by mistake costs every user the model.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date

from imagegen.domain import breaker
from imagegen.domain.breaker import Circuit, State
from imagegen.domain.catalog import Catalog, Offering
from imagegen.domain.days import today
from imagegen.domain.errors import ProviderError, StoreUnavailableError
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import ImageProvider, ServedModels
from imagegen.domain.stores import KeyCheck, KeyCheckStore
from imagegen.guard import Guard
from imagegen.usecases.availability import ProviderSetup

PROBE_SECONDS = 6.0
"""For each of a provider's two calls: four providers that hang stay within Lambda's minute."""
VALID = "valid"


@dataclass(frozen=True, slots=True)
class KeyChange:
    """A key that is refused now and was not, or the reverse; told once in the whole fleet."""

    provider: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class KeyCheckResults:
    """What one probe found."""

    key_checks: Mapping[str, KeyCheck]
    """By provider with a key that is switched on."""
    changes: tuple[KeyChange, ...]
    resting: Mapping[str, int]
    """How many circuits let nobody through, by every provider of the catalog."""
    unlisted: tuple[str, ...]
    """The catalog's models that their providers do not list."""
    days_left: int | None
    """Until the first model ends that is still offered; ``None`` where no end is known."""

    @property
    def outcomes(self) -> dict[str, str]:
        """By provider, ``valid`` or an ``Outcome``."""
        return {name: probe.outcome for name, probe in self.key_checks.items()}

    @property
    def refused(self) -> tuple[str, ...]:
        """The providers whose keys are refused, by the last check that could tell."""
        return tuple(n for n, probe in self.key_checks.items() if probe.verdict == Outcome.ACCOUNT)


@dataclass(frozen=True, slots=True)
class KeyChecker:
    """Looks at every provider at no cost."""

    catalog: Catalog
    setups: Callable[[], Mapping[str, ProviderSetup]]
    provider: Callable[[str], ImageProvider]
    guard: Guard
    key_checks: KeyCheckStore
    now_ms: Callable[[], int]

    def check(self) -> KeyCheckResults:
        """Return what was found, and store it for the fleet."""
        known, setups = self.guard.fleet().key_checks, self.setups()
        found = {
            name: self._probe(name, known.get(name))
            for name in self.catalog.providers
            if (setup := setups.get(name)) and setup.has_key and setup.enabled
        }
        changes = tuple(change for name in found if (change := self._keep(name, found[name])))
        self.guard.forget()
        rows = [row for row in self.catalog.models if row.provider in found]
        return KeyCheckResults(
            key_checks=found,
            changes=changes,
            resting=self._resting(),
            unlisted=tuple(sorted(one for probe in found.values() for one in probe.unlisted)),
            days_left=min(self._days_left(rows, found), default=None),
        )

    def _probe(self, name: str, before: KeyCheck | None) -> KeyCheck:
        client = self.provider(name)
        try:
            client.check_key(timeout_seconds=PROBE_SECONDS)
        except ProviderError as error:
            return self._found(error.outcome, name, None, before)
        listed: ServedModels | None = None
        with suppress(ProviderError):  # The key is known to be good; the list can wait.
            listed = client.models(timeout_seconds=PROBE_SECONDS)
        return self._found(VALID, name, listed, before)

    def _found(
        self, outcome: str, name: str, listed: ServedModels | None, before: KeyCheck | None
    ) -> KeyCheck:
        was = before or KeyCheck(0, "")
        verdict = outcome if outcome in _VERDICTS else was.verdict
        if listed is None:
            # What was known of the models stays known: a bad moment must not end a warning.
            return KeyCheck(self.now_ms(), outcome, verdict, was.unlisted, was.last_days)
        models = {row.model for row in self._offered(name)}
        return KeyCheck(
            self.now_ms(),
            outcome,
            verdict,
            tuple(sorted(models - set(listed))),
            {model: day for model in sorted(models) if (day := listed.get(model))},
        )

    def _offered(self, name: str) -> Iterator[Offering]:
        day = today(self.now_ms())
        rows = (row for row in self.catalog.models if row.provider == name)
        return (row for row in rows if not row.is_retired(day))

    def _keep(self, name: str, probe: KeyCheck) -> KeyChange | None:
        if probe.outcome == Outcome.ACCOUNT:
            self.guard.extend_open(name, probe.outcome)
            self.guard.trip(name, probe.outcome)
        try:
            before = self.key_checks.save(name, probe)
        except StoreUnavailableError:
            return None  # The next probe compares with what is stored, and tells it then.
        old = (before.verdict if before else "") or VALID
        return KeyChange(name, old, probe.verdict) if probe.verdict not in ("", old) else None

    def _resting(self) -> dict[str, int]:
        now_ms = self.now_ms()
        open_ = [n for n, one in self.guard.circuits().items() if _is_resting(one, now_ms)]
        return {
            provider: sum(name.partition("/")[0] == provider for name in open_)
            for provider in self.catalog.providers
        }

    def _days_left(self, rows: list[Offering], found: Mapping[str, KeyCheck]) -> Iterator[int]:
        day = today(self.now_ms())
        for row in rows:
            ends = last_day(row, found.get(row.provider))
            if ends is not None and not row.is_retired(day):
                yield (ends - day).days


def last_day(row: Offering, probe: KeyCheck | None) -> date | None:
    """Return when a model ends: by the catalog, or sooner where its provider announces it."""
    announced = probe.last_days.get(row.model) if probe else None
    return min((day for day in (row.shutdown_on, announced) if day), default=None)


_VERDICTS = frozenset({VALID, Outcome.ACCOUNT})
"""What a key check can come to that says something of the key."""


def _is_resting(circuit: Circuit, now_ms: int) -> bool:
    """Return whether it lets nobody through: one that is due is offered, to the next image."""
    return circuit.state is not State.CLOSED and not breaker.may_probe(circuit, now_ms=now_ms)
