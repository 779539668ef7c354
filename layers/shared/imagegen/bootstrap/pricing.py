"""The part that all services share that price images: pricer and estimator."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Self

from imagegen.bootstrap.budgeted import BudgetedService
from imagegen.domain.budgets import Level
from imagegen.domain.callers import User
from imagegen.domain.ledger import Limits
from imagegen.usecases.availability import ModelLister, Switchboard
from imagegen.usecases.estimator import Estimator
from imagegen.usecases.inputs import InputReader
from imagegen.usecases.pricer import Pricer

if TYPE_CHECKING:
    from imagegen.domain.keys import Program


@dataclass(frozen=True)
class PricingService(BudgetedService):
    """Prices images."""

    caller: User | None = None
    """Whose request this service answers, if other limits hold for it than for each person."""
    remembers: ClassVar[tuple[str, ...]] = ("guard", "amounts")
    """What has this instance's memory of circuits and budgets."""

    def under(self, caller: User | None) -> Self:
        """Return the service with the limits of a program, or of a person with a team."""
        if caller is None or (caller.program is None and not caller.team):
            return self
        limited = replace(self, caller=caller)
        vars(limited).update({name: getattr(self, name) for name in self.remembers})
        return limited

    @property
    def program(self) -> "Program | None":
        """The program that calls; ``None`` for people."""
        return self.caller.program if self.caller else None

    @cached_property
    def own_limits(self) -> Limits:
        """What the caller may do; the only level in it is that of a program."""
        if self.program is None:
            return self.settings.limits
        # Only requests with a key load it.
        from imagegen.domain.program_limits import limits_of  # noqa: PLC0415

        return limits_of(self.program, self.settings.limits)

    def levels(self) -> tuple[Level, ...]:
        """Return the levels above the caller at which a request counts now.

        Raises:
            StoreUnavailableError: the amounts that operators set cannot be read.
        """
        team = self.caller.team if self.caller else ""
        return (*self.own_limits.levels, *self.amounts.levels(team))

    def limits(self) -> Limits:
        """Return what the caller may do now, with the levels above.

        Raises:
            StoreUnavailableError: the amounts that operators set cannot be read.
        """
        return replace(self.own_limits, levels=self.levels())

    @cached_property
    def switchboard(self) -> Switchboard:
        """Finds which models can be called and may be offered now."""
        world, settings = self.world, self.settings
        return Switchboard(
            world.catalog,
            world.setups,
            self.guard,
            settings.require_marks,
            settings.price_drift_closes,
        )

    @cached_property
    def estimator(self) -> Estimator:
        """Answers what a request costs."""
        return Estimator(
            self.pricer, lambda: self.world.budgets, self.levels, self.settings.max_count
        )

    @cached_property
    def pricer(self) -> Pricer:
        """Makes offers."""
        world = self.world
        return Pricer(
            catalog=world.catalog,
            switchboard=self.switchboard,
            ledgers=world.ledgers,
            inputs=self.input_reader,
            limits=self.own_limits,
            price_multiple=self.settings.fallback_price_multiple,
            keyring=world.keyring,
            image_id_key=world.image_id_key,
            now_ms=world.now_ms,
            random_bytes=world.random_bytes,
        )

    @cached_property
    def input_reader(self) -> InputReader:
        """Reads the pictures that requests give."""
        world = self.world
        return InputReader(
            lambda: world.images, world.records, lambda: world.uploads, world.image_id_key
        )

    @cached_property
    def lister(self) -> ModelLister:
        """Lists the models."""
        return ModelLister(self.world.catalog, self.switchboard, self.world.now_ms)
