"""Inputs: what a quote binds of the pictures that a request gives, and their bytes for its run.

Only images and uploads of the same user can be inputs. Nothing is fetched from elsewhere.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from imagegen.domain.errors import (
    InputGoneError,
    NotFoundError,
    ParameterError,
    QuoteMismatchError,
)
from imagegen.domain.ids import ImageRef, parse_image_id
from imagegen.domain.inputs import InputFile, QuotedInput, Role
from imagegen.domain.operations import Operation, check_opaque, transparent_input
from imagegen.domain.pixels import BrokenImageError
from imagegen.domain.records import RecordStatus
from imagegen.domain.stores import ImageContent, RecordStore
from imagegen.domain.uploads import UploadRef, UploadStore, check_upload_id
from imagegen.wire.estimates import EstimateRequest
from imagegen.wire.inputs import MaskReference

MOST_BYTES_IN_ALL = 20_000_000
"""Of all inputs of one request, the mask included: while it runs, they are in memory."""


@dataclass(frozen=True, slots=True)
class _Named:
    """One picture that a request names, and the field in which it does."""

    field: str
    reference: MaskReference
    role: Role
    operation: Operation = Operation.GENERATE


@dataclass(slots=True)
class _Bytes:
    """How many bytes the inputs of one request may still have."""

    left: int = MOST_BYTES_IN_ALL

    def take(self, count: int, field: str) -> None:
        """Count the bytes of one input.

        Raises:
            ParameterError: the inputs have too many bytes together.
        """
        self.left -= count
        if self.left < 0:
            raise ParameterError(
                field, "The inputs have more than 20 MB together. Send fewer or smaller ones."
            )


@dataclass(frozen=True, slots=True)
class InputReader:
    """Reads the pictures that requests give."""

    images: Callable[[], ImageContent]
    records: RecordStore
    uploads: Callable[[], UploadStore]
    image_id_key: Callable[[], bytes]

    def quoted(self, request: EstimateRequest, user: str) -> tuple[QuotedInput, ...]:
        """Return what a quote binds of the request's inputs, the mask last.

        Raises:
            ParameterError: the roles contradict each other, a file cannot be an input, the mask
                does not fit, or there are too many bytes.
            NotFoundError: there is no such image or upload of this user.
            InputGoneError: the image was deleted, or the upload is not stored.
            StoreUnavailableError: an input cannot be read.
        """
        found: list[QuotedInput] = []
        budget = _Bytes()
        for named in _named(request):
            first = found[0] if found else None
            found.append(self._looked_at(named, user, budget, first))
        return tuple(found)

    def files(self, inputs: tuple[QuotedInput, ...], user: str) -> tuple[InputFile, ...]:
        """Return the inputs of a quote with their bytes as providers get them.

        An upload is without metadata that may name a person or a place. An image is unchanged.

        Raises:
            InputGoneError: an image or an upload is not stored any more.
            ParameterError: an image is not a mask, or the images have too many bytes together.
            QuoteMismatchError: an upload has changed since it was priced.
            StoreUnavailableError: an input cannot be read.
        """
        budget = _Bytes()
        found: list[InputFile] = []
        for at, one in enumerate(inputs):
            field = "mask" if one.role is Role.MASK else f"inputs.{at}"
            content = self._own_bytes(one, user, field)
            budget.take(len(content), field)
            if one.role is Role.MASK and one.image:
                # An upload was checked when it was priced, and has the same bytes.
                _check_mask(content, inputs[0])
            found.append(InputFile(one.role, content, one.media_type, one.width, one.height))
        return tuple(found)

    def _looked_at(
        self, named: _Named, user: str, budget: _Bytes, first: QuotedInput | None
    ) -> QuotedInput:
        """Return what a quote binds of one picture; of an image only the record is read."""
        image, upload = named.reference.image, named.reference.upload
        if image is not None:
            ref = self._own_image(image, user, named.field)
            return self._quoted_image(ref, named, budget, first)
        content = self._upload_bytes(upload or "", user, budget, named.field)
        if first is not None and named.role is Role.MASK:
            _check_mask(content, first)
        return _quoted_upload(content, upload or "", named)

    def _own_image(self, image_id: str, user: str, field: str) -> ImageRef:
        """Return the reference of an image of this user; another user's is answered as unknown."""
        try:
            ref = parse_image_id(image_id, self.image_id_key())
        except NotFoundError:
            raise _unknown(field) from None
        if ref.user != user:
            raise _unknown(field)
        return ref

    def _quoted_image(
        self, ref: ImageRef, named: _Named, budget: _Bytes, first: QuotedInput | None
    ) -> QuotedInput:
        record = self.records.get(ref)
        if record is None or record.status is not RecordStatus.COMPLETE:
            raise _unknown(named.field)
        if record.deleted_ms:
            raise _gone(named.field)
        budget.take(record.file_bytes, named.field)
        if named.operation is Operation.UPSCALE and record.operation is Operation.CUTOUT:
            raise transparent_input(named.field)
        size = (record.width, record.height)
        if first is not None and named.role is Role.MASK and size != (first.width, first.height):
            raise ParameterError(
                named.field,
                f"The mask has {record.pixels} pixels, and the first input "
                f"{first.width}x{first.height}. Make the mask as large as the input.",
            )
        return QuotedInput(
            named.role,
            *size,
            record.media_type,
            image=ref.quote_id,
            issued_ms=ref.issued_ms,
            file_bytes=record.file_bytes,
        )

    def _image_bytes(self, ref: ImageRef, field: str) -> bytes:
        content = self.images().read(ref, limit_bytes=MOST_BYTES_IN_ALL)
        if content is None:
            raise _gone(field)
        return content

    def _upload_bytes(self, upload_id: str, user: str, budget: _Bytes, field: str) -> bytes:
        try:
            ref = check_upload_id(upload_id, user, self.image_id_key())
        except NotFoundError as error:
            raise NotFoundError(f"{field}: {error}") from None
        size = self.uploads().size(ref)
        if size is None:
            raise _gone(field)
        # The size is taken first, so that nothing is read that does not fit.
        budget.take(size, field)
        content = self.uploads().read(ref, limit_bytes=size)
        if content is None:
            raise _gone(field)
        return content

    def _own_bytes(self, one: QuotedInput, user: str, field: str) -> bytes:
        if one.image:
            return self._image_bytes(one.ref(user), field)
        # Imported here: most requests have no inputs.
        from imagegen.domain.metadata import without_metadata  # noqa: PLC0415

        ref = UploadRef(user, one.upload)
        content = self.uploads().read(ref, limit_bytes=MOST_BYTES_IN_ALL)
        if content is None:
            raise _gone(field)
        if hashlib.sha256(content).hexdigest() != one.sha256:
            raise QuoteMismatchError(
                f"{field}: the upload has changed since it was priced. Ask for a new estimate."
            )
        try:
            return without_metadata(content)
        except BrokenImageError as error:
            raise ParameterError(field, f"The file is damaged: {error}. Save it again.") from None


