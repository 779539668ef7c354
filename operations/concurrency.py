"""How many functions the account may run at once in a Region, and what a stack reserves of it."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

import boto3
from botocore.exceptions import ClientError

from local.parameters import default_of, environment_name, template_parameters
from operations.accounts import AccountError

UNRESERVED: Final = 100
"""Concurrency that Lambda keeps unreserved, which is also little for a whole account."""

RESERVES: Final = "Concurrency"
"""How the names of the parameters end that reserve."""
CHAT: Final = "ChatConcurrency"


def notes(parameters: Mapping[str, str], present: Mapping[str, str]) -> list[str]:
    """Return what a person should know about the account's concurrency in this Region.

    ``present`` are the parameters of the deployed stack: what it has reserved is its own.

    Raises:
        AccountError: more is reserved than the account has, or a value is not a number.
    """
    reserved, own = reservations({**defaults(), **parameters}), reservations(present)
    try:
        limits = boto3.client("lambda").get_account_settings()["AccountLimit"]
    except ClientError as error:
        code = error.response["Error"]["Code"]
        return [f"The account's concurrency is unknown (lambda:GetAccountSettings: {code})."]
    limit = limits["ConcurrentExecutions"]
    others = limit - limits.get("UnreservedConcurrentExecutions", limit) - sum(own.values())
    return list(account_notes(limit, reserved, others=max(0, others)))


def defaults() -> dict[str, str]:
    """Return what the template reserves where nothing else is set."""
    return {name: default_of(name) for name in template_parameters() if name.endswith(RESERVES)}


def reservations(parameters: Mapping[str, str]) -> dict[str, int]:
    """Return the concurrency that parameters reserve, by their names.

    As in the template, a chat without an LLM reserves none, whatever its parameter says.

    Raises:
        AccountError: a value is not a number.
    """
    names = [name for name in parameters if name.endswith(RESERVES)]
    found = {name: count(name, parameters[name]) for name in names}
    return found if parameters.get("ChatModel") else {**found, CHAT: 0}


def count(parameter: str, value: str) -> int:
    """Return the value of a parameter that is a whole number.

    Raises:
        AccountError: it is not.
    """
    if not re.fullmatch(r"[0-9]{1,9}", value.strip()):
        name = environment_name(parameter)
        raise AccountError(f"{name}={value!r} must be a whole number of 0 or more.")
    return int(value)


def account_notes(limit: int, reserved: Mapping[str, int], *, others: int = 0) -> Iterator[str]:
    """Yield what a person should know about the account's concurrency in this Region.

    ``others`` is what functions outside the stack have reserved.

    Raises:
        AccountError: more is reserved than the account has.
    """
    wanted = sum(reserved.values())
    names = " + ".join(sorted(name for name, one in reserved.items() if one))
    if wanted and wanted > max(0, limit - others - UNRESERVED):
        taken = f"other functions have reserved {others} and " if others else ""
        raise AccountError(
            f"{names} reserve {wanted} of the account's concurrency of {limit}, of which "
            f"{taken}{UNRESERVED} must stay unreserved: lower them, or ask AWS for a higher limit "
            "(Service Quotas, Lambda, Concurrent executions)."
        )
    if limit <= UNRESERVED:
        yield (
            f"The account may run only {limit} functions at once in this Region. An image takes "
            f"one for 10 to 120 seconds, so {limit} images at once stop the whole service: ask AWS "
            "for a higher limit (Service Quotas, Lambda, Concurrent executions)."
        )
    elif not reserved.get("GenerateConcurrency"):
        yield (
            f"No concurrency is reserved, and the account has {limit}: GENERATE_CONCURRENCY and "
            "PAGE_CONCURRENCY limit what one function can take from the others."
        )
