"""Writes the answer to a confirmed set: the state of each of its images."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from imagegen.domain.errors import ImagegenError
from imagegen.usecases.generate.presenter import Presenter
from imagegen.usecases.generate.run import Made
from imagegen.usecases.generate.sets import ConfirmedImage, most_certain
from imagegen.wire.images import GeneratedSet, SetImage
from imagegen.wire.problems import Problem


@dataclass(frozen=True, slots=True)
class SetPresenter:
    """Writes the answer to a confirmed set."""

    presenter: Presenter
    to_problem: Callable[[ImagegenError], Problem]

    def answer(
        self, confirmed: Sequence[ConfirmedImage], prompt: str, base_url: str
    ) -> GeneratedSet:
        """Return the state of each image; ``base_url`` is the URL of this service.

        Raises:
            ImagegenError: no image is stored or being made. It is the error of an image that is
                charged or may be, if there is one.
        """
        errors = [one.result for one in confirmed if isinstance(one.result, ImagegenError)]
        if len(errors) == len(confirmed):
            raise most_certain(errors)
        images = [self._image(index, one, prompt, base_url) for index, one in enumerate(confirmed)]
        return GeneratedSet(images=tuple(images))

    def _image(self, index: int, one: ConfirmedImage, prompt: str, base_url: str) -> SetImage:
        quote, result = one.quote, one.result
        at = {"index": index, "id": one.image_id}
        if quote is None or isinstance(result, ImagegenError):
            error = result if isinstance(result, ImagegenError) else ImagegenError("")
            problem = self.to_problem(error)
            return SetImage(**at, status="failed", charged=problem.charged, problem=problem)
        if isinstance(result, Made):
            image = self.presenter.image(quote, result, prompt, base_url)
            return SetImage(**at, status="complete", charged=True, image=image)
        state = self.presenter.in_progress(quote, result)
        return SetImage(
            **at,
            status="generating",
            charged=state.charged,
            started_at=state.started_at,
            typical_seconds=state.typical_seconds,
        )
