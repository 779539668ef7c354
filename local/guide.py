"""The questions of a first ``make deploy``: it asks for missing settings and saves them in .env."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from imagegen.providers import registry


@dataclass(frozen=True, slots=True)
class Question:
    """One setting that a person can be asked for."""

    name: str
    text: str
    is_secret: bool = False


ISSUER: Final = (
    Question("JWT_ISSUER", "Issuer of your users' tokens, an https address (docs/deploy.md)"),
    Question("JWT_AUDIENCE", "Audience in your users' tokens [imagegen]"),
    Question("JWT_JWKS_URL", "Address of the issuer's keys [the issuer]/.well-known/jwks.json"),
)
ALARMS: Final = (Question("ALARM_TOPIC_ARN", "ARN of the SNS topic that alarms notify [none]"),)


class BadAnswerError(ValueError):
    """A .env file cannot contain the answer, or the stack would refuse it; the message says why."""


def questions(dotenv: Mapping[str, str]) -> Iterator[Question]:
    """Yield the questions whose settings are missing: token issuer, provider keys, alarms.

    Keys are asked for only when no provider has one.
    """
    if "JWT_ISSUER" not in dotenv:
        yield from (one for one in ISSUER if one.name not in dotenv)
    keyed = {about.key_name: about for about in registry().values() if about.key_name}
    if not keyed.keys() & dotenv.keys():
        for name, about in keyed.items():
            text = f"{about.title} API key [leave this provider out]"
            yield Question(name, text, is_secret=True)
    yield from (one for one in ALARMS if one.name not in dotenv)


def checked(question: Question, answer: str) -> str:
    """Return an answer without spaces around it.

    Raises:
        BadAnswerError: the answer contains a quote or an unprintable character, or it is an
            address without https.
    """
    answer = answer.strip()
    if not answer.isprintable() or "'" in answer or '"' in answer:
        raise BadAnswerError("The answer must not contain quotes or line breaks.")
    is_address = question.name in ("JWT_ISSUER", "JWT_JWKS_URL")
    if answer and is_address and not answer.startswith("https://"):
        raise BadAnswerError("The address must begin with https://")
    return answer


def ask(
    wanted: Iterator[Question],
    *,
    read: Callable[[str], str],
    read_secret: Callable[[str], str],
    say: Callable[[str], object] = print,
) -> dict[str, str]:
    """Ask the questions and return the answers by name; an empty answer is left out.

    ``read_secret`` reads without showing what is typed.
    """
    return {one.name: answer for one in wanted if (answer := _answer(one, read, read_secret, say))}


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
    """Append the answers to a .env file; only the file's owner may read it, because of the keys."""
    if not answers:
        return
    path.touch(mode=0o600)
    path.chmod(0o600)
    old = path.read_text()
    between = "" if not old or old.endswith("\n") else "\n"
    # In quotes, because an address may contain a #.
    new = "".join(f'{name}="{value}"\n' for name, value in answers.items())
    path.write_text(f"{old}{between}{new}")
