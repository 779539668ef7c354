"""What the use cases need from the world, as protocols: adapters and fakes fit them alike."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Protocol

type ServedModels = Mapping[str, date | None]
"""The models that a provider lists, by id, each with its last day where one is announced."""

type Json = bool | int | float | str | list[Json] | Mapping[str, Json] | None


@dataclass(frozen=True, slots=True)
class ImageOrder:
    """One image as the catalog priced it, for one provider."""

    model: str
    prompt: str
    """With the style already behind it."""
    params: Mapping[str, Json]
    """Exactly what was priced, in the provider's own words; sent as it stands."""
    width: int
    height: int
    """What ``params`` asks for, in pixels; the bytes may differ and are measured."""
    user: str
    """An opaque, stable reference to the end user, for providers that want one."""


@dataclass(frozen=True, slots=True)
class ImageAnswer:
    """What a provider gave: the bytes as they came."""

    content: bytes
    job_id: str | None = None
    usage: Mapping[str, int] | None = None
    """Billed tokens by kind, where the provider says so."""


@dataclass(frozen=True, slots=True)
class Moderation:
    """What moderation says of a prompt."""

    flagged: bool
    categories: tuple[str, ...] = ()


class ImageProvider(Protocol):
    """One provider with one key."""

    def generate(self, order: ImageOrder, *, timeout_seconds: float) -> ImageAnswer:
        """Return the image's bytes.

        Raises:
            ProviderError: with the outcome by DESIGN's table; never anything else.
        """
        ...

    def check_key(self, *, timeout_seconds: float) -> None:
        """Return when the key is good. Costs nothing.

        Raises:
            ProviderError: ``Outcome.ACCOUNT`` for a bad key, else what went wrong.
        """
        ...

    def models(self, *, timeout_seconds: float) -> ServedModels | None:
        """Return the models listed now, or ``None`` where there is no list. Costs nothing.

        Raises:
            ProviderError: what went wrong.
        """
        ...


class Moderator(Protocol):
    """Says whether a prompt may be drawn, before anything is spent."""

    def check(self, prompt: str, *, timeout_seconds: float) -> Moderation:
        """Return the verdict.

        Raises:
            ProviderError: there is no verdict.
        """
        ...
