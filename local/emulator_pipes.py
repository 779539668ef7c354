"""Pipes that deliver to an event bus, in MiniStack; its own interpreter runs this file.

MiniStack makes such a pipe and delivers nothing; it reads neither filters nor the template, and its
CloudFormation has neither connections nor API destinations, although its EventBridge has. What
stays missing: waits, a second try and dead letters of a pipe and of an API destination.
"""

import json
from collections.abc import Callable
from typing import Any

from ministack.services import eventbridge, pipes
from ministack.services.cloudformation import provisioners

from local.pipes import passes, rendered

MOST_NAME = 64
targets: dict[str, dict[str, Any]] = {}
"""The properties of each pipe's template, by its name."""
create_pipe, update_pipe = provisioners._pipes_pipe_create, provisioners._pipes_pipe_update
deliver_elsewhere = pipes._deliver_batch


def created(logical_id: str, properties: dict[str, Any], stack: str) -> Any:
    """Make a pipe, and keep what MiniStack drops of its template."""
    name, attributes = create_pipe(logical_id, properties, stack)
    targets[name] = properties
    return name, attributes


def updated(name: str, old: dict[str, Any], new: dict[str, Any], *rest: Any, **named: Any) -> Any:
    """Change a pipe."""
    changed, attributes = update_pipe(name, old, new, *rest, **named)
    targets[changed] = new
    return changed, attributes


def deliver(pipe: dict[str, Any], records: list[Any]) -> bool:
    """Send the records that pass the filters to the pipe's bus; return whether they were taken."""
    if pipes._arn_service(pipe["Target"]) != "events":
        return bool(deliver_elsewhere(pipe, records))
    properties = targets[pipe["Name"]]
    filters = properties["SourceParameters"]["FilterCriteria"]["Filters"]
    how = properties["TargetParameters"]
    bus = how["EventBridgeEventBusParameters"]
    for record in records:
        if not passes(record, (one["Pattern"] for one in filters)):
            continue
        event = {"EventBusName": pipe["Target"], "Detail": rendered(record, how["InputTemplate"])}
        eventbridge._put_events({"Entries": [{**bus, **event}]})
    return True


def handler(kind: str) -> dict[str, Any]:
    """Return how CloudFormation makes and removes one of the types that it lacks."""
    word = {"Connection": "connection", "ApiDestination": "api_destination"}[kind]
    make: Callable[[Any], Any] = getattr(eventbridge, f"_create_{word}")
    drop: Callable[[Any], Any] = getattr(eventbridge, f"_delete_{word}")

    def create(logical_id: str, properties: dict[str, Any], stack: str) -> Any:
        name = provisioners._physical_name(stack, logical_id, max_len=MOST_NAME)
        status, _headers, body = make({**properties, "Name": name})
        if status != 200:
            raise ValueError(f"AWS::Events::{kind}: {body!r}")
        return name, {"Arn": json.loads(body)[f"{kind}Arn"], "Name": name}

    def delete(name: str, _properties: dict[str, Any]) -> None:
        drop({"Name": name})

    return {"create": create, "delete": delete}


def install() -> None:
    """Make MiniStack deliver to event buses."""
    pipes._deliver_batch = deliver
    handlers = provisioners._RESOURCE_HANDLERS
    handlers["AWS::Pipes::Pipe"] |= {"create": created, "update": updated}
    for kind in ("Connection", "ApiDestination"):
        handlers[f"AWS::Events::{kind}"] = handler(kind)
