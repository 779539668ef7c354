"""The part that all services share that price images: pricer and estimator."""

from dataclasses import dataclass
from functools import cached_property

from imagegen.bootstrap.service import Service
from imagegen.settings import MoneySettings
from imagegen.usecases.availability import ModelLister, Switchboard
from imagegen.usecases.estimator import Estimator
from imagegen.usecases.inputs import InputReader
from imagegen.usecases.pricer import Pricer


@dataclass(frozen=True)
class PricingService(Service):
    """Prices images."""

    settings: MoneySettings

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
        return Estimator(self.pricer, lambda: self.world.budgets, self.settings.max_count)

    @cached_property
    def pricer(self) -> Pricer:
        """Makes offers."""
        world = self.world
        return Pricer(
            catalog=world.catalog,
            switchboard=self.switchboard,
            ledgers=world.ledgers,
            inputs=self.input_reader,
            limits=self.settings.limits,
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
