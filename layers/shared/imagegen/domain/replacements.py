"""Models that the catalog does not offer, and the rows that take their place."""

from datetime import date
from typing import Annotated

from pydantic import HttpUrl, StringConstraints

from imagegen.domain.price_rules import CatalogModel

MAX_NAME = 80
"""Of a key, a provider and a model, so that the record of an image fits into its metadata."""
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+$")]


class Retired(CatalogModel):
    """A model that was shut down; a request may still name it."""

    provider: Name
    model: str
    shutdown_on: date
    replaced_by: Name
    source: HttpUrl


class Alias(CatalogModel):
    """A model's name that clients send and that is not offered; another row takes its place."""

    model: str
    replaced_by: Name
    source: HttpUrl
