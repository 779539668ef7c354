"""The limits of a program: of its key, and of the person for whom it acts."""

from dataclasses import replace

from imagegen.domain.budgets import PROGRAM_PREFIX, Level
from imagegen.domain.callers import PEOPLE
from imagegen.domain.chat_usage import DailyChatLimits
from imagegen.domain.keys import Program, ProgramKey
from imagegen.domain.ledger import Limits

ATTEMPTS_PER_IMAGE = 2
"""How many attempts a program has for each image of a day, as people have by default."""


def limits_of(program: Program, limits: Limits) -> Limits:
    """Return the caller's limits: for a person those of every person, for a program its key's line.

    A key that may act for people has a level of its own above them. Its requests count there even
    if they name no person. So each key has exactly one counter of money, and its line is never
    spent twice.
    """
    line, own = program.key.line, limits
    if not program.is_for_person:
        own = Limits(
            hourly_images=0,
            daily_images=line.daily_images,
            daily_attempts=line.daily_images * ATTEMPTS_PER_IMAGE,
            daily_microusd=line.daily_microusd,
            monthly_microusd=line.monthly_microusd,
            levels=limits.levels,
        )
    if PEOPLE not in program.key.scopes:
        return own
    level = Level(level_of(program.key), line.daily_microusd, line.monthly_microusd)
    return replace(own, levels=(level, *own.levels))


def level_of(key: ProgramKey) -> str:
    """Return the name of the level of a key that may name people."""
    return f"{PROGRAM_PREFIX}{key.id}"


def chat_limits_of(key: ProgramKey, limits: DailyChatLimits) -> DailyChatLimits:
    """Return what a key may use of the chat on one day: as many tokens a request as a person.

    It has at least a person's tokens, because one request reserves more than it uses.
    """
    chats = key.line.daily_chats
    return DailyChatLimits(chats, max(limits.tokens, limits.tokens * chats // limits.chats))
