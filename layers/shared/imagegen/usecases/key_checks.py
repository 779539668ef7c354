"""The key check: the free, scheduled check of every provider's key and list of models.

A refused key opens the provider's circuit before a user's request fails, and keeps it open while
the key is refused. A good key does not close a circuit: only an image that was made does.

A model that is missing in its provider's list causes a warning and does not open a circuit, because
the lists do not show what can be called. Together's list has models that are no longer serverless
and may lack models that an organization has not enabled; OpenAI's list depends on the key's
project; Replicate has no list. A model that is really gone costs all instances together one failed
call per hour, and a fallback makes the image. A circuit that is opened by mistake would take the
model away from every user.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date

from imagegen.domain.call_errors import ProviderError
from imagegen.domain.catalog import Catalog, Offering
from imagegen.domain.days import today
from imagegen.domain.errors import StoreUnavailableError
from imagegen.domain.fleet import KeyCheck, KeyCheckStore
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import ImageProvider, ServedModels
from imagegen.domain.vendor_prices import drifts
from imagegen.guard import Guard
from imagegen.usecases.availability import ProviderSetup

CALL_TIMEOUT_SECONDS = 6.0
"""The longest timeout of each of the two calls per provider."""
FULL_TIME = 12
"""How many providers have that timeout. With more, each call has less time."""
ROUND_SECONDS = FULL_TIME * 2 * CALL_TIMEOUT_SECONDS
"""The longest that all calls of a round take, of the key check and of the price check alike. It is
within the function's timeout."""
VALID = "valid"


@dataclass(frozen=True, slots=True)
class KeyChange:
    """A key that was good and is now refused, or the reverse; only one instance reports it."""

    provider: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class KeyCheckResults:
    """What one round of key checks found."""

    key_checks: Mapping[str, KeyCheck]
    """By provider: those that are switched on and have a key."""
    changes: tuple[KeyChange, ...]
    open_circuits: Mapping[str, int]
    """How many circuits let no call through, for every provider of the catalog."""
    unlisted: tuple[str, ...]
    """The catalog's models that are missing in their providers' lists."""
    drifted: tuple[str, ...]
    """The rows in service whose prices differ from what their vendors stated last."""
    days_left: int | None
    """Days until the first shutdown of a model that is still offered; ``None`` if none is known."""

    @property
    def outcomes(self) -> dict[str, str]:
        """The result by provider: ``valid`` or an ``Outcome``."""
        return {name: one.outcome for name, one in self.key_checks.items()}

    @property
    def refused(self) -> tuple[str, ...]:
        """The providers whose keys are refused, by the last check that had a clear result."""
        return tuple(n for n, one in self.key_checks.items() if one.verdict == Outcome.ACCOUNT)


