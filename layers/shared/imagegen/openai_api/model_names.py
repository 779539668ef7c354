"""The models that clients name: tiers, catalog keys, model ids, and the names of earlier models.

Many clients allow only names such as ``dall-e-3``, whose models have ended. An alias gives such a
name a row of the catalog. The catalog has the usual ones; the operator's take precedence. The price
is that of the row that takes the place, and the answer names what was replaced.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from imagegen.domain.catalog import Catalog, Offering, Tier
from imagegen.domain.days import epoch_seconds
from imagegen.domain.errors import ConfigurationError, ParameterError, UnknownModelError
from imagegen.domain.operations import Operation
from imagegen.openai_api.answer_models import EDITS, GENERATIONS, ListedModel, ModelList
from imagegen.wire.estimates import Replaced
from imagegen.wire.model_list import Models, OfferedModel

RETIRED, ALIAS = "retired", "alias"
"""The reasons of a replacement: the catalog says that the model has ended or ends; or another name
is set for it."""
_DATE = re.compile(r"-(20\d\d-\d\d-\d\d|20\d{6})$")
OWNER = "imagegen"


@dataclass(frozen=True, slots=True)
class Named:
    """What a client's ``model`` and ``quality`` ask for."""

    model: str | None
    """A catalog key or a model's id, ``None`` if only the tier matters."""
    tier: Tier | None
    """``None`` if the prompt decides."""
    replaced: Replaced | None = None
    """The model that the client named, if an alias replaces it."""


@dataclass(frozen=True, slots=True)
class ModelNames:
    """Resolves the names that clients send."""

    catalog: Catalog
    aliases: Mapping[str, str]
    """The operator's: a row's key, a model's id or a tier by name; empty if the name has none."""

    def resolve(self, name: str | None, quality: str | None, tier: Tier | None) -> Named:
        """Return what is asked for; ``tier`` is that of ``quality``.

        Raises:
            UnknownModelError: there is no such model, and no alias.
            ParameterError: the model does not have this quality.
            ConfigurationError: the operator's alias names no row.
        """
        if not name:
            return Named(None, tier)
        if self._is_offered(name):
            return self._offered(name, quality, tier)
        for one in _spellings(name, self.catalog.providers):
            if self._is_offered(one):
                found = self._offered(one, quality, tier)
                return self._replacing(found, name, ALIAS)
            if (target := self._target(one)) is not None:
                reason = ALIAS if one in self.aliases else self._reason(one)
                return self._replacing(self._placed(target, quality, tier), name, reason)
        if self.catalog.retirement(name):
            # The operator has removed its alias: the estimate explains why it is not offered.
            return Named(name, tier)
        raise UnknownModelError(f"Unknown model {name!r}: GET /v1/models lists them.")

    def _is_offered(self, name: str) -> bool:
        return name in tuple(Tier) or bool(self._rows(name))

    def _rows(self, name: str) -> list[Offering]:
        return [row for row in _generating(self.catalog) if name in (row.key, row.model)]

    def _offered(self, name: str, quality: str | None, tier: Tier | None) -> Named:
        if name in tuple(Tier):
            if tier is not None and tier != name:
                raise ParameterError(
                    "quality",
                    f"The model {name!r} is a quality tier, and the quality {quality!r} is the "
                    f"tier {str(tier)!r}. Leave quality out, or send the model {str(tier)!r}.",
                )
            return Named(None, Tier(name))
        tiers = [row.tier for row in self._rows(name)]
        if tier is not None and tier not in tiers:
            known = " and ".join(dict.fromkeys(tiers))
            raise ParameterError(
                "quality",
                f"The quality {quality!r} is the tier {str(tier)!r}, and the model {name!r} is "
                f"offered only as {known}. Leave quality out, or name another model.",
            )
        return Named(name, tier)

    def _target(self, name: str) -> str | None:
        """Return the row, model or tier that takes the place of a name, ``None`` without one."""
        if name in self.aliases:
            return self.aliases[name] or None
        return self.catalog.replacements.get(name)

    def _reason(self, name: str) -> str:
        return RETIRED if self.catalog.retirement(name) else ALIAS

    def _placed(self, target: str, quality: str | None, tier: Tier | None) -> Named:
        """Return what an alias leads to: with a quality, the same model in the quality's tier."""
        if target in tuple(Tier):
            return Named(None, tier or Tier(target))
        if not self._is_offered(target):
            raise ConfigurationError(
                f"MODEL_ALIASES leads to {target!r}, which is no tier, key or model of the catalog."
            )
        row = self.catalog.by_key.get(target)
        if row is None or tier in (None, row.tier):
            return self._offered(target, quality, tier)
        return self._offered(row.model, quality, tier)

    def _replacing(self, named: Named, name: str, reason: str) -> Named:
        rows = self._rows(named.model) if named.model else _generating(self.catalog)
        retired = next((one for one in self.catalog.retired if one.model == name), None)
        provider = retired.provider if retired else rows[0].provider
        return Named(
            named.model, named.tier, Replaced(provider=provider, model=name, reason=reason)
        )


@dataclass(frozen=True, slots=True)
class ModelListing:
    """Lists tiers, catalog keys and model ids."""

    catalog: Catalog
    names: ModelNames

    def all(self, models: Models) -> ModelList:
        """Return the values that ``model`` may have now."""
        # Under /v1 images are generated; there is no route for other operations.
        rows = [
            row for row in models.models if row.available and row.operation is Operation.GENERATE
        ]
        tiers = dict.fromkeys(row.quality for row in rows)
        newest = max(epoch_seconds(row.checked_on) for row in self.catalog.models)
        listed = [ListedModel(id=tier, created=newest, owned_by=OWNER) for tier in tiers]
        for row in rows:
            created = epoch_seconds(self.catalog.by_key[row.key].checked_on)
            listed += [
                ListedModel(
                    id=name,
                    created=created,
                    owned_by=row.provider,
                    shutdown_date=row.shutdown_on,
                    supported_endpoints=_endpoints(row),
                )
                for name in (row.key, row.model)
            ]
        return ModelList(data=tuple({one.id: one for one in listed}.values()))

    def one(self, models: Models, model_id: str) -> ListedModel:
        """Return one model by its id; an alias is answered as well.

        Raises:
            UnknownModelError: there is no such model, or it cannot be called now.
        """
        listed = {one.id: one for one in self.all(models).data}
        if model_id in listed:
            return listed[model_id]
        named = self.names.resolve(model_id, None, None)
        used = listed.get(named.model or named.tier or "")
        if used is None:
            raise UnknownModelError(f"The model {model_id!r} cannot be called now.")
        return used.model_copy(update={"id": model_id, "alias_of": used.id})


def _generating(catalog: Catalog) -> tuple[Offering, ...]:
    return catalog.rows_of(Operation.GENERATE)


def _spellings(name: str, providers: tuple[str, ...]) -> Iterator[str]:
    """Yield the names under which a model may be known, from the exact one to the freest."""
    owner, slash, rest = name.partition("/")
    names = (name, rest) if slash and owner.lower() in providers else (name,)
    for one in names:
        yield from dict.fromkeys((one, _undated(one), one.lower(), _undated(one.lower())))


def _undated(name: str) -> str:
    """Return the name without the date of a snapshot, such as ``-2026-09-08``."""
    return _DATE.sub("", name)


def _endpoints(row: OfferedModel) -> tuple[str, ...]:
    if row.inputs is None:
        return (GENERATIONS,)
    return (GENERATIONS, EDITS) if row.inputs.needs == "nothing" else (EDITS,)
