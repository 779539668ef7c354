"""What `make deploy` says to somebody who deploys for the first time."""

from pathlib import Path

from local.deploy import guide


def test_a_first_deployment_says_what_is_set_and_what_is_missing() -> None:
    said = guide("prod", Path(".env"), {"OPENAI_API_KEY": "sk-CANARY"})
    assert "tokens      JWT_ISSUER is not set: nobody will be let in" in said
    assert "providers   openai" in said
    assert "alarms      on the dashboard only" in said
    assert "CANARY" not in said


def test_without_any_setting_nothing_is_promised() -> None:
    assert "no key is set: nothing will be offered" in guide("prod", Path(".env"), {})
