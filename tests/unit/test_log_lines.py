"""Log lines, read as Lambda's filter reads them: a line that it cannot read is an INFO.

https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html
"""

import json
import logging
import re
from typing import Any

import pytest

from imagegen.logs import KnownFields
from imagegen.monitoring.metrics import Metric, Sample, line
from local.parameters import read_template

RFC_3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)"  # section 5.6
)
ORDER = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")
PYTHON_LEVELS = (logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL)


def level_by_lambda(text: str) -> str:
    """Return the level that Lambda gives a line."""
    found: dict[str, Any] = json.loads(text)
    is_timed = bool(RFC_3339.fullmatch(str(found.get("timestamp"))))
    level = str(found.get("level")).upper()
    return level if is_timed and level in ORDER else "INFO"


def kept(text: str, application_log_level: str) -> bool:
    """Return whether Lambda sends a line to CloudWatch Logs."""
    return ORDER.index(level_by_lambda(text)) >= ORDER.index(application_log_level)


def formatted(level: int, message: str = "request refused") -> str:
    record = logging.LogRecord("service", level, __file__, 1, message, None, None)
    return KnownFields(use_rfc3339=True, utc=True).format(record)


@pytest.mark.parametrize("level", PYTHON_LEVELS)
def test_lambda_reads_the_level_that_was_meant(level: int) -> None:
    meant = {"WARNING": "WARN", "CRITICAL": "FATAL"}
    name = logging.getLevelName(level)
    assert level_by_lambda(formatted(level)) == meant.get(name, name)


@pytest.mark.parametrize(
    ("application_log_level", "survive"), [("INFO", 4), ("WARN", 3), ("ERROR", 2)]
)
def test_a_quieter_function_keeps_what_is_as_loud_and_louder(
    application_log_level: str, survive: int
) -> None:
    lines = [formatted(level) for level in PYTHON_LEVELS]
    assert [kept(one, application_log_level) for one in lines] == [
        *[False] * (4 - survive),
        *[True] * survive,
    ]


@pytest.mark.parametrize("level", read_template()["Parameters"]["LogLevel"]["AllowedValues"])
def test_metrics_survive_every_level_that_may_be_set(level: str) -> None:
    text = line(Sample({Metric.IMAGES: 1}), stack="prod", level=level, now_ms=1_764_000_000_123)
    assert kept(text, level)


def test_the_loggers_own_formatter_is_this_one(capsys: pytest.CaptureFixture[str]) -> None:
    from imagegen.logs import logger  # noqa: PLC0415

    formatter = logger.registered_formatter
    assert isinstance(formatter, KnownFields)
    assert (formatter.use_rfc3339_iso8601, formatter.utc) == (True, True)
    del capsys


def test_the_time_is_not_what_powertools_writes_by_itself() -> None:
    record = logging.LogRecord("service", logging.WARNING, __file__, 1, "m", None, None)
    assert level_by_lambda(KnownFields().format(record)) == "INFO"
