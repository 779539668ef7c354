"""What `make deploy` says to somebody who deploys for the first time."""

from argparse import Namespace
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local import guide
from local.parameters import read_dotenv
from operations import concurrency, deploy
from operations.accounts import AccountError, Place
from operations.deploy import has_no_brake, refuse_stand_ins
from operations.push_env import KEYS


def test_a_chat_without_a_brake_is_not_deployed() -> None:
    assert has_no_brake({"ChatModel": "m", "ChatConcurrency": "0"})
    assert has_no_brake({"ChatModel": "m", "ChatConcurrency": " 0 "})
    assert not has_no_brake({"ChatModel": "m", "ChatConcurrency": "3"})
    assert not has_no_brake({"ChatModel": "m"}), "the template's default is a brake"
    assert not has_no_brake({"ChatConcurrency": "0"}), "there is no chat"


@pytest.mark.parametrize(
    ("kept", "dotenv", "is_refused"),
    [
        # The default of older versions was 0, and a stack keeps what .env does not name.
        ({"ChatConcurrency": "0"}, {"CHAT_MODEL": "m"}, True),
        ({"ChatConcurrency": "0", "ChatModel": "m"}, {}, True),
        ({"ChatConcurrency": "0", "ChatModel": "m"}, {"CHAT_CONCURRENCY": "2"}, False),
        ({"ChatModel": "m"}, {"CHAT_MODEL": "-", "CHAT_CONCURRENCY": "0"}, False),
        ({"ChatConcurrency": "0"}, {"CHAT_MODEL": "m", "CHAT_CONCURRENCY": "-"}, False),
    ],
)
def test_what_a_stack_keeps_counts_as_what_is_set(
    kept: dict[str, str],
    dotenv: dict[str, str],
    is_refused: bool,  # noqa: FBT001 a case
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(deploy, "release", lambda *_: "r")
    found = {
        "Parameters": [{"ParameterKey": name, "ParameterValue": one} for name, one in kept.items()]
    }
    given = Namespace(fast=False, architecture="arm64")
    assert has_no_brake(deploy.chosen(dotenv, found, given)) == is_refused


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ("CHAT_MODEL=m\nCHAT_CONCURRENCY=0\n", "CHAT_CONCURRENCY is 0"),
        ("STAND_INS=opnai=http://127.0.0.1:1\n", "STAND_INS has opnai"),
    ],
)
def test_what_is_refused_ends_the_command_before_it_asks_or_changes_anything(
    settings: str, named: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text(settings)
    for name in ("agree", "run_sam", "finish"):
        monkeypatch.setattr(deploy, name, lambda *_, step=name: pytest.fail(step))
    monkeypatch.setattr(deploy, "release", lambda *_: "r")
    monkeypatch.setattr("boto3.client", lambda *_: None)
    place = Place("1" * 12, "someone", "us-east-1", "a test")
    monkeypatch.setattr("operations.accounts.place", lambda: place)
    monkeypatch.setattr("operations.accounts.describe", lambda *_: None)
    given = Namespace(fast=False, yes=True, architecture="arm64", stack="imagegen", env_file=dotenv)
    with pytest.raises(AccountError, match=named):
        deploy.deploy(given)


@pytest.mark.parametrize("value", ["ten", "1.5", "-1", "", " ", "1e3", "1_000", "\u0663"])
def test_a_concurrency_that_is_no_number_is_named(value: str) -> None:
    with pytest.raises(AccountError, match=r"CHAT_CONCURRENCY=.* must be a whole number"):
        concurrency.count("ChatConcurrency", value)


def test_a_concurrency_is_a_number() -> None:
    assert [concurrency.count("ChatConcurrency", one) for one in ("0", "10", " 7 ")] == [0, 10, 7]


def test_a_named_file_of_settings_must_be_there(tmp_path: Path) -> None:
    there = tmp_path / ".env.staging"
    there.touch()
    for good in (there, tmp_path / ".env"):
        deploy.refuse_absent(good)
    with pytest.raises(AccountError, match=r"There is no .*\.env\.stagin: copy"):
        deploy.refuse_absent(tmp_path / ".env.stagin")


def told(answers: list[str]) -> tuple[Callable[[str], str], list[str]]:
    """Return a reader that gives these answers in turn, and what it was asked."""
    left, heard = iter(answers), list[str]()

    def read(question: str) -> str:
        heard.append(question)
        return next(left)

    return read, heard


def test_only_what_is_missing_is_asked_for() -> None:
    names = [one.name for one in guide.questions({})]
    keys = [*KEYS.values()]
    assert names == ["JWT_ISSUER", "JWT_AUDIENCE", "JWT_JWKS_URL", *keys, "ALARM_TOPIC_ARN"]
    set_up = {"JWT_ISSUER": "https://a", "GEMINI_API_KEY": "k", "ALARM_TOPIC_ARN": "arn:x"}
    assert list(guide.questions(set_up)) == []


def test_keys_are_never_shown_while_they_are_typed() -> None:
    read, shown = told(["https://issuer.example.com", "", "", ""])
    read_secret, hidden = told(["sk-1", *[""] * (len(KEYS) - 1)])
    answers = guide.ask(guide.questions({}), read=read, read_secret=read_secret)
    assert answers == {"JWT_ISSUER": "https://issuer.example.com", "OPENAI_API_KEY": "sk-1"}
    assert not any("API key" in one for one in shown)
    assert all("API key" in one for one in hidden)


def test_an_answer_that_the_stack_would_refuse_is_asked_again() -> None:
    read, _ = told(["http://issuer.example.com", 'https://a"b', " https://issuer.example.com "])
    said = list[str]()
    (issuer,) = guide.ask(
        iter(guide.ISSUER[:1]), read=read, read_secret=read, say=said.append
    ).values()
    assert issuer == "https://issuer.example.com"
    assert said == [
        "  The address must begin with https://",
        "  The answer must not contain quotes or line breaks.",
    ]


@given(st.dictionaries(st.from_regex(r"[A-Z][A-Z_]{0,9}", fullmatch=True), st.text(min_size=1)))
def test_what_was_answered_is_read_again_as_it_was(answers: dict[str, str]) -> None:
    kept = dict[str, str]()
    for name, answer in answers.items():
        with suppress(guide.BadAnswerError):
            kept[name] = guide.checked(guide.Question(name, ""), answer)
    kept = {name: value for name, value in kept.items() if value}
    with TemporaryDirectory() as directory:
        path = Path(directory) / ".env"
        path.write_text("HOURLY_IMAGES=3")  # without a line's end
        guide.keep(kept, path)
        assert read_dotenv(path) == {"HOURLY_IMAGES": "3", **kept}
        assert not kept or path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("stand_ins", "named"),
    [
        ("", ""),
        ("openai=http://127.0.0.1:1/v1,fal=", ""),
        ("opnai=http://127.0.0.1:1", "STAND_INS has opnai"),
        ("fal=http://127.0.0.1:1,b=", "STAND_INS has b: it takes openai, "),
    ],
)
def test_a_stand_in_that_would_not_be_called_is_refused(stand_ins: str, named: str) -> None:
    """Or the vendor itself would be called, and would bill."""
    parameters = {"StandIns": stand_ins}
    if not named:
        refuse_stand_ins(parameters)
        return
    with pytest.raises(AccountError, match=named):
        refuse_stand_ins(parameters)