def _named(request: EstimateRequest) -> Iterator[_Named]:
    """Yield the pictures of a request with their roles, the mask last.

    Raises:
        ParameterError: an input to edit is not the first one, or a mask has no input to edit.
    """
    is_single = len(request.inputs) == 1 or request.mask is not None
    for at, one in enumerate(request.inputs):
        by_default = Role.EDIT if is_single and at == 0 else Role.REFERENCE
        role = Role(one.role) if one.role else by_default
        if role is Role.EDIT and at:
            raise ParameterError(
                f"inputs.{at}.role", "Only the first input can be edited. Send that one first."
            )
        if at == 0 and request.mask is not None and role is not Role.EDIT:
            raise ParameterError("mask", "A mask needs a first input with the role edit.")
        yield _Named(f"inputs.{at}", one, role, request.operation)
    if request.mask is not None:
        if not request.inputs:
            raise ParameterError("mask", "A mask needs an input: send the picture to edit.")
        yield _Named("mask", request.mask, Role.MASK)


def _quoted_upload(content: bytes, upload_id: str, named: _Named) -> QuotedInput:
    # Imported here: most requests have no inputs.
    from imagegen.domain.input_files import check_input, check_mask_file  # noqa: PLC0415

    try:
        facts = (check_mask_file if named.role is Role.MASK else check_input)(content)
    except ParameterError as error:
        raise ParameterError(named.field, str(error)) from None
    if named.operation is Operation.UPSCALE and facts.has_alpha:
        check_opaque(content, named.field)
    return QuotedInput(
        named.role,
        facts.width,
        facts.height,
        facts.media_type,
        upload=upload_id,
        sha256=hashlib.sha256(content).hexdigest(),
        file_bytes=len(content),
    )


def _check_mask(content: bytes, first: QuotedInput) -> None:
    # Imported here: most requests have no inputs.
    from imagegen.domain.masks import check_mask  # noqa: PLC0415

    check_mask(content, (first.width, first.height))


def _unknown(field: str) -> NotFoundError:
    return NotFoundError(f"{field}: There is no such image of yours, or it is not made yet.")


def _gone(field: str) -> InputGoneError:
    return InputGoneError(
        f"{field}: the picture was deleted or has expired. Choose another one, or upload it again."
    )
