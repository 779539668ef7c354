"""What generate holds at most: a set of large images of large inputs fits into its memory."""

import json
import platform
import subprocess
import sys

import pytest

from local.paths import ROOT

LIMIT_MB = 512
"""``MemorySize`` of the functions in template.yaml."""
RESERVE_MB = 16
"""For what Lambda has in the same memory beside the handler's process."""
IMAGE_BYTES = 10_000_000


@pytest.mark.parametrize("row", ["openai-standard", "bfl-high"])
@pytest.mark.skipif(platform.system() != "Linux", reason="the kernel's peak is read from /proc")
def test_four_images_of_10_mb_made_of_two_inputs_of_10_mb_fit(row: str) -> None:
    """OpenAI gets its pictures as a form, Black Forest Labs as base64 in JSON."""
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "bench.set_process", str(IMAGE_BYTES), row],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT / "layers" / "shared")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["peakMb"] < LIMIT_MB - RESERVE_MB, found


def test_the_limit_is_the_one_that_is_deployed() -> None:
    assert f"    MemorySize: {LIMIT_MB}\n" in (ROOT / "template.yaml").read_text()
