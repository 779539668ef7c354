"""The routes for operators: spending, failures, providers, people, keys, budgets, the trail."""

from dataclasses import replace
from typing import Annotated, Any

from aws_lambda_powertools.event_handler.depends import Depends
from aws_lambda_powertools.event_handler.openapi.params import Query
from aws_lambda_powertools.utilities.typing import LambdaContext

from imagegen.bootstrap.admin import AdminService, get_admin_service
from imagegen.bootstrap.verifier import access_for
from imagegen.edge.api import build_api, current_user, get_dependency, serve
from imagegen.edge.requests import check_query
from imagegen.logs import logger
from imagegen.wire.admin import (
    AdminProviders,
    BlockPerson,
    ErasePerson,
    Failures,
    FailuresQuery,
    FindPerson,
    Person,
    ResetCircuit,
    Spending,
    SpendingQuery,
    SwitchProvider,
    TrailList,
    TrailQuery,
)
from imagegen.wire.admin_budgets import BudgetPlace, SetBudget, SharedBudget
from imagegen.wire.admin_keys import KeyItem, KeyList, MadeKeyAnswer, NewKey, RevokeKey, RotateKey

Service = Annotated[AdminService, Depends(get_admin_service)]
TAGS = ["admin"]

api = build_api()


@api.get("/admin/spending", operation_id="getSpending", tags=TAGS)
def spending(query: Annotated[SpendingQuery, Query()], service: Service) -> Spending:
    """Return what a day or a month cost."""
    check_query(api.current_event.raw_event, SpendingQuery.model_fields)
    return service.spending.spending(query)


@api.get("/admin/failures", operation_id="listFailures", tags=TAGS)
def failures(query: Annotated[FailuresQuery, Query()], service: Service) -> Failures:
    """Return what failed lately, and whom that affected."""
    check_query(api.current_event.raw_event, FailuresQuery.model_fields)
    return service.spending.failures(query)


@api.get("/admin/providers", operation_id="listProviders", tags=TAGS)
def providers(service: Service) -> AdminProviders:
    """Return the providers and the circuits."""
    return service.provider_control.overview()


@api.post("/admin/providers/switch", operation_id="switchProvider", tags=TAGS)
def switch_provider(request: SwitchProvider, service: Service) -> AdminProviders:
    """Switch a provider off or on."""
    return service.provider_control.switch(
        request.provider, _who(), is_on=request.on, reason=request.reason
    )


@api.post("/admin/circuits/reset", operation_id="resetCircuit", tags=TAGS)
def reset_circuit(request: ResetCircuit, service: Service) -> AdminProviders:
    """Close a circuit and forget its failures."""
    return service.provider_control.reset(request.circuit, _who(), reason=request.reason)


@api.post("/admin/people/find", operation_id="findPerson", tags=TAGS)
def find_person(request: FindPerson, service: Service) -> Person:
    """Return a person's usage, limits and newest requests."""
    return service.people.find(request)


@api.post("/admin/people/block", operation_id="blockPerson", tags=TAGS)
def block_person(request: BlockPerson, service: Service) -> Person:
    """Block a person, or let them in again."""
    return service.people.block(
        request.user, _who(), blocked=request.blocked, reason=request.reason
    )


@api.post("/admin/people/erase", operation_id="erasePerson", tags=TAGS)
def erase_person(request: ErasePerson, service: Service) -> Person:
    """Ask for the erasure of what is kept of a person, except for the accounting."""
    return service.people.erase(request.user, _who(), reason=request.reason)


@api.get("/admin/keys", operation_id="listKeys", tags=TAGS)
def keys(service: Service) -> KeyList:
    """Return the keys for programs, without their texts."""
    return service.key_control.all()


@api.post("/admin/keys/make", operation_id="makeKey", tags=TAGS)
def make_key(request: NewKey, service: Service) -> MadeKeyAnswer:
    """Make a key, and return its text this once."""
    return service.key_control.create(request, _who())


@api.post("/admin/keys/rotate", operation_id="rotateKey", tags=TAGS)
def rotate_key(request: RotateKey, service: Service) -> MadeKeyAnswer:
    """Give a key another text, and return it this once."""
    return service.key_control.rotate(request, _who())


@api.post("/admin/keys/revoke", operation_id="revokeKey", tags=TAGS)
def revoke_key(request: RevokeKey, service: Service) -> KeyItem:
    """Refuse a key from now on."""
    return service.key_control.revoke(request, _who())


@api.post("/admin/budgets/find", operation_id="findBudget", tags=TAGS)
def find_budget(request: BudgetPlace, service: Service) -> SharedBudget:
    """Return a budget as it is now."""
    return service.budget_control.show(request)


@api.post("/admin/budgets/set", operation_id="setBudget", tags=TAGS)
def set_budget(request: SetBudget, service: Service) -> SharedBudget:
    """Set a budget, and return it as it is now."""
    return service.budget_control.set(request, _who())


@api.get("/admin/trail", operation_id="listTrail", tags=TAGS)
def trail(query: Annotated[TrailQuery, Query()], service: Service) -> TrailList:
    """Return what operators changed, the newest first."""
    check_query(api.current_event.raw_event, TrailQuery.model_fields)
    return service.trail.page(query.before)


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Return the function URL's answer to one event."""
    return serve(api, event, context, access=ACCESS)


def _who() -> str:
    return f"user:{current_user(api).id}"


def _service() -> AdminService:
    return get_dependency(api, get_admin_service)


ACCESS = replace(access_for(_service), is_for_admins=True)
