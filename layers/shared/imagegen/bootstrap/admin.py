"""The service of ``admin``: what operators read and change."""

import os
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial

from imagegen.aws import clients
from imagegen.bootstrap.admin_world import AdminWorld, AwsAdminWorld
from imagegen.bootstrap.budgeted import BudgetedService
from imagegen.bootstrap.service import policy_for, prime
from imagegen.bootstrap.verifier import get_opener, get_verifier, load_tokens
from imagegen.domain.budgets import Level
from imagegen.domain.ledger import Limits
from imagegen.edge.tokens import user_id
from imagegen.settings import AdminSettings
from imagegen.usecases.admin.budgets import BudgetControl
from imagegen.usecases.admin.keys import KeyControl, RecordedKeys
from imagegen.usecases.admin.people import People
from imagegen.usecases.admin.providers import ProviderControl
from imagegen.usecases.admin.spending import SpendingReader
from imagegen.usecases.admin.trail import Trail
from imagegen.usecases.program_keys import KeyRing


@dataclass(frozen=True)
class AdminService(BudgetedService):
    """Shows operators the stack, and changes what they decide."""

    world: AdminWorld
    settings: AdminSettings

    @cached_property
    def trail(self) -> Trail:
        """The trail of what operators changed."""
        return Trail(self.world.trail, self.world.now_ms, self.world.new_id)

    @cached_property
    def spending(self) -> SpendingReader:
        """Reads what was spent and what failed."""
        return SpendingReader(
            self.world.record_scan,
            lambda: self.world.budgets,
            self.shared_levels,
            self.world.now_ms,
        )

    @cached_property
    def provider_control(self) -> ProviderControl:
        """Shows, switches and resets providers."""
        world = self.world
        return ProviderControl(
            catalog=world.catalog,
            setups=world.setups,
            store=world.circuits,
            policy=policy_for(world.catalog),
            trail=self.trail,
            now_ms=world.now_ms,
            on_transition=world.observer.circuit_moved,
        )

    def shared_levels(self) -> tuple[Level, ...]:
        """Return the levels that all people share, as of now.

        Raises:
            StoreUnavailableError: the amounts that operators set cannot be read.
        """
        return self.amounts.levels("")

    def limits_of_people(self) -> Limits:
        """Return what a person without a team may do now.

        Raises:
            StoreUnavailableError: the amounts that operators set cannot be read.
        """
        return replace(self.settings.limits, levels=self.shared_levels())

    @cached_property
    def key_control(self) -> KeyControl:
        """Makes, lists, rotates and revokes keys for programs."""
        world = self.world
        ring = KeyRing(world.program_keys, world.image_id_key, world.now_ms, world.random_bytes)
        return KeyControl(RecordedKeys(ring, self.trail))

    @cached_property
    def budget_control(self) -> BudgetControl:
        """Shows and sets budgets."""
        world, settings = self.world, self.settings
        return BudgetControl(
            amounts=world.amounts,
            counted=lambda: world.budgets,
            ledgers=world.ledgers,
            personal=world.ledgers,
            organisation=settings.organisation_amounts,
            team=settings.team_amounts,
            trail=self.trail,
            user_of=partial(user_id, settings.jwt_issuer),
            now_ms=world.now_ms,
        )

    @cached_property
    def people(self) -> People:
        """Finds and blocks people."""
        world, settings = self.world, self.settings
        return People(
            ledgers=world.ledgers,
            records=world.records,
            chat_usages=world.chat_usages,
            blocks=world.blocks,
            erasures=world.erasures,
            budgets=lambda: world.budgets,
            limits=self.limits_of_people,
            trail=self.trail,
            name_key=world.image_id_key,
            user_of=partial(user_id, settings.jwt_issuer),
            now_ms=world.now_ms,
        )


@cache
def get_admin_service() -> AdminService:
    """Return the service over AWS.

    Raises:
        pydantic.ValidationError: names every variable that is missing or wrong.
    """
    settings = AdminSettings.from_env(os.environ)
    return AdminService(AwsAdminWorld(settings), settings)


prime(get_admin_service, clients.ssm, get_verifier, load_tokens, get_opener)
