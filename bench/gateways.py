"""The peers, each in an environment of its own under ``.tools/gateways``, at the versions named."""

import json
import os
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bench import ground
from local.emulator import base_environment
from local.paths import ROOT, UV
from local.processes import LOOPBACK, free_port, running, wait_until_answering

HOME: Final = ROOT / ".tools" / "gateways"
LITELLM: Final = "1.106.2"
PORTKEY: Final = "1.15.2"
KEY: Final = "local-key"
MASTER_KEY: Final = f"sk-{secrets.token_hex(32)}"
"""LiteLLM's proxy starts with none but a long one."""
MODEL: Final = "gpt-image-2"
START_SECONDS: Final = 90.0


def litellm() -> Path:
    """Return the interpreter that has LiteLLM and its proxy."""
    home = HOME / f"litellm-{LITELLM}"
    if not (home / "done").is_file():
        _run(UV, "venv", "-q", "--clear", "--python", "3.13", home)
        wanted = f"litellm[proxy]=={LITELLM}"
        _run(UV, "pip", "install", "-q", "--link-mode", "copy", "--python", home, wanted)
        ground.compiled(_site(home))
        (home / "done").touch()
    return home / "bin" / "python"


def litellm_packages() -> Path:
    """Return the folder that LiteLLM is imported from."""
    return _site(litellm().parent.parent)


def portkey() -> Path:
    """Return Portkey's server."""
    home = HOME / f"portkey-{PORTKEY}"
    package = home / "node_modules" / "@portkey-ai" / "gateway"
    if not (home / "done").is_file():
        home.mkdir(parents=True, exist_ok=True)
        wanted = f"@portkey-ai/gateway@{PORTKEY}"
        _run("npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", home, wanted)
        (home / "done").touch()
    entry = json.loads((package / "package.json").read_text())["bin"]
    return package / (entry if isinstance(entry, str) else next(iter(entry.values())))


@contextmanager
def litellm_proxy(directory: Path, provider_url: str) -> Iterator[tuple[str, int]]:
    """Run LiteLLM's proxy. Yield its address and its process."""
    port, log = free_port(), directory / "litellm.log"
    config = directory / "litellm.yaml"
    parameters = {"model": f"openai/{MODEL}", "api_base": provider_url, "api_key": KEY}
    model = {
        "model_name": MODEL,
        "litellm_params": parameters,
        "model_info": {"mode": "image_generation"},
    }
    # JSON is YAML.
    config.write_text(json.dumps({"model_list": [model], "litellm_settings": {"num_retries": 0}}))
    # By its interpreter: the script names the place where it was installed.
    command: list[str | Path] = [
        litellm(),
        litellm().parent / "litellm",
        "--config",
        config,
        "--host",
        LOOPBACK,
    ]
    command += ["--port", str(port), "--num_workers", "1"]
    env = {**quiet(directory), "LITELLM_MASTER_KEY": MASTER_KEY}
    with running(command, env=env, log=log, cwd=directory) as process:
        url = f"http://{LOOPBACK}:{port}"
        wait_until_answering(f"{url}/health/liveliness", process, log, START_SECONDS)
        yield f"{url}/v1", process.pid


@contextmanager
def portkey_gateway(directory: Path) -> Iterator[tuple[str, int]]:
    """Run Portkey's gateway. Yield its address and its process."""
    port, log = free_port(), directory / "portkey.log"
    command: list[str | Path] = ["node", portkey(), f"--port={port}", "--headless"]
    # It refuses upstreams on loopback unless told that they are trusted.
    env = {
        **quiet(directory),
        "TRUSTED_CUSTOM_HOSTS": f"{LOOPBACK},localhost",
        "NODE_ENV": "production",
    }
    with running(command, env=env, log=log, cwd=directory) as process:
        url = f"http://{LOOPBACK}:{port}"
        wait_until_answering(url, process, log, START_SECONDS)
        yield f"{url}/v1", process.pid


def quiet(directory: Path) -> dict[str, str]:
    """Return an environment in which nothing calls home."""
    return {
        **base_environment(directory),
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_LOG": "ERROR",
        "LITELLM_TELEMETRY": "False",
        "HF_HUB_OFFLINE": "1",
    }


def _site(home: Path) -> Path:
    return home / "lib" / "python3.13" / "site-packages"


def _run(*command: str | Path) -> None:
    env = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    subprocess.run(  # noqa: S603 our own commands
        command, check=True, cwd=ROOT, env=env, stdout=subprocess.DEVNULL
    )
