"""The page's modules as one: the same exports, each part once, no form that is not known."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegen.site.bundles import Bundler, UnknownSyntaxError, closed, stripped
from imagegen.site.files import ENTRIES, providers_script
from local.paths import ROOT
from tests.unit.scripts import NODE, written_by

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
    listed = re.findall(r"^export ?\{([^}]*)\}", text, re.MULTILINE)
    names = [one.strip() for found in listed for one in found.split(",")]
    declared = re.findall(
        r"^export (?:const|class|async function|function)\*? (\w+)", text, re.MULTILINE
    )
    return {*names, *declared} - {""}


def test_each_part_is_there_once_before_what_imports_it() -> None:
    text = bundle(MODULES)
    assert text.count("const $told_js") == text.count("const $sums_js") == 1
    assert text.index("const $told_js") < text.index("const $sums_js") < text.index("TWO")
    assert "import " not in text
    assert exported(text) == {"ONE", "TWO"}


SAME_NAMES = {
    "entry.js": 'import { h, one } from "./a.js";\nimport { two } from "./b.js";\n'
    'import { h as other } from "./c.js";\nimport { three } from "./e.js";\n'
    "export const all = [one(), two(), three(), h, other];\n",
    "a.js": 'import { status } from "./d.js";\nexport const h = "a";\nconst own = "A";\n'
    "export const one = () => own + status() + own;\n",
    "b.js": 'import { h } from "./c.js";\nconst own = "B";\n'
    "export function two() { return own + h; }\n",
    "c.js": 'export const h = "c";\n',
    "e.js": 'const own = "E";\nexport const three = () => own;\n',
    "d.js": 'export function status() { return "d"; }\n',
}


@pytest.mark.skipif(NODE is None, reason="node runs the bundle")
def test_modules_stand_side_by_side_and_none_takes_the_name_of_another() -> None:
    text = bundle(SAME_NAMES)
    # The entry has another name for c's, b has a name of e's, and d has one of the browser's.
    assert sorted(set(re.findall(r"\$\w_js", text))) == ["$a_js", "$b_js", "$c_js", "$d_js"]
    script = f"""const text = encodeURIComponent({json.dumps(text)});
const {{ all }} = await import(`data:text/javascript,${{text}}`);
console.log(JSON.stringify(all));"""
    assert written_by(script) == ["AdA", "Bc", "E", "a", "c"]


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


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("const a = b ? c : { d: [e, f] };\ng(a, !b);\n", "const a=b?c:{d:[e,f]};g(a,!b);"),
        (
            "if (a) return (b);\nelse if (c) {\nd();\n} else throw e;\n",
            "if(a)return(b);else if(c){d();}else throw e;",
        ),
        (
            'return "a  =  b, \\" ; c" + `d  =  ${e ? `${f} ;  ` : "}" } , ` + g;',
            'return "a  =  b, \\" ; c"+`d  =  ${e ? `${f} ;  ` : "}" } , `+g;',
        ),
        ('a = b / c / d; // why, "so"\ne();\n', "a=b/c/d;\ne();"),
        ('x = y.replace(/[/"] = \\/ `/g, z) / 2;', 'x=y.replace(/[/"] = \\/ `/g,z)/ 2;'),
        ("a = b + +c - -d; e++ + f; g = -h;", "a=b + +c - -d;e++ + f;g=-h;"),
        ("a(/* b */ c); async *d() {}\nyield* e;\n", "a( c);async*d(){}yield*e;"),
        ("};\nexport { a, b };\nexport const c = 1;\n", "};\nexport{a,b};\nexport const c=1;"),
        ("one.#a = this.#b ?? 1;\nstatic #c = (d) => d;\n", "one.#a=this.#b??1;static #c=(d)=>d;"),
    ],
)
def test_spaces_go_only_where_they_say_nothing(text: str, expected: str) -> None:
    assert closed(text) == expected


@pytest.mark.parametrize("path", sorted(STATIC.glob("*.js")), ids=lambda path: path.name)
def test_of_a_script_only_spaces_go_and_none_of_a_text(path: Path) -> None:
    text = stripped(path.read_text())
    small = closed(text)
    assert "".join(small.split()) == "".join(text.split())
    # Regular expressions have signs of texts in them.
    plain = [re.sub(r"/\[(?:[^\]\\\n]|\\.)*\][+*]?/\w*", "", one) for one in (small, text)]
    for literal in (r'"(?:[^"\\\n]|\\.)*"', r"`[^`]*`"):
        assert re.findall(literal, plain[0]) == re.findall(literal, plain[1])
