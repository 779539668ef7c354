"""What answers the routes under ``/v1``, and reads an edit; loaded with the first of them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from pydantic import ValidationError

from imagegen.bootstrap.generate import GenerateService
from imagegen.edge.media_types import is_form
from imagegen.edge.requests import raw_body
from imagegen.openai_api.buyer import Buyer
from imagegen.openai_api.images import ImagesRoute, OpenAiPresenter
from imagegen.openai_api.model_names import ModelListing, ModelNames
from imagegen.openai_api.offers import NamedOffers
from imagegen.openai_api.other_attempts import EarlierImages
from imagegen.openai_api.set_calls import SetCalls
from imagegen.openai_api.sets import SetBuyer

if TYPE_CHECKING:
    from imagegen.domain.uploads import UploadRef
    from imagegen.edge.requests import Event
    from imagegen.openai_api.edit_models import Edit
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
            offers=NamedOffers(service.pricer),
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
        return ModelNames(self.service.world.catalog, self.service.settings.model_aliases)

    @cached_property
    def listing(self) -> ModelListing:
        """Lists the models."""
        return ModelListing(self.service.world.catalog, self.names)

    @cached_property
    def presenter(self) -> OpenAiPresenter:
        """Writes the answers with images."""
        service, world = self.service, self.service.world
        return OpenAiPresenter(
            world.catalog, world.images, service.own_limits, world.image_id_key, world.now_ms
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

    def edit_of(self, event: "Event", base_url: str) -> "Edit":
        """Return the edit that a request's body asks for, as a form or as JSON.

        Raises:
            RequestValidationError, ImagegenError: the body is not valid.
        """
        from imagegen.edge.forms import form_fields  # noqa: PLC0415 as above
        from imagegen.openai_api.edit_models import edit_of_form, edit_of_json  # noqa: PLC0415

        try:
            if is_form(event["headers"].get("content-type", "")):
                return edit_of_form(form_fields(event))
            return edit_of_json(json.loads(raw_body(event) or "null"), base_url)
        except ValidationError as error:
            found = error.errors(include_input=False, include_url=False)
            raise RequestValidationError(
                [{**one, "loc": ("body", *one["loc"])} for one in found]
            ) from None

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
            offers=NamedOffers(replace(service.pricer, inputs=reader)),
            generator=replace(service.generator, inputs=reader),
        )
        return replace(self.set_buyer, buyer=buyer)
