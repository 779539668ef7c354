"""The price tables, from ``provider_catalog.json``."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, assert_never

from generators.docs.blocks import code, table
from imagegen.domain.abilities import Enlargement, InputSupport
from imagegen.domain.catalog import Catalog, Offering, Tier, parse_catalog
from imagegen.domain.money import label_text, usd_text
from imagegen.domain.operations import Operation
from imagegen.domain.price_rules import (
    FreeInputs,
    PatchTokens,
    PerImage,
    PerInputImage,
    PerMegapixel,
    PerRunPlusMegapixel,
    PerStartedBlock,
    PerStartedMegapixel,
)
from imagegen.domain.pricing import STEP_TOKENS, price_microusd, prompt_microusd
from imagegen.providers import PROVIDERS
from local.paths import ROOT

CATALOG: Final = ROOT / "provider_catalog.json"
ABILITIES: Final = (
    "key", "input images", "price of one", "mask", "needs", "other formats", "transparent", "seed",
    "preview frames", "a longer prompt",
)  # fmt: skip
OFFERS: Final = (
    "operation", "tier", "priority", "provider", "model", "key", "square", "typical seconds",
    "waited for, seconds", "longest prompt", "marks", "ends", "source", "checked",
)  # fmt: skip
CHECKED: Final = ("provider", "rows", "oldest check", "newest check", "pages")


def read_catalog(path: Path = CATALOG) -> Catalog:
    """Return the catalog that is shipped."""
    return parse_catalog(path.read_text())


def made() -> dict[str, str]:
    """Return the generated parts of docs/prices.md by name."""
    catalog = read_catalog()
    return {
        "checked": table(CHECKED, _checked(catalog)),
        "offers": table(OFFERS, map(_offer, _rows(catalog))),
        "abilities": table(ABILITIES, map(_ability, _rows(catalog))),
        "sizes": "\n".join(_sizes(row) for row in _rows(catalog)),
        "retired": table(
            ("provider", "model", "ended or ends", "replaced by", "source"),
            (
                (one.provider, code(one.model), str(one.shutdown_on), code(one.replaced_by),
                 _link(str(one.source)))
                for one in sorted(catalog.retired, key=lambda one: (one.provider, one.model))
            ),
        ),
    }  # fmt: skip


def _rows(catalog: Catalog) -> Iterator[Offering]:
    for operation in Operation:
        for tier in Tier:
            yield from catalog.tier(tier, operation)


def _checked(catalog: Catalog) -> Iterator[tuple[str, ...]]:
    for name in catalog.providers:
        rows = [row for row in catalog.models if row.provider == name]
        days = [row.checked_on for row in rows]
        pages = sorted({_host(str(row.source)) for row in rows})
        title = PROVIDERS[name].title
        yield title, str(len(rows)), str(min(days)), str(max(days)), ", ".join(pages)


def _offer(row: Offering) -> tuple[str, ...]:
    shape = row.sizes[0].size if row.keeps_size or row.enlarges else "square"
    square = row.option(shape)
    price = price_microusd(row, square) if square else None
    return (
        row.operation,
        row.tier,
        str(row.fallback_priority),
        row.provider,
        code(row.model),
        code(row.key),
        "not offered" if price is None else label_text(price),
        str(row.typical_seconds),
        str(row.call_seconds),
        f"{row.max_prompt_characters:,}" if row.max_prompt_characters else "no prompt",
        ", ".join(row.marks) or "none known",
        str(row.shutdown_on or "no end known"),
        _link(str(row.source)),
        str(row.checked_on),
    )


def _ability(row: Offering) -> tuple[str, ...]:
    support, previews = row.inputs, row.previews
    return (
        code(row.key),
        _most(support) if support else "none",
        _input_price(support) if support else "",
        support.mask or "none" if support else "",
        "" if support is None or support.needs == "nothing" else _NEEDS[support.needs],
        ", ".join(row.formats) or "none",
        "yes" if row.transparent is not None else "no",
        "yes" if row.seed else "no",
        f"{previews.most}, {label_text(previews.usd)} each" if previews else "none",
        f"{_exact(prompt_microusd(row, 2 * STEP_TOKENS))} a step"
        if row.token_prices
        else "nothing",
    )


_NEEDS: Final = {"image": "an image", "mask": "an image and a mask"}


def _most(support: InputSupport) -> str:
    """Return how many pictures a model takes, and what they may have together."""
    megapixels = support.most_megapixels
    bounds = (
        f"{megapixels} megapixels with the image" if megapixels else "",
        f"{support.most_megabytes} in all" if support.most_megabytes else "",
    )
    return ", ".join([str(support.most), *filter(None, bounds)])


def _exact(price_microusd: int) -> str:
    return f"${usd_text(price_microusd).rstrip('0')}"


def _input_price(support: InputSupport) -> str:
    link = _link(str(support.source))
    match support.price:
        case PatchTokens(usd_per_million=usd, cap=cap):
            each = f"{label_text(usd)} for a million tokens, at most {cap:,} tokens"
        case PerStartedMegapixel(usd=usd, most=most):
            each = f"{label_text(usd)} for each megapixel begun, at most {most}"
        case PerInputImage(usd=usd):
            each = _exact(usd)
        case FreeInputs():
            each = "nothing"
    return f"{each} ({link})"


def _sizes(row: Offering) -> str:
    head = f"### {row.key}\n\n{code(row.model)} of {row.provider}: {_rule(row)}. "
    head += f"Sent with every size: {_sent(row.params) or 'nothing else'}.{_billed(row)}\n\n"
    if row.keeps_size:
        return head + "The image has the size of the first input image.\n"
    if row.enlarges:
        return head + _enlarged(row.enlarges)
    lines = (
        (option.size, option.shape or "", label_text(price), _sent(option.params))
        for option in row.sizes
        if (price := price_microusd(row, option)) is not None
    )
    return head + table(("size", "name", "price", "sent for it"), lines)


def _billed(row: Offering) -> str:
    """Return what the vendor bills beside the price, which is the operator's cost."""
    prices, refusals = row.token_prices, " Requests that its policy refuses are billed, too."
    found = refusals if row.bills_refusals else ""
    if prices is None:
        return found
    image_in = prices.text_in if prices.image_in is None else prices.image_in
    kinds = {"text": prices.text_in, "input images": image_in, "images": prices.image_out}
    if prices.text_out:
        kinds["thoughts and words beside the image"] = prices.text_out
    named = ", ".join(f"{label_text(usd)} for {kind}" for kind, usd in kinds.items())
    return f" Its vendor bills tokens, a million at {named} ({_link(str(prices.source))}).{found}"


