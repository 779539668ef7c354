"""The operator's own providers: instances of servers that have OpenAI's images API.

They stand in ``provider_instances.json`` beside the catalog. The whole file is validated when it is
loaded, like the catalog, and a mistake stops the service from starting. The message names the
instance and the field.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, ValidationError, model_validator

from imagegen.domain.catalog import Catalog, Offering
from imagegen.domain.errors import ConfigurationError
from imagegen.domain.price_rules import CatalogModel
from imagegen.providers import COLOUR, PROVIDERS
from imagegen.providers.base_urls import BaseUrlError, check_base_url
from imagegen.providers.instance_file import INSTANCES_FILE as FILE
from imagegen.providers.instance_rows import RowError, check_prices, offering_fields
from imagegen.providers.presets import PRESETS, Preset

NAME = r"^[a-z][a-z0-9]{1,23}$"
KEY_NAME = r"^[A-Z][A-Z0-9_]{0,50}_API_(KEY|TOKEN)$"
HOST = r"^[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})+$"
COLOUR_FORM = r"^#[0-9a-f]{6}$"
DARKEST_PART = 0.16
"""A colour's luminance is at most this, so that it can be read on a light tint of itself."""

Host = Annotated[str, StringConstraints(pattern=HOST)]


class InstancesError(ConfigurationError):
    """The file of instances is wrong; the message says where, and what to do."""


class Instance(CatalogModel):
    """One server of the operator's choice, with the models that are offered from it."""

    name: Annotated[str, StringConstraints(pattern=NAME)]
    title: str = Field(min_length=1, max_length=40)
    preset: str
    base_url: str = ""
    """Empty for the vendor's own address."""
    private_host: str = ""
    """The host of ``base_url`` once more, if it is on a private network: so it is no accident."""
    result_hosts: tuple[Host, ...] = ()
    """Hosts from which images may be downloaded, besides those of the preset."""
    key_name: Annotated[str, StringConstraints(pattern=KEY_NAME)] | None = None
    """The name of the parameter with the keys; without it, the server needs none."""
    keys_url: str = ""
    colour: Annotated[str, StringConstraints(pattern=COLOUR_FORM)] = COLOUR
    models: tuple[Mapping[str, Any], ...] = Field(min_length=1)
    """Rows of the catalog, shorter: ``imagegen.providers.instance_rows``."""

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if self.name in PROVIDERS:
            raise ValueError(f"name: {self.name!r} is a built-in provider; choose another name")
        if self.preset not in PRESETS:
            raise ValueError(f"preset: {self.preset!r} is none of {', '.join(PRESETS)}")
        if self.kind.needs_key and not self.key_name:
            raise ValueError(f"keyName: {self.kind.title} needs a key; name its line of .env")
        taken = {about.key_name for about in PROVIDERS.values()} | {"CHAT_API_KEY"}
        if self.key_name in taken:
            raise ValueError(f"keyName: {self.key_name!r} is of another service; choose another")
        if _luminance(self.colour) > DARKEST_PART:
            raise ValueError(f"colour: {self.colour!r} is too light to be read; choose a dark one")
        try:
            check_base_url(self.url, private_host=self.private_host, hosts=self.kind.hosts)
        except BaseUrlError as error:
            raise ValueError(str(error)) from error
        return self

    @property
    def kind(self) -> Preset:
        """The facts about this kind of server."""
        return PRESETS[self.preset]

    @property
    def url(self) -> str:
        """The base URL, without a slash at the end."""
        return (self.base_url or self.kind.base_url).rstrip("/")

    @property
    def allowed_result_hosts(self) -> tuple[str, ...]:
        """The hosts from which images may be downloaded, and from below which."""
        return (*self.kind.result_hosts, *self.result_hosts)

    @cached_property
    def rows(self) -> tuple[Offering, ...]:
        """The rows of the catalog that this instance adds.

        Raises:
            InstancesError: a row is wrong.
        """
        return tuple(self._row(number, one) for number, one in enumerate(self.models))

    def _row(self, number: int, given: Mapping[str, Any]) -> Offering:
        where = f"instance {self.name!r}, models[{number}]"
        try:
            row = Offering.model_validate_json(offering_fields(given, self.name, self.kind))
            check_prices(row)
        except RowError as error:
            raise InstancesError(f"{FILE}: {where}: {error}.") from error
        except ValidationError as error:
            raise InstancesError(f"{FILE}: {where}: {_first(error)}.") from error
        return row


