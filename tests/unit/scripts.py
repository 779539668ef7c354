"""Runs scripts of the page in one Node process, each in a thread of its own: it starts once."""

import atexit
import json
import shutil
import subprocess
from functools import cache
from typing import IO

NODE = shutil.which("node")
RUNNER = """
import { createInterface } from "node:readline";
import { Worker } from "node:worker_threads";
for await (const line of createInterface({ input: process.stdin })) {
  const address = new URL("data:text/javascript," + encodeURIComponent(JSON.parse(line)));
  const worker = new Worker(address, { stdout: true, stderr: true });
  let told = "", failed = "";
  worker.stdout.on("data", (text) => { told += text; });
  worker.on("error", (error) => { failed = String(error?.stack ?? error); });
  await new Promise((done) => worker.on("exit", done));
  await new Promise((done) => setImmediate(done));
  process.stdout.write(JSON.stringify({ told, failed }) + "\\n");
}
"""


@cache
def _runner() -> tuple[IO[bytes], IO[bytes]]:
    process = subprocess.Popen(  # noqa: S603
        [NODE or "", "--input-type=module", "-e", RUNNER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    # It ends with its input.
    atexit.register(process.communicate)
    assert process.stdin
    assert process.stdout
    return process.stdin, process.stdout


def written_by(script: str) -> object:
    """Return what a script writes to its console, as JSON.

    Raises:
        AssertionError: the script fails.
    """
    to, of = _runner()
    to.write(json.dumps(script).encode() + b"\n")
    to.flush()
    answer = json.loads(of.readline())
    assert not answer["failed"], answer["failed"]
    found: object = json.loads(answer["told"])
    return found
