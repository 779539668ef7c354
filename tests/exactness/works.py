"""What people have made: images, edits of their own, upscales and cut-outs; at once or later."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from imagegen.domain.catalog import Catalog
from imagegen.usecases.generate.sets import ConfirmedImage, Result
from imagegen.wire.estimates import Estimate, EstimateRequest
from imagegen.wire.images import GenerateRequest
from imagegen.wire.run_events import RunEvent
from tests.exactness.instance import LIFETIME_MS, PROMPT, Instance
from tests.fakes.catalogs import SOURCE, catalog, row

ONE_PICTURE: Final = {
    "most": 1,
    "price": {"rule": "free"},
    "needs": "image",
    "field": "image",
    "source": SOURCE,
}


class Mode(StrEnum):
    """Which invocation makes the images."""

    AT_ONCE = "at once"
    LATER = "in the background"


class Work(StrEnum):
    """What is made."""

    IMAGES = "images"
    EDITS = "edits"
    UPSCALE = "upscale"
    CUTOUT = "cutout"


@dataclass(frozen=True, slots=True)
class Offered:
    """An offer of one or more images of a person."""

    user: str
    offer: Estimate

    @property
    def request(self) -> GenerateRequest:
        """The click on it."""
        return GenerateRequest(quotes=self.offer.quotes, prompt=self.offer.prompt)


def editors(*providers: str) -> Catalog:
    """Return a catalog in which each provider makes images and edits, and the first one the rest.

    Their images cost $0.05, $0.06 and so on, and each input picture $0.01 more.
    """
    price = {"rule": "perImage", "usd": "0.01"}
    inputs = {"most": 4, "price": price, "mask": "alpha", "source": SOURCE}
    rows = [
        row(f"{name}-standard", priority=at + 1, usd=f"0.0{5 + at}") | {"inputs": inputs}
        for at, name in enumerate(providers)
    ]
    return catalog(*rows, _upscaler(providers[0]), _cutter(providers[0]))


def _upscaler(provider: str) -> dict[str, Any]:
    return row(f"{provider}-upscale", priority=1) | {
        "operation": "upscale",
        "price": {"rule": "perStartedBlock", "usd": "0.05", "megapixels": "24"},
        "inputs": ONE_PICTURE,
        "enlarges": {"scales": {"2": {"factor": "2x"}}, "mostMegapixels": "48", "source": SOURCE},
        "sizes": [{"size": "4096x4096", "params": {}}],
        "maxPromptCharacters": 0,
    }


def _cutter(provider: str) -> dict[str, Any]:
    return row(f"{provider}-cutout", priority=1) | {
        "operation": "cutout",
        "price": {"rule": "perRunPlusMegapixel", "usdPerRun": "0.018", "usd": "0"},
        "inputs": {**ONE_PICTURE, "keepsSize": True},
        "transparent": {},
        "sizes": [{"size": "1024x1024", "params": {}}],
        "maxPromptCharacters": 0,
    }


def offered(
    here: Instance, user: str, work: Work, *, count: int = 1, parent: str | None = None
) -> Offered:
    """Return an offer; all but images are made of ``parent``, the id of an image of the user."""
    asked: dict[str, Any] = {"count": count} if count > 1 else {}
    if work in (Work.IMAGES, Work.EDITS):
        asked |= {"prompt": PROMPT, "quality": "standard"}
    else:
        asked |= {"operation": work.value}
    if work is not Work.IMAGES:
        asked["inputs"] = [{"image": parent or parent_of(here, user)}]
    return Offered(user, here.estimator.estimate(EstimateRequest.model_validate(asked), user))


def parent_of(here: Instance, user: str) -> str:
    """Make an image for a user, and return its id."""
    offer = here.estimate(user)
    here.confirm(offer.quote, user)
    return offer.image_id


def clicked(here: Instance, one: Offered) -> list[ConfirmedImage]:
    """Click, and wait for the images."""
    ends_ms = here.now_ms() + LIFETIME_MS
    return here.service.set_generator.generate(one.request, one.user, ends_ms=ends_ms)


def sent(here: Instance, one: Offered) -> list[ConfirmedImage]:
    """Click, and be answered before the images are made; ``here.events`` has what is left."""
    return here.service.background.start_set(one.request, one.user)


def delivered(here: Instance, event: str) -> list[Result | None]:
    """Let an invocation receive an event."""
    ends_ms = here.now_ms() + LIFETIME_MS
    return here.service.background.run(RunEvent.model_validate_json(event), ends_ms=ends_ms)


def charges(here: Instance, user: str) -> Mapping[str, int]:
    """Return what a user was charged for each request, by quote id."""
    ops = here.ledgers.load(user).ops
    return {name: op.price_microusd for name, op in ops.items() if op.state == "settled"}
