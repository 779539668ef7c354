"""The service of ``generate``: confirmed requests, images, usage, and the routes under ``/v1``."""

import os
import threading
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import import_module
from typing import TYPE_CHECKING, ClassVar

from imagegen.aws import clients
from imagegen.bootstrap.aws_world import AwsWorld
from imagegen.bootstrap.pricing import PricingService
from imagegen.bootstrap.service import prime
from imagegen.bootstrap.verifier import get_opener, get_verifier, load_tokens
from imagegen.domain.ids import provider_name
from imagegen.domain.stores import Stores
from imagegen.edge.problems import to_problem
from imagegen.settings import GenerateSettings
from imagegen.usecases.generate.attempts import ProviderLoop
from imagegen.usecases.generate.budgeted_ledgers import BudgetedLedgers
from imagegen.usecases.generate.generator import Generator
from imagegen.usecases.generate.holds import Holds
from imagegen.usecases.generate.moderation import PromptModeration
from imagegen.usecases.generate.presenter import Presenter
from imagegen.usecases.generate.reconciler import Reconciler
from imagegen.usecases.generate.replay import Replayer
from imagegen.usecases.generate.storage import ImageKeeper
from imagegen.usecases.status import ImageFinder
from imagegen.usecases.usage import UsageReader

if TYPE_CHECKING:
    from imagegen.bootstrap.openai_routes import OpenAiRoutes
    from imagegen.domain.chat_usage import DailyChatLimits
    from imagegen.usecases.gallery import Gallery
    from imagegen.usecases.generate.background import BackgroundRuns
    from imagegen.usecases.generate.budget_warnings import BudgetWarner
    from imagegen.usecases.generate.jobs import Jobs
    from imagegen.usecases.generate.set_presenter import SetPresenter
    from imagegen.usecases.generate.sets import ImageSets, SetGenerator