class _InstancesFile(CatalogModel):
    schema_version: Literal[1]
    instances: tuple[dict[str, Any], ...]


def parse_instances(text: str | bytes) -> tuple[Instance, ...]:
    """Return the instances in a file's text, in its order.

    Raises:
        InstancesError: it names the instance and the field that are wrong, and what to do.
    """
    try:
        listed = _InstancesFile.model_validate_json(text).instances
    except ValidationError as error:
        raise InstancesError(f"{FILE}: {_first(error)}.") from error
    found = tuple(_instance(number, one) for number, one in enumerate(listed))
    for one in found:
        one.rows  # noqa: B018 - validates them
    _check_pairs(found)
    return found


def with_instances(catalog: Catalog, instances: Sequence[Instance]) -> Catalog:
    """Return the catalog with the rows of the instances.

    Raises:
        InstancesError: a row has a key or a place in its tier that another row has.
    """
    fields = {name: getattr(catalog, name) for name in Catalog.model_fields}
    rows = list(catalog.models)
    for instance in instances:
        for number, row in enumerate(instance.rows):
            if problem := _clash(row, rows):
                where = f"instance {instance.name!r}, models[{number}]"
                raise InstancesError(f"{FILE}: {where}: {problem}.")
            rows.append(row)
    return Catalog.model_validate(fields | {"models": tuple(rows)})


def _clash(row: Offering, rows: Sequence[Offering]) -> str:
    if any(row.key == one.key for one in rows):
        return f"key: {row.key!r} is the key of another row; give this row a key of its own"
    places = {one.fallback_priority: one.key for one in rows if one.tier is row.tier}
    if row.fallback_priority in places:
        return (
            f"fallbackPriority: {row.fallback_priority} is the place of "
            f"{places[row.fallback_priority]!r} in the tier {row.tier}; "
            f"{max(places) + 1} is free"
        )
    return ""


def _instance(number: int, given: Mapping[str, Any]) -> Instance:
    named = given.get("name")
    where = f"instance {named!r}" if isinstance(named, str) else f"instances[{number}]"
    try:
        return Instance.model_validate(given)
    except ValidationError as error:
        raise InstancesError(f"{FILE}: {where}: {_first(error)}.") from error


def _check_pairs(instances: Sequence[Instance]) -> None:
    by_name, by_key = dict[str, Instance](), dict[str, Instance]()
    for one in instances:
        if one.name in by_name:
            raise InstancesError(
                f"{FILE}: instance {one.name!r}: name: it is there twice; rename one of them."
            )
        by_name[one.name] = one
        other = by_key.setdefault(one.key_name or one.name, one)
        if other.url != one.url:
            raise InstancesError(
                f"{FILE}: instance {one.name!r}: keyName: {one.key_name!r} is also sent to "
                f"{other.url} by {other.name!r}; give each address a key of its own."
            )


def _first(error: ValidationError) -> str:
    """Return where the first mistake is, and what it is, without what was given."""
    return next(_mistakes(error))


def _mistakes(error: ValidationError) -> Iterator[str]:
    for one in error.errors(include_url=False, include_input=False):
        place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in one["loc"])
        text = one["msg"].removeprefix("Value error, ")
        yield f"{place.lstrip('.')}: {text}" if place else text


def _luminance(colour: str) -> float:
    """Return the relative luminance of a colour, between 0 and 1 (WCAG 2.2)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