@dataclass(frozen=True, slots=True)
class KeyChecker:
    """Checks the key and the list of models of every provider, at no cost."""

    catalog: Catalog
    setups: Callable[[], Mapping[str, ProviderSetup]]
    provider: Callable[[str], ImageProvider]
    guard: Guard
    key_checks: KeyCheckStore
    now_ms: Callable[[], int]

    def check(self) -> KeyCheckResults:
        """Check every provider; return the results, which are also stored for all instances.

        The circuit of a provider with a refused key is opened. An unreachable store raises no
        error: its key changes are then reported by the next round.
        """
        known, setups = self.guard.fleet().key_checks, self.setups()
        checked = in_service(self.catalog, setups)
        timeout_seconds = call_timeout_seconds(len(checked))
        found = {name: self._check(name, known.get(name), timeout_seconds) for name in checked}
        changes = tuple(change for name in found if (change := self._store(name, found[name])))
        self.guard.forget()
        rows = [row for row in self.catalog.models if row.provider in found]
        return KeyCheckResults(
            key_checks=found,
            changes=changes,
            open_circuits=self._open_circuits(),
            unlisted=tuple(sorted(model for one in found.values() for model in one.unlisted)),
            drifted=self._drifted(found),
            days_left=min(self._days_left(rows, found), default=None),
        )

    def _check(self, name: str, before: KeyCheck | None, timeout_seconds: float) -> KeyCheck:
        client = self.provider(name)
        try:
            client.check_key(timeout_seconds=timeout_seconds)
        except ProviderError as error:
            return self._result(error.outcome, name, None, before)
        listed: ServedModels | None = None
        with suppress(ProviderError):  # The key is good; the list is read again in the next round.
            listed = client.models(timeout_seconds=timeout_seconds)
        return self._result(VALID, name, listed, before)

    def _result(
        self, outcome: str, name: str, listed: ServedModels | None, before: KeyCheck | None
    ) -> KeyCheck:
        last = before or KeyCheck(0, "")
        verdict = outcome if outcome in _VERDICTS else last.verdict
        if listed is None:
            # The earlier findings about the models stay: one failed call must not end a warning.
            return KeyCheck(self.now_ms(), outcome, verdict, last.unlisted, last.last_days)
        rows = offered_rows(self.catalog, name, today(self.now_ms()))
        models = {row.model for row in rows}
        return KeyCheck(
            self.now_ms(),
            outcome,
            verdict,
            tuple(sorted(models - set(listed))),
            {model: day for model in sorted(models) if (day := listed.get(model))},
        )

    def _store(self, name: str, key_check: KeyCheck) -> KeyChange | None:
        """Store a result; return the change of the key, ``None`` if it has not changed."""
        if key_check.outcome == Outcome.ACCOUNT:
            self.guard.extend_open(name, key_check.outcome)
            self.guard.trip(name, key_check.outcome)
        try:
            before = self.key_checks.save(name, key_check)
        except StoreUnavailableError:
            return None  # The next round compares with what is stored, and reports the change.
        old, new = (before.verdict if before else "") or VALID, key_check.verdict
        return KeyChange(name, old, new) if new not in ("", old) else None

    def _open_circuits(self) -> dict[str, int]:
        blocked = self.guard.open_circuits()
        return {
            provider: sum(name.partition("/")[0] == provider for name in blocked)
            for provider in self.catalog.providers
        }

    def _drifted(self, checked: Collection[str]) -> tuple[str, ...]:
        """Return the rows that differ, without those of providers that are out of service.

        No price check asks such a provider, so that its last findings would never end.
        """
        stated = self.guard.fleet().price_checks
        return tuple(drifts(self.catalog, {n: one for n, one in stated.items() if n in checked}))

    def _days_left(self, rows: list[Offering], found: Mapping[str, KeyCheck]) -> Iterator[int]:
        day = today(self.now_ms())
        for row in rows:
            ends = last_day(row, found.get(row.provider))
            if ends is not None and not row.is_retired(day):
                yield (ends - day).days


def call_timeout_seconds(count: int) -> float:
    """Return the timeout of one call in seconds, if ``count`` providers are checked."""
    return min(CALL_TIMEOUT_SECONDS, ROUND_SECONDS / (2 * max(1, count)))


def in_service(catalog: Catalog, setups: Mapping[str, ProviderSetup]) -> list[str]:
    """Return the providers that are switched on and have a key, in the order of the catalog."""
    return [
        name
        for name in catalog.providers
        if (setup := setups.get(name)) and setup.has_key and setup.enabled
    ]


def offered_rows(catalog: Catalog, provider: str, day: date) -> list[Offering]:
    """Return the rows of a provider that are not shut down on a day."""
    rows = (row for row in catalog.models if row.provider == provider)
    return [row for row in rows if not row.is_retired(day)]


def last_day(row: Offering, key_check: KeyCheck | None) -> date | None:
    """Return a model's last day, ``None`` if none is known.

    It is the earlier one of the catalog's date and the date that the provider's list announces.
    """
    announced = key_check.last_days.get(row.model) if key_check else None
    return min((day for day in (row.shutdown_on, announced) if day), default=None)


_VERDICTS = frozenset({VALID, Outcome.ACCOUNT})
"""The results that show whether the key is good."""
