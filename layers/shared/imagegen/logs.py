"""The only logger, which cannot print secrets or prompts.

A line has only the fields named here: an event, the text of an exception or a field that was not
considered is dropped. The rest is short, and what looks like a token, a quote, a key or a signed
URL is hidden. The loggers of other libraries are silent: at DEBUG they would print prompts, keys
and whole answers of the parameter store.
"""

import logging
import re
from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

FIELDS = frozenset(
    {
        # the line itself, and what Lambda adds about the invocation
        *("level", "location", "message", "timestamp", "service", "sampling_rate"),
        *("cold_start", "function_name", "function_memory_size", "function_arn"),
        *("function_request_id", "correlation_id", "xray_trace_id"),
        # a request
        *("code", "status", "kind", "place", "hint"),
        "user",  # a keyed hash: see domain/ids.py
        "key_id",  # the public part of a program's key: see domain/keys.py
        # an image
        *("status_word", "quote_id", "tier", "provider", "model", "row"),
        *("charged_usd", "billed_usd", "in_doubt_usd"),
        *("duration_ms", "attempts", "outcome"),
        # circuits, keys, the sweep and the key check
        *("circuit", "old", "new", "why", "key_number", "settled", "released", "users", "outcomes"),
        *("held_usd", "listed_usd", "stated_usd"),
        # a chat: counts, never its text
        *("llm_calls", "offers", "input_tokens", "output_tokens"),
    }
)
MAX_CHARACTERS = 200
HIDDEN = "[hidden]"
SECRETS = re.compile(
    r"eyJ[\w.-]+|"  # a JWT, or a part of one
    r"q[12]\.\w+\.\S*|"  # a quote
    r"[Bb]earer\s+\S+|"
    r"ik_[\w-]+|"  # a key for programs
    r"\b(?:sk-|r8_|hf_|AIza|AKIA|ASIA|tgp_)[\w-]+|"  # keys of the providers and of AWS
    r"https?://[^\s?]*\?\S*|X-Amz-[\w-]+=\S*|"  # a signed URL
    r"\b[a-z2-7]{64}\b"  # an image's id: it opens the image
)


LEVELS = {"WARNING": "WARN", "CRITICAL": "FATAL"}
"""Lambda's names of the levels that Python names differently."""


class KnownFields(LambdaPowertoolsFormatter):
    """Prints only the fields in ``FIELDS``, in the form in which Lambda filters lines.

    Lambda takes a line whose level or time it cannot read for INFO, and drops it if the function
    logs less than that. The time must be in the format of RFC 3339.
    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html
    """

    def serialize(self, log: Mapping[str, Any]) -> str:
        """Return the line as JSON."""
        known = {name: cleaned(value) for name, value in log.items() if name in FIELDS}
        known["level"] = LEVELS.get(log["level"], log["level"])
        if not isinstance(log.get("message"), str):
            known["message"] = HIDDEN
        return super().serialize(known)


def cleaned(value: Any) -> Any:
    """Return a value with secrets hidden and long texts cut."""
    match value:
        case bool() | int() | float() | None:
            return value
        case str():
            return SECRETS.sub(HIDDEN, value)[:MAX_CHARACTERS]
        case Mapping():
            return {cleaned(str(name)): cleaned(one) for name, one in value.items()}
        case list() | tuple():
            return [cleaned(one) for one in value]
        case _:
            return HIDDEN


def place_of(error: BaseException) -> str:
    """Return the file, line and function where an error was raised."""
    trace, place = error.__traceback__, ""
    while trace:
        code = trace.tb_frame.f_code
        place = f"{code.co_filename.rpartition('/')[2]}:{trace.tb_lineno} {code.co_qualname}"
        trace = trace.tb_next
    return place


def silence_others() -> None:
    """Turn off all other loggers, at every level, and all other outputs of ours."""
    logging.getLogger().setLevel(logging.CRITICAL + 1)
    # Lambda's own handler would print each line a second time, with another formatter.
    logging.getLogger(logger.name).propagate = False


logger = Logger(logger_formatter=KnownFields(use_rfc3339=True, utc=True))
