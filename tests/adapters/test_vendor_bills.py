"""What a simulated vendor bills and no user pays is a loss in the record, whatever went wrong."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest

from imagegen.domain.errors import ImagegenError
from imagegen.domain.losses import losses
from imagegen.domain.ports import ImageAnswer, ImageOrder
from imagegen.usecases.availability import ProviderSetup
from local.simulator.faults import Fault
from local.simulator.routes import MODULES
from local.simulator.server import Simulator
from local.simulator.wire import Ending
from tests.adapters.test_delivery import adapter_of, arm, billed
from tests.fakes.catalogs import real_catalog, tier_of
from tests.fakes.service import Service

SECONDS, HANG_SECONDS, LARGE_SECONDS = 5.0, 0.5, 30.0
NEEDED = ("inputs", "previews")
"""What else a request must have for some faults to apply to it."""
CASES = [
    pytest.param(name, fault, id=f"{name}-{fault.name}")
    for name, module in MODULES.items()
    for fault in module.build().faults.values()
    if fault.draws and fault.outcome is not None and fault.applies not in NEEDED
]


@dataclass(frozen=True, slots=True)
class Hurried:
    """An adapter that has little time for a vendor that does not answer."""

    adapter: Any
    seconds: float

    def generate(self, order: ImageOrder, *, timeout_seconds: float) -> ImageAnswer:
        """Return the image."""
        seconds = min(timeout_seconds, self.seconds)
        answer: ImageAnswer = self.adapter.generate(order, timeout_seconds=seconds)
        return answer


def seconds_for(fault: Fault) -> float:
    if fault.ending is Ending.HANG:
        return HANG_SECONDS
    return LARGE_SECONDS if fault.name == "huge" else SECONDS


def service_of(vendors: Simulator, name: str, fault: Fault) -> Service:
    """Return the product with this provider alone."""
    setups = {
        one: ProviderSetup(has_key=one == name, enabled=True) for one in real_catalog().providers
    }
    alone: Any = {name: Hurried(adapter_of(vendors, name), seconds_for(fault))}
    return Service(catalog=real_catalog(), providers=alone, setups=setups)


@pytest.mark.parametrize(("name", "fault"), CASES)
def test_what_is_billed_is_charged_or_a_loss_under_that_provider(
    vendors: Simulator, name: str, fault: Fault
) -> None:
    arm(vendors, name, fault=fault.name)
    service = service_of(vendors, name, fault)
    with suppress(ImagegenError):
        service.confirm(service.estimate(quality=tier_of(name), provider=name))
    (record,) = service.finished
    found = list(losses(record))
    assert {one.provider for one in found} <= {name}
    lost = sum(one.microusd for one in found)
    assert record.charged_microusd + lost >= billed(vendors, name) > 0
    assert record.charged_microusd == service.spent()
