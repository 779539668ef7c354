"""The operator's instances of servers with OpenAI's images API, each as strict as its preset."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from typing import Any

from imagegen.domain.catalog import Offering
from imagegen.providers.instances import Instance
from local.simulator.catalog import MICROUSD_PER_USD
from local.simulator.compatible_facts import FACTS, Allowed, Facts
from local.simulator.desk import Desk, Order
from local.simulator.faults import (
    COMMON,
    FILES,
    INLINE,
    Fault,
    FaultError,
    Outcome,
    Shows,
    named,
)
from local.simulator.keys import check_credit, check_key
from local.simulator.spoil import base64_of
from local.simulator.wire import Answer, Body, Request, json_answer

CREATED = 1_788_825_600
ORDERS = "/images/generations"
FEWEST_PIXELS = {"seedream-5-0-260128": 3_686_400, "seedream-4-5-251128": 3_686_400}
EDGES = {"1K": 1024, "2K": 2048, "3K": 3072, "4K": 4096}


@dataclass(frozen=True)
class CompatibleServer:
    """One instance."""

    instance: Instance

    @property
    def name(self) -> str:
        """Return the instance's name."""
        return self.instance.name

    @property
    def facts(self) -> Facts:
        """Return what this kind of server accepts and answers."""
        return FACTS[self.instance.preset]

    @cached_property
    def faults(self) -> Mapping[str, Fault]:
        """Return the server's error table."""
        facts = self.facts
        rows = {
            "missing_key": row(Outcome.ACCOUNT, facts.bad_key),
            "bad_key": row(Outcome.ACCOUNT, facts.bad_key, everywhere=True),
            "model_gone": row(facts.gone_outcome, facts.gone),
            "bad_parameter": row(Outcome.BAD_PARAMETER, (*facts.bad_field, "size: not supported")),
            "rate_limited": row(
                Outcome.RATE_LIMITED, (429, "", "Too many requests."), retry_after_seconds=2
            ),
            "refused": facts.withheld or row(Outcome.REFUSED, facts.refusal),
        }
        if facts.needs_key:
            rows["out_of_credit"] = row(Outcome.ACCOUNT, facts.no_credit)
        if facts.empty_is_refusal:
            rows["empty_200"] = Fault(Outcome.REFUSED, Shows.EMPTY)
        return named(COMMON, INLINE, FILES, rows)

    def key_of(self, request: Request) -> str:
        """Return the key, an empty text if there is none."""
        if self.facts.key_header == "authorization":
            return request.bearer()
        return request.headers.get(self.facts.key_header, "")

    def is_order(self, request: Request) -> bool:
        """Return whether the request is for images."""
        return (request.method, request.path) == ("POST", ORDERS)

    def order_from(self, request: Request) -> Order:
        """Return the order; every field is checked."""
        self._check_key(request)
        body = self._body(request)
        served = self._row_of(body)
        for name, value in body.items():
            if name not in {"model", "prompt"}:
                self._check_field(name, value)
        form = body.get("response_format", self.facts.form)
        if (allowed := self.facts.fields.get("response_format")) and not fits(form, allowed):
            raise self._invalid(f"response_format: {form} needs a cloud storage")
        if self.facts.needs_key:
            check_credit(self.key_of(request), self.faults["out_of_credit"])
        return self._order(body, served)

    def free(self, request: Request) -> Answer:
        """Return the models, or the view of a key."""
        if request.method != "GET":
            raise FaultError(replace(self.faults["model_gone"], message="Not found"))
        if request.path == "/models" and self.facts.lists_models:
            if self.facts.key_path:  # a list that shows nothing about a key needs none
                self._check_key(request)
            return json_answer({"object": "list", "data": [view(one) for one in self._served]})
        if request.path == self.facts.key_path:
            self._check_key(request)
            return json_answer(self.facts.key_view)
        raise FaultError(replace(self.faults["model_gone"], message="Not found"))

    def error(self, fault: Fault) -> Answer:
        """Return the server's error body for a row of its table."""
        after = fault.retry_after_seconds
        headers = {} if after is None else {"retry-after": str(after)}
        body = self.facts.error(fault.status, fault.code or "", fault.message)
        return json_answer(body, status=fault.status, headers=headers)

    def success(self, desk: Desk) -> Answer:
        """Return the pictures, inline or as links, as the request asks."""
        if desk.details.get("form") == "withheld":
            return self._answer(desk, [{"url": "", "b64_json": "", "respect_moderation": False}])
        form = desk.order.params.get("response_format", self.facts.form)
        values = (
            base64_of(one, desk.spoil) if form == "b64_json" else desk.publish(one)
            for one in desk.pictures
        )
        return self._answer(desk, [{form: value} for value in values])

    def empty(self, desk: Desk) -> Answer:
        """Return a success without pictures."""
        failed = {"code": "OutputImageSensitiveContentDetected", "message": "Withheld."}
        return self._answer(desk, [{"error": failed}] if "form" in desk.details else [])

    def _answer(self, desk: Desk, data: list[Body]) -> Answer:
        microusd = desk.order.price_microusd * len(desk.pictures)
        units = self.facts.units_per_usd * microusd // MICROUSD_PER_USD
        return json_answer({"created": CREATED, "data": data, **self.facts.cost(units)})

    @property
    def _served(self) -> Mapping[str, Offering]:
        return {one.model: one for one in self.instance.rows}

    def _check_key(self, request: Request) -> None:
        if self.instance.key_name:
            check_key(self.key_of(request), self.faults)

    def _body(self, request: Request) -> Body:
        try:
            body = request.json()
        except ValueError as error:
            raise self._invalid("body: not a JSON object") from error
        if not isinstance(body.get("prompt"), str) or not body["prompt"]:
            raise self._invalid("prompt: Field required")
        return body

    def _row_of(self, body: Body) -> Offering:
        served = self._served.get(str(body.get("model")))
        if served is None:
            raise FaultError(self.faults["model_gone"])
        return served

    def _check_field(self, name: str, value: Any) -> None:
        if name not in self.facts.fields:
            raise self._invalid(f"{name}: not a field of this API")
        if not fits(value, self.facts.fields[name]):
            raise self._invalid(f"{name}: not an allowed value")

    def _invalid(self, message: str) -> FaultError:
        return FaultError(replace(self.faults["bad_parameter"], message=message))

    def _order(self, body: Body, served: Offering) -> Order:
        width, height = self._pixels(body)
        listed = {one.pixels: one.size for one in served.sizes}
        usd = getattr(served.price, "usd", {})
        price = usd.get(listed.get((width, height), ""), 0) if isinstance(usd, Mapping) else 0
        return Order(
            model=body["model"],
            prompt=body["prompt"],
            params={name: one for name, one in body.items() if name != "prompt"},
            width=width,
            height=height,
            image_format=body.get("output_format", self.facts.image_format),
            count=body.get("n", 1),
            price_microusd=price,
        )

    def _pixels(self, body: Body) -> tuple[int, int]:
        if "aspect_ratio" in body:
            across, down = map(Decimal, body["aspect_ratio"].split(":"))
            area = Decimal(1024 if body.get("resolution", "1k") == "1k" else 2048) ** 2
            wide = (area * across / down).sqrt()
            return round(wide / 16) * 16, round(wide * down / across / 16) * 16
        size = str(body.get("size", "1024x1024"))
        if edge := EDGES.get(size):
            return edge, edge
        match = re.fullmatch(r"([1-9]\d{1,4})x([1-9]\d{1,4})", size)
        if match is None:
            raise self._invalid(f"size: {size} is not a size")
        width, height = int(match[1]), int(match[2])
        if width * height < FEWEST_PIXELS.get(body["model"], 1):
            raise self._invalid("size: too few pixels")
        return width, height


def fits(value: Any, allowed: Allowed) -> bool:
    """Return whether a field's value is allowed."""
    if allowed is None:
        return isinstance(value, str)
    if allowed is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if isinstance(allowed, type):
        return isinstance(value, allowed)
    return type(value) is not bool and isinstance(value, str | int) and value in allowed


def row(outcome: Outcome, error: tuple[int, str, str], **more: Any) -> Fault:
    """Return a row of an error table."""
    status, code, message = error
    return Fault(outcome, status=status, code=code, message=message, **more)


def view(model: str) -> Body:
    """Return an entry of the list of models."""
    return {"id": model, "object": "model", "created": CREATED, "owned_by": "simulated"}
