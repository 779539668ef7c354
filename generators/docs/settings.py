"""The tables of all settings, from ``template.yaml`` and the names ``make deploy-env`` pushes.

The lines of ``.env.example`` that each provider has are made here, too.
"""

import textwrap
from collections.abc import Iterator
from typing import Any, Final

from generators.docs.blocks import code, table
from imagegen.providers import PROVIDERS, flag_name, region_name
from local.parameters import environment_name, read_template

COSTS: Final = {
    "Architecture": "x86_64 costs $0.0000166667 for a GB-second, arm64 $0.0000133334",
    "AlarmHourlyLlmTokens": "5 million input tokens at $2.50 a million are $12.50",
    "ChatConcurrency": "nothing; it is taken from the account's own limit",
    "ChatModel": "its tokens, at its provider; `DAILY_CHAT_TOKENS` limits them",
    "DailyChatTokens": "for a user and day $2.50 to $10, at $2.50 and $10 for a million tokens",
    "DailySpendUsd": "the most that one user can spend in a day",
    "TotalDailySpendUsd": "$0.0000013 for an image: two write units; empty saves them",
    "EstimateConcurrency": "nothing; it is taken from the account's own limit",
    "GenerateConcurrency": "nothing; it is taken from the account's own limit",
    "GenerateTimeoutSeconds": "a run that waits costs $0.0000067 a second at 512 MB",
    "HealthConcurrency": "nothing; it is taken from the account's own limit",
    "HourlyImages": "0 leaves only the limits of the day",
    "KeepPrompts": "$0.0000006 for an image: one write unit, or one for each KB of a long prompt",
    "ImageRetentionDays": "S3 costs about $0.023 for a GB and month: 1.5 MB for a year is $0.0004",
    "AdminConcurrency": "nothing; it is taken from the account's own limit",
    "PageConcurrency": "nothing; it is taken from the account's own limit",
    "SnapStart": "$3.90 a month at us-east-1, and $0.00007 for each start",
    "LogLevel": "INFO writes about 3 KB for an image; logs cost $0.50 for a GB",
    "BedrockRegion": "nothing; each image its price, each check of a prompt its units of text",
    "Moderation": "nothing; OpenAI's moderation is free",
    "Moderator": "Amazon Bedrock bills its checks by units of text, apart from the image",
}
"""The cost of a setting; list prices of us-east-1 (docs/deploy.md contains their date)."""

WIDTH: Final = 100
"""Of a line in README."""


def made() -> dict[str, str]:
    """Return the parts of README, .env.example, docs/configuration.md and docs/providers.md."""
    template = read_template()
    keys = ((code(name), _credential(name), _switch(name)) for name in PROVIDERS)
    pages = (
        (about.title, f"<{about.keys_url}>", _credential(name)) for name, about in PROVIDERS.items()
    )
    return {
        "first sentence": _first_sentence(),
        "parameters": "\n".join(_groups(template)),
        "keys": table(("provider", "keys, separated by commas", "switch, on unless `false`"), keys),
        "where to get keys": table(("provider", "where to get a key", "in `.env`"), pages),
        "lines of keys": "".join(
            f"{one.key_name}=\n" for one in PROVIDERS.values() if one.key_name
        ),
        "lines of switches": _switches(off_by_default=False),
        "lines of switches that are off": _switches(off_by_default=True),
    }


def _switches(*, off_by_default: bool) -> str:
    """Return the lines that switch providers on or off, each as it is by default."""
    names = (one for one, about in PROVIDERS.items() if about.off_by_default is off_by_default)
    return "".join(f"{flag_name(one)}={str(not off_by_default).lower()}\n" for one in names)


def _first_sentence() -> str:
    """Return what the service is, with the names of all providers."""
    always, by_choice = (
        [about.title for about in PROVIDERS.values() if about.off_by_default is off]
        for off in (False, True)
    )
    said = (
        "Image generation for chat products, in your own AWS account, over "
        f"{_listed(always)} and, if you switch them on, {_listed(by_choice)}, with one promise:"
    )
    return textwrap.fill(said, WIDTH) + "\n"


def _listed(names: list[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def _switch(name: str) -> str:
    flag = code(flag_name(name))
    return f"{flag}: off unless `true`" if PROVIDERS[name].off_by_default else flag


def _credential(provider: str) -> str:
    """Return the name of a provider's keys, or what there is in place of keys."""
    key_name = PROVIDERS[provider].key_name
    return (
        code(key_name)
        if key_name
        else f"none: the functions' role, in {code(region_name(provider))}"
    )


def _groups(template: dict[str, Any]) -> Iterator[str]:
    groups = template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    listed = [name for group in groups for name in group["Parameters"]]
    for group in groups:
        yield _group(template, group["Label"]["default"], group["Parameters"])
    rest = [name for name in template["Parameters"] if name not in listed]
    if rest:
        yield _group(template, "The rest", rest)


def _group(template: dict[str, Any], title: str, names: list[str]) -> str:
    rows = (_row(name, template["Parameters"][name]) for name in names)
    head = ("in `.env`", "parameter", "default", "allowed", "what it does", "costs")
    return f"### {title}\n\n{table(head, rows)}"


def _row(name: str, about: dict[str, Any]) -> tuple[str, ...]:
    default = code(about["Default"]) if str(about.get("Default", "")) else "empty"
    return (
        code(environment_name(name)),
        code(name),
        default,
        _allowed(about),
        about["Description"],
        COSTS.get(name, ""),
    )


def _allowed(about: dict[str, Any]) -> str:
    if "AllowedValues" in about:
        return ", ".join(code(one) for one in about["AllowedValues"])
    if "AllowedPattern" in about:
        return code(about["AllowedPattern"])
    least, most = about.get("MinValue"), about.get("MaxValue")
    if least is None and most is None:
        return "any number" if about["Type"] == "Number" else "any text"
    return f"{least} to {most}" if most is not None else f"{least} and more"
