"""Together's list of models, with the prices of the catalog."""

from local.simulator.catalog import Row
from local.simulator.wire import Body

CREATED = 1_788_825_600


def model_view(row: Row) -> Body:
    """Return an entry of the list of models."""
    return {
        "id": row.model,
        "object": "model",
        "created": CREATED,
        "type": "image",
        "display_name": row.model.rpartition("/")[2],
        "organization": row.model.partition("/")[0],
        "pricing": pricing_of(row),
    }


def pricing_of(row: Row) -> Body:
    """Return the prices of tokens, and that of images: for a million pixels or of an example."""
    return {"hourly": 0, "input": 0, "output": 0, "base": 0, "finetune": 0} | _image_price(row)


def _image_price(row: Row) -> Body:
    if row.price["rule"] == "perMegapixel":
        included = {"min_steps": row.params["steps"]} if "steps" in row.params else {}
        return {"image_pixel": {"price_per_megapixel": float(row.price["usd"]), **included}}
    usd = float(next(iter(row.price["usd"].values())))
    return {"image": {"example_price": usd, "example_description": "per image"}}
