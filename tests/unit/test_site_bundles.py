"""The page's modules as one: the same exports, each part once, no form that is not known."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegen.site.bundles import Bundler, UnknownSyntaxError, stripped
from imagegen.site.files import ENTRIES, providers_script
from local.paths import ROOT

STATIC = ROOT / "functions" / "page" / "static"
MODULES = {
    "entry.js": 'import { add as plus, ONE } from "./sums.js";\nimport "./told.js";\n'
    'export { ONE } from "./sums.js";\nexport const TWO = plus(ONE, ONE);\n',
    "sums.js": 'import { told } from "./told.js";\n/** A sum. */\n'
    "export function add(a, b) { told.push(a); return a + b; }\nexport const ONE = 1;\n",
    "told.js": "const told = [];\n// Twice would be two lists.\nexport { told };\n",
}


def read(name: str) -> str:
    return providers_script().decode() if name == "providers.js" else (STATIC / name).read_text()


def bundle(modules: dict[str, str], entry: str = "entry.js") -> str:
    return Bundler(modules.__getitem__).bundled(entry)


def exported(text: str) -> set[str]:
    listed = re.findall(r"^export \{([^}]*)\}", text, re.MULTILINE)
    names = [one.strip() for found in listed for one in found.split(",")]
    declared = re.findall(
        r"^export (?:const|class|async function|function) (\w+)", text, re.MULTILINE
    )
    return {*names, *declared} - {""}


def test_each_part_is_there_once_before_what_imports_it() -> None:
    text = bundle(MODULES)
    assert text.count("const $told_js") == text.count("const $sums_js") == 1
    assert text.index("const $told_js") < text.index("const $sums_js") < text.index("TWO")
    assert "import " not in text
    assert exported(text) == {"ONE", "TWO"}


@pytest.mark.parametrize("entry", ENTRIES)
def test_an_entry_keeps_its_exports_and_imports_no_file(entry: str) -> None:
    text = Bundler(read).bundled(entry)
    assert exported(text) == exported(read(entry))
    assert not re.search(r'^import .*"\./', text, re.MULTILINE)


@pytest.mark.parametrize(
    "text",
    [
        'import told from "./told.js";\n',
        'import * as told from "./told.js";\n',
        'export * from "./told.js";\n',
        "export default 1;\n",
        "export let count = 0;\n",
    ],
)
def test_a_form_that_is_not_known_is_an_error(text: str) -> None:
    with pytest.raises(UnknownSyntaxError, match="has a form that is not known"):
        bundle({**MODULES, "sums.js": text})


@pytest.mark.parametrize("text", ['import told from "./told.js";\n', "export default 1;\n"])
def test_in_an_entry_too(text: str) -> None:
    with pytest.raises(UnknownSyntaxError):
        bundle({**MODULES, "entry.js": text})


def test_modules_that_import_each_other_are_an_error() -> None:
    circle = 'import { ONE } from "./sums.js";\nexport const told = ONE;\n'
    with pytest.raises(UnknownSyntaxError, match="imports itself"):
        bundle({**MODULES, "told.js": circle})


@given(st.lists(st.sampled_from(["a();", "  b(`x`);", "// c", "/* d\n * e */", "", "\tf('//g');"])))
def test_only_whole_lines_of_comment_and_spaces_at_lines_starts_go(lines: list[str]) -> None:
    code = [
        one.strip() for one in lines if one.strip() and not one.strip().startswith(("//", "/*"))
    ]
    assert stripped("\n".join([*lines, "end"])).split() == " ".join([*code, "end"]).split()


@pytest.mark.thorough
@pytest.mark.skipif(shutil.which("node") is None, reason="node reads the syntax")
@pytest.mark.parametrize("entry", ENTRIES)
def test_a_bundle_is_a_module(entry: str, tmp_path: Path) -> None:
    path = tmp_path / "bundle.mjs"
    path.write_text(Bundler(read).bundled(entry))
    done = subprocess.run(  # noqa: S603
        [shutil.which("node") or "", "--check", str(path)], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_what_a_class_keeps_to_itself_has_a_short_name_and_an_id_of_that_name_keeps_it() -> None:
    text = (
        'const css = `\n#count { color: #abc; }\n`;\nconst link = "#count";\nclass One {\n'
        "  #count = 1;\n  static #of = (one) => one.#count;\n"
        "  get #twice() { return this.#count * 2; }\n"
        "  async #later() { return this.#twice; }\n"
        "  act() { return One.#of(this) + this.#later(); }\n}\n"
    )
    assert stripped(text) == (
        'const css = `\n#count{color:#abc}`;\nconst link = "#count";\nclass One {\n'
        "#_0 = 1;\nstatic #_2 = (one) => one.#_0;\nget #_1() { return this.#_0 * 2; }\n"
        "async #_3() { return this.#_1; }\n"
        "act() { return One.#_2(this) + this.#_3(); }\n}\n"
    )
