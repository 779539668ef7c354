"""The types that the studio and a provider's file exchange for one call."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from local.simulator.faults import Fault, Spoil
from local.simulator.given import Given
from local.simulator.spoil import Picture
from local.simulator.wire import Answer, Request


class Tool(StrEnum):
    """What a model without a prompt does to a picture."""

    ENLARGE = "enlarge"
    CUT_OUT = "cut_out"


@dataclass(frozen=True, slots=True)
class Mask:
    """A mask: transparent pixels may change, or white ones."""

    given: Given
    is_white: bool = False


@dataclass(frozen=True, slots=True)
class Order:
    """A valid request for pictures, in the form that all providers share."""

    model: str
    prompt: str
    params: Mapping[str, Any]
    """The provider's own fields with defaults filled in, without the prompt."""
    width: int = 0
    height: int = 0
    image_format: str = "png"
    count: int = 1
    most: int = 10
    """The most pictures that fit into the answer."""
    quality: str | None = None
    """Set only if the price depends on it."""
    price_microusd: int = 0
    """The price of one picture, for variants that the catalog does not price."""
    inputs: tuple[Given, ...] = ()
    """The pictures that were given, without the mask."""
    repaint: Mask | None = None
    """What may change of the first of them, and how its mask says so."""
    transparent: bool = False
    tool: Tool | None = None
    """What is done to the picture that was given, by a model without a prompt."""
    partials: int = 0
    """How many preview frames are requested."""
    added_microusd: int = 0
    """What inputs and preview frames add to the price of one picture."""


@dataclass(frozen=True, slots=True)
class Desk:
    """One call whose pictures are drawn and whose answer the provider's file is to write."""

    request: Request
    order: Order
    pictures: tuple[Picture, ...]
    publish: Callable[[Picture], str]
    """Returns a URL of the picture on the simulator's own origin."""
    cancel_bill: Callable[[], None]
    now_seconds: float
    delay_seconds: float
    details: Mapping[str, Any] = field(default_factory=dict)
    """The fault's additions in the provider's own format."""
    spoil: Spoil | None = None


class Provider(Protocol):
    """One provider's wire format: requests in, answers out, no sockets and no waiting."""

    @property
    def name(self) -> str:
        """Return the provider's name in the control API."""
        ...

    @property
    def faults(self) -> Mapping[str, Fault]:
        """Return the provider's error table."""
        ...

    def key_of(self, request: Request) -> str:
        """Return the key in the request, an empty text if there is none."""
        ...

    def is_order(self, request: Request) -> bool:
        """Return whether the request is one that would cost money."""
        ...

    def order_from(self, request: Request) -> Order:
        """Return the order.

        Raises:
            FaultError: the provider refuses the request.
        """
        ...

    def free(self, request: Request) -> Answer:
        """Return the answer to any other request.

        Raises:
            FaultError: the provider refuses the request.
        """
        ...

    def error(self, fault: Fault) -> Answer:
        """Return the provider's error body for a row of its table."""
        ...

    def success(self, desk: Desk) -> Answer:
        """Return the answer with the pictures."""
        ...

    def empty(self, desk: Desk) -> Answer:
        """Return a success without pictures."""
        ...
