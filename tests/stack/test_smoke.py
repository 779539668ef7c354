"""`make smoke` over the deployed stack: one image, its bytes, the health report, the alarms."""

import subprocess
from typing import Any

import pytest

from local.paths import ROOT
from tests.stack.driver import Driver


def smoke(stack: Driver, token: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 our own Makefile
        ["make", "smoke", f"STACK={stack.urls['stackName']}", "YES=1"],  # noqa: S607
        cwd=ROOT,
        env={**stack.local.emulator.environment(), "TOKEN": token},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_good_stack_passes_and_one_cheap_image_is_paid(stack: Driver) -> None:
    person = stack.person()
    done = smoke(stack, person.token)
    assert done.returncode == 0, done.stdout + done.stderr
    for line in (
        "account     000000000000",
        "Region      us-east-1",
        "estimate    ",
        "bytes       ",
    ):
        assert line in done.stdout
    assert "the same image, not charged again" in done.stdout
    assert "health      healthy" in done.stdout
    usage = person.usage()
    assert usage["images"] == 1
    assert float(usage["spent"]) <= 0.01


@pytest.mark.parametrize(("token", "said"), [("nonsense", "401"), ("", "set TOKEN=")])
def test_a_check_that_fails_is_named(stack: Driver, token: str, said: str) -> None:
    done = smoke(stack, token)
    assert done.returncode
    assert said in done.stderr


def test_bytes_that_cannot_be_shown_fail_it(stack: Driver, tmp_path: Any) -> None:
    del tmp_path
    s3, bucket = stack.client("s3"), stack.urls["bucket"]
    person = stack.person()
    made = person.make(quality="fast").json
    key = next(
        one["Key"]
        for one in s3.list_objects_v2(Bucket=bucket)["Contents"]
        if one["Key"].endswith(made["id"][:24])
    )
    before = s3.get_object(Bucket=bucket, Key=key)
    other = before["Body"].read() + b"0"
    from operations.smoke import SmokeError, compared  # noqa: PLC0415

    assert "equal to those in S3" in compared(made)
    s3.put_object(Bucket=bucket, Key=key, Body=b"GIF89a" + other, ContentType="image/png")
    with pytest.raises(SmokeError, match="The image is not image"):
        compared(made)
