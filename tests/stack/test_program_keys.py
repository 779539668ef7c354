"""Keys for programs on the deployed stack: made by command, used by OpenAI's SDK, and stopped."""

import subprocess
import time

import openai
import pytest

from local.paths import ROOT
from tests.stack.driver import Driver, Person

PROMPT = "A red fox in fresh snow"
MINUTE_SECONDS = 62


def make(stack: Driver, target: str, *variables: str) -> str:
    """Return what a command prints."""
    done = subprocess.run(  # noqa: S603 our own Makefile
        ["make", target, f"STACK={stack.urls['stackName']}", *variables],  # noqa: S607
        cwd=ROOT,
        env=stack.local.emulator.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_key_is_made_used_for_people_rotated_and_revoked(stack: Driver) -> None:
    given = ("SCOPES=images,people", "DAY=0.02", "MONTH=1", "EXPIRES=1d")
    text = make(stack, "key", "NAME=a tool", *given).split()[0]
    key_id = text[3:11]
    program = Person(stack, text)
    usage = program.usage()
    assert {"level": "key", "usdToday": "0.020000", "usdThisMonth": "1.000000"} in usage["limits"][
        "levels"
    ]
    client = openai.OpenAI(base_url=f"{stack.urls['generateUrl']}/v1", api_key=text, max_retries=0)
    named = {"x-imagegen-on-behalf-of": "somebody"}
    images, refused = 0, ""
    while not refused and images < 20:
        try:
            client.images.generate(prompt=PROMPT, model="fast", extra_headers=named)
            images += 1
        except openai.RateLimitError as error:
            refused = str(error.code)
    assert (images > 0, refused) == (True, "key_daily_spend")
    listed = make(stack, "keys")
    assert key_id in listed
    assert text not in listed
    new = make(stack, "key-rotate", f"KEY={key_id}", "OVERLAP=1h").split()[0]
    assert new[:11] == text[:11]
    for one in (text, new):
        assert Person(stack, one).usage()["spent"] == "0.000000"
    make(stack, "key-revoke", f"KEY={key_id}")
    time.sleep(MINUTE_SECONDS)
    url = f"{stack.urls['generateUrl']}/usage"
    assert [Person(stack, one).call("GET", url).status for one in (text, new)] == [401, 401]
    with pytest.raises(openai.AuthenticationError):
        client.models.list()