@dataclass(frozen=True)
class GenerateService(PricingService):
    """Makes images, and answers requests about them and about usage."""

    settings: GenerateSettings
    remembers: ClassVar[tuple[str, ...]] = ("guard", "amounts", "ledgers")

    @cached_property
    def ledgers(self) -> BudgetedLedgers:
        """The users' ledgers, whose holds count at the levels above the users as well."""
        world = self.world
        warner = lambda: self.budget_warner  # noqa: E731 few requests need it
        return BudgetedLedgers(world.ledgers, world.budgets, world.now_ms, world.pause, warner)

    @cached_property
    def budget_warner(self) -> "BudgetWarner":
        """Warns of budgets that are nearly used; it has this instance's memory of warnings."""
        # While budgets are far from used, no request needs it.
        from imagegen.usecases.generate.budget_warnings import BudgetWarner  # noqa: PLC0415

        return BudgetWarner(self.world.warnings, self.world.now_ms)

    @cached_property
    def stores(self) -> Stores:
        """The stores of images, ledgers, records and prompts."""
        world = self.world
        return Stores(self.ledgers, world.images, world.records, world.prompts)

    @cached_property
    def reconciler(self) -> Reconciler:
        """Ends the holds of dead runs."""
        world = self.world
        ended, at_once = world.observer.dead_run_ended, world.run_at_once
        return Reconciler(self.stores, world.now_ms, lambda: self.jobs, ended, at_once)

    @cached_property
    def replayer(self) -> Replayer:
        """Finds the results of requests that were confirmed before."""
        return Replayer(self.stores, self.reconciler)

    @cached_property
    def generator(self) -> Generator:
        """Makes the image of a quote."""
        world, settings = self.world, self.settings
        return Generator(
            catalog=world.catalog,
            holds=Holds(self.ledgers, self.reconciler, self.limits, world.now_ms),
            moderation=PromptModeration(world.get_moderator, settings.moderation),
            loop=ProviderLoop(
                catalog=world.catalog,
                guard=self.guard,
                get_provider=world.get_provider,
                availability=self.switchboard.availability,
                now_ms=world.now_ms,
                fallback_after_unknown=settings.fallback_after_unknown,
                name_of=lambda user, provider: provider_name(user, provider, world.image_id_key()),
                jobs=lambda: self.jobs,
            ),
            keeper=self.keeper,
            replayer=self.replayer,
            reconciler=self.reconciler,
            inputs=self.input_reader,
            previews=lambda: self.world.previews,
            keyring=world.keyring,
            now_ms=world.now_ms,
            new_run_id=world.new_id,
        )

    @cached_property
    def keeper(self) -> ImageKeeper:
        """Stores and charges images."""
        world, settings = self.world, self.settings
        return ImageKeeper(
            stores=self.stores,
            now_ms=world.now_ms,
            pause=world.pause,
            on_finished=world.observer.request_finished,
            keeps_prompts=settings.keep_prompts,
            retention_days=settings.image_retention_days,
        )

    @cached_property
    def jobs(self) -> "Jobs":
        """Keeps the jobs of runs, and asks for those of dead runs."""
        # Only the runs of providers with jobs load it, and the ends of dead runs.
        from imagegen.usecases.generate.jobs import Jobs  # noqa: PLC0415

        world = self.world
        return Jobs(
            store=world.jobs,
            ledgers=world.ledgers,
            catalog=world.catalog,
            get_provider=world.get_provider,
            keeper=self.keeper,
            now_ms=world.now_ms,
            new_run_id=world.new_id,
            on_unexpected=world.observer.unexpected_error,
        )

    @cached_property
    def image_sets(self) -> "ImageSets":
        """Makes the images of one request at the same time."""
        from imagegen.usecases.generate.sets import ImageSets  # noqa: PLC0415 few requests need it

        world = self.world
        return ImageSets(world.run_at_once, threading.Condition, world.observer.unexpected_error)

    @cached_property
    def set_generator(self) -> "SetGenerator":
        """Makes the images of several quotes."""
        from imagegen.usecases.generate.sets import SetGenerator  # noqa: PLC0415 as above

        return SetGenerator(self.generator, self.image_sets, self.settings.max_count)

    @cached_property
    def set_presenter(self) -> "SetPresenter":
        """Writes the answers to confirmed sets."""
        from imagegen.usecases.generate.set_presenter import SetPresenter  # noqa: PLC0415 as above

        return SetPresenter(self.presenter, to_problem)

    @cached_property
    def background(self) -> "BackgroundRuns":
        """Makes images in other invocations than the one that answers."""
        from imagegen.usecases.generate.background import BackgroundRuns  # noqa: PLC0415 as above

        world = self.world
        return BackgroundRuns(self.generator, self.set_generator, world.start_run, world.pause)

    @cached_property
    def presenter(self) -> Presenter:
        """Writes the answers to confirmed requests."""
        return Presenter(self.world.catalog, self.own_limits, self.world.now_ms)

    @cached_property
    def finder(self) -> ImageFinder:
        """Finds one image by its id."""
        return ImageFinder(
            self.stores,
            self.reconciler,
            self.world.image_id_key,
            previews=lambda: self.world.previews,
            shows_prompts=self.settings.keep_prompts,
        )

    @cached_property
    def gallery(self) -> "Gallery":
        """Lists and deletes a user's images."""
        from imagegen.usecases.gallery import Gallery  # noqa: PLC0415 only its requests load it

        return Gallery(
            stores=self.stores,
            reconciler=self.reconciler,
            uploads=lambda: self.world.uploads,
            image_id_key=self.world.image_id_key,
            now_ms=self.world.now_ms,
            shows_prompts=self.settings.keep_prompts,
            retention_days=self.settings.image_retention_days,
        )

    @cached_property
    def chat_limits(self) -> "DailyChatLimits":
        """What the caller may use of the chat."""
        limits, program = self.settings.chat_limits, self.program
        if program is None or program.is_for_person:
            return limits
        from imagegen.domain.program_limits import chat_limits_of  # noqa: PLC0415 only with a key

        return chat_limits_of(program.key, limits)

    @cached_property
    def usage_reader(self) -> UsageReader:
        """Reads a user's usage."""
        world = self.world
        return UsageReader(
            stores=self.stores,
            reconciler=self.reconciler,
            chat_usages=world.chat_usages,
            budgets=lambda: world.budgets,
            personal=world.ledgers,
            limits=self.limits,
            chat_limits=self.chat_limits,
            image_id_key=world.image_id_key,
            now_ms=world.now_ms,
        )

    @cached_property
    def openai(self) -> "OpenAiRoutes":
        """Answers the routes under ``/v1``."""
        # Only their requests load it: most requests are for an image or a status.
        from imagegen.bootstrap.openai_routes import OpenAiRoutes  # noqa: PLC0415

        return OpenAiRoutes(self)


@cache
def get_generate_service() -> GenerateService:
    """Return the service over AWS.

    Raises:
        pydantic.ValidationError: names every variable that is missing or wrong.
    """
    settings = GenerateSettings.from_env(os.environ)
    world = AwsWorld(
        settings,
        settings.record_retention_days,
        settings.bucket_name,
        settings.aws_lambda_function_name,
    )
    return GenerateService(world, settings)


# Vendors' clients only if they cost no start: most requests fetch an image or a status.
prime(
    lambda: get_generate_service().generator,
    *(clients.ssm, get_verifier, load_tokens, get_opener),
    for_snapshot=[lambda: import_module("imagegen.providers.sdk")],
)
