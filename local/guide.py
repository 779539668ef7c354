"""A first ``make deploy``: what is missing is asked for, and kept in .env for the next time."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from imagegen.providers import PROVIDERS


@dataclass(frozen=True, slots=True)
class Question:
    """One setting that somebody can be asked for."""

    name: str
    text: str
    is_secret: bool = False


ISSUER: Final = (
    Question("JWT_ISSUER", "Issuer of your users' tokens, an https address (docs/deploy.md)"),
    Question("JWT_AUDIENCE", "Audience that their tokens name [imagegen]"),
    Question("JWT_JWKS_URL", "Where the issuer's keys are [the issuer]/.well-known/jwks.json"),
)
ALARMS: Final = (Question("ALARM_TOPIC_ARN", "ARN of the SNS topic that alarms tell [none]"),)


class BadAnswerError(ValueError):
    """An answer that no .env can hold, or that the stack would refuse; the message says why."""


def questions(dotenv: Mapping[str, str]) -> Iterator[Question]:
    """Yield what is worth asking: who may enter, keys where there is none at all, alarms."""
    if "JWT_ISSUER" not in dotenv:
        yield from (one for one in ISSUER if one.name not in dotenv)
    if not any(about.key_name in dotenv for about in PROVIDERS.values()):
        for about in PROVIDERS.values():
            text = f"{about.title} API key [leave this provider out]"
            yield Question(about.key_name, text, is_secret=True)
    yield from (one for one in ALARMS if one.name not in dotenv)


def checked(question: Question, answer: str) -> str:
    """Return an answer without spaces around it.

    Raises:
        BadAnswerError: it has a quote or what cannot be printed, or is an address without https.
    """
    answer = answer.strip()
    if not answer.isprintable() or "'" in answer or '"' in answer:
        raise BadAnswerError("Quotes and line breaks cannot be part of it.")
    is_address = question.name in ("JWT_ISSUER", "JWT_JWKS_URL")
    if answer and is_address and not answer.startswith("https://"):
        raise BadAnswerError("It must begin with https://")
    return answer


def ask(
    asked: Iterator[Question],
    *,
    read: Callable[[str], str],
    read_secret: Callable[[str], str],
    say: Callable[[str], object] = print,
) -> dict[str, str]:
    """Return what was answered, by name; an empty answer sets nothing.

    ``read_secret`` reads without showing what is typed.
    """
    return {one.name: answer for one in asked if (answer := _answer(one, read, read_secret, say))}


def _answer(
    question: Question,
    read: Callable[[str], str],
    read_secret: Callable[[str], str],
    say: Callable[[str], object],
) -> str:
    reader = read_secret if question.is_secret else read
    while True:
        try:
            return checked(question, reader(f"  {question.text}: "))
        except BadAnswerError as error:
            say(f"  {error}")


def keep(answers: Mapping[str, str], path: Path) -> None:
    """Put answers behind what a .env file says already; keys are for its owner alone to read."""
    if not answers:
        return
    path.touch(mode=0o600)
    path.chmod(0o600)
    old = path.read_text()
    between = "" if not old or old.endswith("\n") else "\n"
    # In quotes: an address may have a #.
    new = "".join(f'{name}="{value}"\n' for name, value in answers.items())
    path.write_text(f"{old}{between}{new}")
