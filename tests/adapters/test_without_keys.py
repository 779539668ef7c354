"""The product over the simulated Bedrock alone: the functions' role is the only credential."""

from typing import Any

import pytest
import requests

from imagegen.domain.breaker import State
from imagegen.domain.catalog import Tier
from imagegen.domain.errors import (
    ContentRefusedError,
    ImagegenError,
    ModerationUnavailableError,
)
from imagegen.domain.ports import ModerationMode
from imagegen.providers import RoleAccess, build_moderator
from imagegen.usecases.availability import ProviderSetup
from imagegen.usecases.generate.run import Made
from local.simulator.routes import BASES
from local.simulator.server import Simulator
from tests.adapters.test_delivery import adapter_of, arm, billed
from tests.fakes.catalogs import real_catalog
from tests.fakes.service import Service

NAME, CHECKS = "bedrock", "bedrock-checks"
OTHER = "together"


def service_of(vendors: Simulator, *names: str) -> Service:
    """Return the product with Bedrock's checks, and of the providers only those named."""
    adapters: Any = {name: adapter_of(vendors, name) for name in names}
    setups = {
        name: ProviderSetup(has_key=name in names, enabled=True)
        for name in real_catalog().providers
    }
    moderator: Any = build_moderator(RoleAccess("us-west-2"), vendors.url + BASES[NAME], name=NAME)
    return Service(
        catalog=real_catalog(),
        providers=adapters,
        setups=setups,
        moderator=moderator,
        moderated_by=NAME,
    )


def calls(vendors: Simulator, name: str) -> int:
    found: int = requests.get(f"{vendors.url}/control/providers", timeout=10).json()[name]["calls"]
    return found


@pytest.mark.parametrize("tier", Tier)
@pytest.mark.parametrize("size", ["square", "landscape", "portrait", "1344x768", "640x1536"])
def test_every_tier_makes_every_shape_at_its_price(
    vendors: Simulator, tier: Tier, size: str
) -> None:
    service = service_of(vendors, NAME)
    offer = service.estimate(quality=tier, size=size)
    made = service.confirm(offer)
    assert isinstance(made, Made)
    service.check_charged_iff_stored()
    assert service.spent() == offer.price.expected == billed(vendors, NAME)
    assert f"{made.record.width}x{made.record.height}" == offer.size


@pytest.mark.parametrize("prompt", ["a murder", "a nude", "a racial slur", "how to cook meth"])
def test_what_the_checks_flag_is_refused_before_it_is_bought(
    vendors: Simulator, prompt: str
) -> None:
    service = service_of(vendors, NAME)
    with pytest.raises(ContentRefusedError):
        service.make(prompt)
    assert (calls(vendors, NAME), service.spent()) == (0, 0)


@pytest.mark.parametrize("fault", ["access_denied", "rate_limited", "empty_200", "timeout_503"])
def test_without_a_verdict_nothing_is_bought(vendors: Simulator, fault: str) -> None:
    more = {"fault": "unavailable", "status": 503} if fault == "timeout_503" else {"fault": fault}
    arm(vendors, CHECKS, **more)
    service = service_of(vendors, NAME)
    with pytest.raises(ModerationUnavailableError):
        service.make()
    assert (calls(vendors, NAME), service.spent()) == (0, 0)
    service.redeploy(moderation=ModerationMode.BEST_EFFORT)
    service.make()
    service.check_charged_iff_stored()


@pytest.mark.parametrize(
    "fault", ["refused", "refused_output", "refused_input", "refused_without_images"]
)
def test_a_refusal_in_disguise_is_final_free_and_no_strike(vendors: Simulator, fault: str) -> None:
    arm(vendors, NAME, fault=fault)
    service = service_of(vendors, NAME, OTHER)
    offer = service.estimate(quality="high", provider=NAME)
    for _ in range(6):
        with pytest.raises(ContentRefusedError):
            service.confirm(offer)
        offer = service.estimate(quality="high", provider=NAME)
    assert (calls(vendors, OTHER), service.spent()) == (0, 0)
    assert {one.state for one in service.circuits.circuits.values()} <= {State.CLOSED}


@pytest.mark.parametrize(
    ("fault", "opens"),
    [
        ("access_denied", {NAME}),
        ("marketplace", {NAME}),
        ("out_of_credit", {NAME}),
        ("no_model_access", {f"{NAME}/stability.stable-image-core-v1:1"}),
        ("model_denied", {f"{NAME}/stability.stable-image-core-v1:1"}),
        ("legacy", {f"{NAME}/stability.stable-image-core-v1:1"}),
        ("quota", {NAME}),
        ("expired_token", {NAME}),
        ("model_gone", {f"{NAME}/stability.stable-image-core-v1:1"}),
        ("model_unknown", {f"{NAME}/stability.stable-image-core-v1:1"}),
        ("rate_limited", set()),
        ("no_on_demand", set()),
        ("inference_error", set()),
        ("model_timeout", set()),
        ("internal", set()),
        ("forbidden", set()),
    ],
)
def test_what_fails_is_made_by_another_and_opens_what_it_is_about(
    vendors: Simulator, fault: str, opens: set[str]
) -> None:
    arm(vendors, NAME, fault=fault)
    service = service_of(vendors, NAME, OTHER)
    made = service.confirm(service.estimate(quality="high", provider=NAME))
    assert isinstance(made, Made)
    assert (made.record.provider, calls(vendors, NAME)) == (OTHER, 1)
    service.check_charged_iff_stored()
    found = {name for name, one in service.circuits.circuits.items() if one.state is State.OPEN}
    assert found == opens


def test_it_makes_what_another_could_not(vendors: Simulator) -> None:
    arm(vendors, OTHER, fault="server_error")
    service = service_of(vendors, NAME, OTHER)
    offer = service.estimate(quality="ultra", model="together-ultra")
    made = service.confirm(offer)
    assert isinstance(made, Made)
    assert (made.record.provider, made.record.model) == (NAME, "stability.sd3-5-large-v1:0")
    assert made.record.charged_microusd == 80_000 <= offer.price.ceiling
    service.check_charged_iff_stored()


def test_a_lost_answer_is_not_bought_twice(vendors: Simulator) -> None:
    arm(vendors, NAME, fault="cut_during")
    service = service_of(vendors, NAME)
    with pytest.raises(ImagegenError):
        service.make()
    assert (calls(vendors, NAME), service.spent()) == (1, 0)


def test_a_picture_with_the_prompt_is_not_offered_by_a_model_without_inputs(
    vendors: Simulator,
) -> None:
    service = service_of(vendors, NAME)
    rows = [row for row in service.catalog.models if row.provider == NAME]
    assert all(row.inputs is None and row.transparent is None for row in rows)
