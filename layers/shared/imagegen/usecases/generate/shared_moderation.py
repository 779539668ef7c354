"""The moderation of one set, or of one call for several images, asked once for all of them.

All images of a set have the same prompt, and nearly always the same pictures, of up to 20 MB.
Without this, each would send them to be checked, with a copy of its own in memory meanwhile.
"""

import copy
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from imagegen.domain.errors import ImagegenError
from imagegen.domain.inputs import InputFile
from imagegen.usecases.generate.moderation import PromptChecks

if TYPE_CHECKING:
    from imagegen.usecases.generate.generator import Generator

type Checked = tuple[str, tuple[InputFile, ...]]


@dataclass(frozen=True, slots=True)
class SharedModeration:
    """``PromptChecks`` for the images of one set, which may run in threads.

    What was accepted is accepted for all of them. A refusal, or that nothing answered, is shared
    with those that waited for it; a later image asks again.
    """

    checks: PromptChecks
    lock: AbstractContextManager[Any]
    accepted: set[Checked] = field(default_factory=set)
    failed: dict[Checked, tuple[int, ImagegenError]] = field(default_factory=dict)
    askers: list[None] = field(default_factory=list)
    """One entry for each image that has asked, in any thread."""

    def check(self, text: str, inputs: Sequence[InputFile] = ()) -> None:
        """Raise unless an image of the text, and of the inputs, may be made.

        Raises:
            ImagegenError: as ``PromptModeration.check``; each image gets an error of its own.
        """
        self.askers.append(None)
        place, asked = len(self.askers), (text, tuple(inputs))
        # Under the lock also while it asks: the other images wait instead of asking as well.
        with self.lock:
            if asked in self.accepted:
                return
            askers, error = self.failed.get(asked, (0, None))
            if error is not None and place <= askers:
                raise copy.copy(error)
            self._ask(asked)

    def _ask(self, asked: Checked) -> None:
        try:
            self.checks.check(*asked)
        except ImagegenError as error:
            self.failed[asked] = (len(self.askers), copy.copy(error))
            raise
        self.accepted.add(asked)


def moderated_once(generator: "Generator", lock: AbstractContextManager[Any]) -> "Generator":
    """Return a generator for the images of one set, which are moderated once."""
    return replace(generator, moderation=SharedModeration(generator.moderation, lock))
