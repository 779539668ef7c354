"""The list of models in OpenAI's form: the values that ``model`` may have now."""

from dataclasses import dataclass

from imagegen.domain.catalog import Catalog
from imagegen.domain.days import epoch_seconds
from imagegen.domain.errors import UnknownModelError
from imagegen.openai_api.aliases import ModelNames
from imagegen.openai_api.answer_models import ListedModel, ModelList
from imagegen.wire.reports import Models

OWNER = "imagegen"


@dataclass(frozen=True, slots=True)
class ModelListing:
    """Lists tiers, catalog keys and model ids."""

    catalog: Catalog
    names: ModelNames

    def all(self, models: Models) -> ModelList:
        """Return the values that ``model`` may have now."""
        rows = [row for row in models.models if row.available]
        tiers = dict.fromkeys(row.quality for row in rows)
        newest = max(epoch_seconds(row.checked_on) for row in self.catalog.models)
        listed = [ListedModel(id=tier, created=newest, owned_by=OWNER) for tier in tiers]
        for row in rows:
            created = epoch_seconds(self.catalog.by_key[row.key].checked_on)
            listed += [
                ListedModel(
                    id=name, created=created, owned_by=row.provider, shutdown_date=row.shutdown_on
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
