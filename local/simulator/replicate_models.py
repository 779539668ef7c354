"""The models of the simulated Replicate, which are those of the catalog."""

import hashlib
from collections.abc import Mapping

from local.simulator.catalog import Row, load_catalog
from local.simulator.wire import Body


def models() -> Mapping[str, Row]:
    """Return the served models by name."""
    return load_catalog().models("replicate")


def version_of(model: str) -> str:
    """Return the id of a model's only version."""
    return hashlib.sha256(model.encode()).hexdigest()


def model_view(model: str) -> Body:
    """Return a model as the API describes it."""
    owner, _, name = model.partition("/")
    return {
        "url": f"https://replicate.com/{model}",
        "owner": owner,
        "name": name,
        "description": "Simulated",
        "visibility": "public",
        "is_official": True,
        "github_url": None,
        "paper_url": None,
        "license_url": None,
        "run_count": 0,
        "cover_image_url": None,
        "default_example": None,
        "latest_version": None,
    }