def _enlarged(enlarges: Enlargement) -> str:
    scales = "; ".join(
        f"{name} times: {_sent(params) or 'nothing else'}"
        for name, params in enlarges.scales.items()
    )
    edge = f", with edges of at most {enlarges.most_edge:,} pixels" if enlarges.most_edge else ""
    most = f"at most {enlarges.most_megapixels} million pixels{edge}"
    least = f" Edges of the input have at least {enlarges.least_edge} pixels."
    link = _link(str(enlarges.source))
    return (
        f"The edges become longer. Sent for {scales}. The image has {most} ({link})."
        f"{least if enlarges.least_edge > 1 else ''}\n"
    )


def _rule(row: Offering) -> str:
    match row.price:
        case PerImage():
            return "a price for each size"
        case PerMegapixel(usd=usd):
            return f"{label_text(usd)} for each million pixels"
        case PerRunPlusMegapixel(usd_per_run=run, usd=usd):
            if not usd:
                return f"{label_text(run)} for the run, whatever the size"
            each = f"{label_text(usd)} for each million pixels that are billed"
            return f"{label_text(run)} for the run and {each}"
        case PerStartedBlock(usd=usd, megapixels=megapixels):
            return f"{label_text(usd)} for each {megapixels} million pixels that the image begins"
    assert_never(row.price)


def _sent(params: Mapping[str, object]) -> str:
    return ", ".join(code(f"{name}: {_plain(value)}") for name, value in params.items())


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _link(address: str) -> str:
    return f"[{_host(address)}]({address})"


def _host(address: str) -> str:
    return address.partition("://")[2].partition("/")[0]
