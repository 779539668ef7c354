"""Answers as AWS writes them, of Bedrock's models and of its guardrail checks."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

from local.simulator.bedrock_faults import FAULTS
from local.simulator.faults import Fault, FaultError
from local.simulator.wire import Answer, Body, json_answer


def aws_answer(body: Body, **more: Any) -> Answer:
    """Return an answer with the id that AWS gives each request."""
    headers = {"x-amzn-requestid": str(uuid4()), **more.pop("headers", {})}
    return json_answer(body, headers=headers, **more)


def error_answer(fault: Fault) -> Answer:
    """Return an exception as AWS writes it: its name in a header, its words in the body."""
    headers = {"x-amzn-errortype": fault.code} if fault.code else {}
    if fault.retry_after_seconds is not None:
        headers["retry-after"] = str(fault.retry_after_seconds)
    return aws_answer({"message": fault.message}, status=fault.status, headers=headers)


def invalid(message: str) -> FaultError:
    """Return the refusal of a request."""
    return FaultError(replace(FAULTS["bad_parameter"], message=message))
