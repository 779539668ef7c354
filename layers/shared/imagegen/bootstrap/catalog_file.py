"""The catalog as it ships, with the models of the operator's own servers."""

from pathlib import Path

from imagegen.domain.catalog import Catalog, parse_catalog
from imagegen.providers import own_instances

CATALOG_FILE = "provider_catalog.json"


def load_catalog() -> Catalog:
    """Return the catalog, with the rows of the operator's instances.

    Its file is in the package in the layer, and at the root of the repository in a checkout.

    Raises:
        ConfigurationError: the file of instances is wrong.
    """
    # Not by importlib.resources: it would load the library of ZIP files at every cold start.
    beside = Path(__file__).parents[1] / CATALOG_FILE
    path = beside if beside.is_file() else Path(__file__).parents[4] / CATALOG_FILE
    catalog = parse_catalog(path.read_text())
    if not (added := own_instances()):
        return catalog
    from imagegen.providers.instances import with_instances  # noqa: PLC0415 - only with instances

    return with_instances(catalog, tuple(added.values()))
