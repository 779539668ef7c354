"""imagegen.d.ts as TypeScript reads it, and the package as npm packs it."""

import json
import re
import shutil
import tarfile
from pathlib import Path

import pytest

from tests.browser.bundles import APPS, INSTALLED, bundles, needed, run
from tests.browser.stage import STATIC, Gallery, OpenGallery

PACKAGE = json.loads((STATIC / "package.json").read_text())
STRICT = [
    *("--noEmit", "--strict", "--target", "es2022", "--lib", "es2022,dom,dom.iterable"),
    *("--module", "esnext", "--moduleResolution", "bundler", "--jsx", "react-jsx"),
]


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that a package manager installs."""
    folder = tmp_path_factory.mktemp("packed")
    run([needed("npm"), "pack", str(STATIC), "--silent", "--pack-destination", str(folder)])
    (packed,) = folder.glob("*.tgz")
    with tarfile.open(packed) as archive:
        archive.extractall(folder, filter="data")
    return folder / "package"


def compiled(folder: Path, packed: Path, name: str, *options: str) -> None:
    """Fail unless a file of the types folder compiles there, with the package installed."""
    home = folder / "node_modules" / "imagegen-elements"
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(packed, home)
    shutil.copy(APPS / "types" / name, folder)
    run([str(INSTALLED / "node_modules/.bin/tsc"), *STRICT, *options, name], folder=folder)


def test_the_types_are_true_in_plain_typescript_where_no_framework_is_installed(
    packed: Path, tmp_path: Path
) -> None:
    bundles()
    compiled(tmp_path, packed, "plain.ts")


@pytest.mark.parametrize("name", ["react.tsx", "vue.ts"])
def test_the_types_are_true_in_a_frameworks_project(packed: Path, name: str) -> None:
    bundles()
    compiled(INSTALLED, packed, name, "--skipLibCheck")


def test_the_package_holds_what_its_modules_import_and_no_page(packed: Path) -> None:
    files = {path.name for path in packed.iterdir()}
    assert files == {*PACKAGE["files"], "package.json"}
    for path in packed.glob("*.js"):
        named = re.findall(r'(?:from|import\() ?"\./([\w-]+\.js)"', path.read_text())
        assert set(named) <= files, path.name


def test_the_package_depends_on_nothing_and_names_no_address() -> None:
    text = json.dumps(PACKAGE)
    assert "ependencies" not in text
    assert "http" not in text
    assert PACKAGE["private"] is True


def test_the_package_is_imported_where_a_server_renders(packed: Path) -> None:
    script = "const all = await import('./elements.js'); await import('./aisdk.js');"
    script += "console.log(Object.keys(all).sort().join())"
    found = run([needed("node"), "--input-type=module", "--eval", script], folder=packed)
    names = "GeneratedImageElement,LlmInfoElement,ProblemError,configure,createClient,defaultClient"
    assert found.strip() == names


@pytest.mark.parametrize(("module", "types"), [("elements", "imagegen"), ("aisdk", "aisdk")])
def test_the_declared_names_are_those_that_a_module_exports(
    shared_gallery: OpenGallery, module: str, types: str
) -> None:
    gallery: Gallery = shared_gallery()
    declared = (STATIC / f"{types}.d.ts").read_text()
    named = re.findall(r"^export (?:class|function|const) (\w+)", declared, re.MULTILINE)
    found = gallery.page.evaluate(f"import('/{module}.js').then((all) => Object.keys(all))")
    assert sorted(named) == sorted(found)
