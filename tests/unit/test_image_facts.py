"""Every answer about an image says the same of it: what is shown in one place is shown in all."""

import pytest

from imagegen.usecases.conversions import ImageFacts, Origin, RunFacts
from imagegen.wire.gallery import GalleryQuery, OwnImage
from imagegen.wire.images import GeneratedImage, ImageStatus
from tests.fakes.pictures import picture
from tests.fakes.service import USER, Service
from tests.unit.test_inputs import editors, upload

URL = "https://us.test"
SHARED = {
    "image": (ImageFacts, (GeneratedImage, ImageStatus, OwnImage)),
    "run": (RunFacts, (GeneratedImage, ImageStatus)),
    "origin": (Origin, (GeneratedImage, ImageStatus, OwnImage)),
}


def answers(service: Service) -> tuple[GeneratedImage, ImageStatus, OwnImage]:
    """Return what a confirmation, a look by the owner and the owner's list say of one image."""
    offer = service.estimate(inputs=[{"upload": upload(service, picture(), USER)}])
    made = service.present(offer)
    status = service.finder.status(offer.image_id, URL, USER)
    (listed,) = service.gallery.page(GalleryQuery(), USER, URL).images
    return made, status, listed


@pytest.mark.parametrize("kind", SHARED)
def test_confirmation_status_and_list_say_the_same_of_an_image(kind: str) -> None:
    facts, models = SHARED[kind]
    found = {type(one): one for one in answers(editors())}
    for name in facts.__annotations__:
        values = [getattr(found[model], name) for model in models]
        assert values == [values[0]] * len(models), name
        assert values[0] != "", name


def test_an_image_made_of_an_upload_names_its_role_in_all_of_them() -> None:
    assert [one.inputs for one in answers(editors())] == [("edit",)] * 3
