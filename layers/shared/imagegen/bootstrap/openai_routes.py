"""Builds what answers the routes under ``/v1``; loaded with the first request for one of them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from imagegen.bootstrap.generate import GenerateService
from imagegen.openai_api.buyer import Buyer
from imagegen.openai_api.earlier_images import EarlierImages
from imagegen.openai_api.images import ImagesRoute, OpenAiPresenter
from imagegen.openai_api.model_names import ModelListing, ModelNames
from imagegen.openai_api.offers import NamedOffers
from imagegen.openai_api.set_calls import SetCalls
from imagegen.openai_api.sets import SetBuyer

if TYPE_CHECKING:
    from imagegen.domain.uploads import UploadRef
    from imagegen.openai_api.edits import EditsRoute


@dataclass(frozen=True)
class OpenAiRoutes:
    """Buys images in one call, and lists the models."""

    service: GenerateService

    @cached_property
    def buyer(self) -> Buyer:
        """Buys one image."""
        service, world = self.service, self.service.world
        return Buyer(
            offers=NamedOffers(service.estimator),
            generator=service.generator,
            earlier_images=EarlierImages(
                service.replayer, world.records, world.image_id_key, world.now_ms
            ),
            replayer=service.replayer,
            reconciler=service.reconciler,
            ledgers=world.ledgers,
            places=world.ledgers,
            image_id_key=world.image_id_key,
            now_ms=world.now_ms,
            pause=world.pause,
            random_bytes=world.random_bytes,
            new_run_id=world.new_id,
        )

    @cached_property
    def set_buyer(self) -> SetBuyer:
        """Buys the images of a call."""
        world = self.service.world
        calls = SetCalls(
            world.ledgers,
            self.buyer.earlier_images,
            world.image_id_key,
            world.now_ms,
            world.random_bytes,
        )
        return SetBuyer(self.buyer, calls, self.service.image_sets)

    @cached_property
    def names(self) -> ModelNames:
        """Resolves the names of models that clients send."""
        return ModelNames(self.service.world.catalog, self.service.settings.aliases)

    @cached_property
    def listing(self) -> ModelListing:
        """Lists the models."""
        return ModelListing(self.service.world.catalog, self.names)

    @cached_property
    def presenter(self) -> OpenAiPresenter:
        """Writes the answers with images."""
        service, world = self.service, self.service.world
        return OpenAiPresenter(
            world.catalog, world.images, service.settings.limits, world.image_id_key, world.now_ms
        )

    @cached_property
    def images(self) -> ImagesRoute:
        """Answers requests for images."""
        settings = self.service.settings
        return ImagesRoute(
            self.service.world.catalog,
            self.names,
            self.set_buyer,
            self.presenter,
            settings.max_count,
        )

    @cached_property
    def edits(self) -> "EditsRoute":
        """Answers requests for edits."""
        # Only these requests load it.
        from imagegen.openai_api.edits import EditsRoute  # noqa: PLC0415

        return EditsRoute(self.images, self._buyer_with, self.service.world.image_id_key)

    def _buyer_with(self, sent: "Mapping[UploadRef, bytes]") -> SetBuyer:
        """Return a buyer for one call, which finds the call's own pictures as uploads.

        However many images the call makes, its pictures are read once.
        """
        from imagegen.usecases.sent_pictures import SentPictures  # noqa: PLC0415 as above
        from imagegen.usecases.shared_inputs import SharedInputs  # noqa: PLC0415

        service = self.service
        uploads = SentPictures(sent, lambda: service.world.uploads)
        stored = replace(service.input_reader, uploads=lambda: uploads)
        reader = SharedInputs(stored, service.image_sets.new_condition(), service.world.now_ms)
        buyer = replace(
            self.buyer,
            offers=NamedOffers(replace(service.estimator, inputs=reader)),
            generator=replace(service.generator, inputs=reader),
        )
        return replace(self.set_buyer, buyer=buyer)
