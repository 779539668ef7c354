"""A picture is saved by one function of the page, named by its prompt and its bytes' kind."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from local.paths import ROOT

NODE = shutil.which("node")
STATIC = ROOT / "functions" / "page" / "static"
STAGE = """
const asked = [], clicked = [], revoked = [];
globalThis.fetch = async (url, { headers }) => {
  asked.push([url, headers.accept]);
  return { ok: OK, blob: async () => ({ type: TYPE }) };
};
URL.createObjectURL = () => "blob:one";
URL.revokeObjectURL = (href) => revoked.push(href);
globalThis.setTimeout = (act) => act();
const link = () => ({ click() { clicked.push([this.href, this.download]); } });
globalThis.document = { createElement: link };
const { savePicture } = await import(SAVING);
const saving = savePicture("https://us.test/images/one", "A red fox!");
const said = await saving;
console.log(JSON.stringify({ asked, clicked, revoked, said }));
"""

pytestmark = pytest.mark.skipif(NODE is None, reason="node runs the page's scripts")


def saved(folder: Path, media_type: str, *, is_found: bool) -> dict[str, object]:
    """Return what is asked for and saved when the address answers like that."""
    # Beside it the list of providers, which the page's function writes.
    for name in ("saving.js", "format.js", "locale.js"):
        shutil.copy(STATIC / name, folder)
    (folder / "providers.js").write_text("export const PROVIDERS = {};")
    (folder / "package.json").write_text('{"type": "module"}')
    values = {"OK": is_found, "TYPE": media_type, "SAVING": (folder / "saving.js").as_uri()}
    text = "".join(f"const {name} = {json.dumps(value)};\n" for name, value in values.items())
    done = subprocess.run(  # noqa: S603
        [NODE or "", "--input-type=module", "-e", text + STAGE],
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr.decode()
    found: dict[str, object] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(("kind", "ending"), [("png", "png"), ("jpeg", "jpg"), ("webp", "webp")])
def test_the_file_is_named_by_its_prompt_and_its_own_kind(
    tmp_path: Path, kind: str, ending: str
) -> None:
    assert saved(tmp_path, f"image/{kind}", is_found=True) == {
        "asked": [["https://us.test/images/one", "image/*"]],
        "clicked": [["blob:one", f"a-red-fox.{ending}"]],
        "revoked": ["blob:one"],
        "said": "downloaded",
    }


@pytest.mark.parametrize(
    ("media_type", "is_found"), [("image/png", False), ("application/json", True), ("", True)]
)
def test_what_is_no_picture_is_not_saved(
    tmp_path: Path, media_type: str, *, is_found: bool
) -> None:
    found = saved(tmp_path, media_type, is_found=is_found)
    assert (found["clicked"], found["said"]) == ([], "downloadFailed")


def test_no_other_script_saves_pictures() -> None:
    saving = [path.name for path in STATIC.glob("*.js") if "createObjectURL" in path.read_text()]
    # The other one shows a file that is uploaded.
    assert sorted(saving) == ["inputs-view.js", "saving.js"]
