"""Answers POST /v1/images/edits: pictures that a call contains or names, and what becomes of them.

A picture in the call is checked and bound by its digest like an upload, and is not stored: only the
run of this call needs it. Uploads and images that are named by id are read as everywhere.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from imagegen.domain.errors import ImagegenError
from imagegen.domain.uploads import UploadRef, sent_upload_id
from imagegen.openai_api.answer_models import ImagesAnswer
from imagegen.openai_api.edit_models import Edit, Picture
from imagegen.openai_api.images import ImagesRoute
from imagegen.openai_api.models import Pictures
from imagegen.openai_api.sets import SetBuyer
from imagegen.wire.inputs import InputReference, MaskReference

UPLOAD_CHARACTERS = 16
"""Of the id of an upload; that of an image has 64."""
_NAMED = re.compile(r"^(inputs|mask)(?:\.(\d+))?: ")


@dataclass(frozen=True, slots=True)
class EditsRoute:
    """Buys what a request for an edit asks for."""

    images: ImagesRoute
    buyer_with: Callable[[Mapping[UploadRef, bytes]], SetBuyer]
    """Returns a buyer whose calls find these pictures as uploads."""
    image_id_key: Callable[[], bytes]

    def answer(self, edit: Edit, headers: Mapping[str, str], user: str, **run: Any) -> ImagesAnswer:
        """Return the answer with every image that is stored; ``run`` as for ``ImagesRoute``.

        Raises:
            ImagegenError: as ``ImagesRoute.answer``; ``param`` is ``mask`` or the field of the
                pictures if one of them is at fault.
        """
        sent: dict[UploadRef, bytes] = {}
        names = [self._name(one, at, user, sent) for at, one in enumerate(edit.images)]
        masks = [] if edit.mask is None else [self._name(edit.mask, len(names), user, sent)]
        pictures = Pictures(
            tuple(InputReference.model_validate(one) for one in names),
            MaskReference.model_validate(masks[0]) if masks else None,
            _identity(edit),
        )
        route = replace(self.images, buyer=self.buyer_with(sent))
        with _named_as(edit.images_field):
            return route.answer(edit.request, headers, user, pictures=pictures, **run)

    def _name(
        self, picture: Picture, at: int, user: str, sent: dict[UploadRef, bytes]
    ) -> dict[str, str]:
        """Return how an estimate names a picture; one that is part of the call is added to them."""
        if isinstance(picture, bytes):
            ref = UploadRef(user, sent_upload_id(user, at, self.image_id_key()))
            sent[ref] = picture
            return {"upload": ref.upload_id}
        return {"upload" if len(picture) == UPLOAD_CHARACTERS else "image": picture}


def _identity(edit: Edit) -> tuple[str, ...]:
    """Return what differs between calls with other pictures, or with a picture as the mask."""
    named = [_identity_of(one) for one in edit.images]
    return (*named, "mask", _identity_of(edit.mask)) if edit.mask is not None else tuple(named)


def _identity_of(picture: Picture) -> str:
    return picture if isinstance(picture, str) else hashlib.sha256(picture).hexdigest()


@contextmanager
def _named_as(field: str) -> Iterator[None]:
    """Let errors about inputs name the field that the client sent."""
    try:
        yield
    except ImagegenError as error:
        if error.param is not None:
            name, dot, place = error.param.partition(".")
            error.param = f"{field if name == 'inputs' else name}{dot}{place}"
        elif found := _NAMED.match(str(error)):
            is_mask = found[1] == "mask"
            error.param = "mask" if is_mask else f"{field}.{found[2] or 0}"
            error.args = (f"{error.param}: {str(error)[found.end() :]}",)
        raise
