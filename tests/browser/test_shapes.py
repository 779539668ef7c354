"""What is promised about the elements in files of their own, against the code and the API."""

import gzip
import json
import re
from typing import Any

import pytest

from imagegen.site.files import providers_script, read_files
from local.paths import ROOT
from tests.browser.stage import STATIC, Gallery, OpenGallery

SCHEMAS: dict[str, Any] = json.loads((ROOT / "openapi.json").read_text())["components"]["schemas"]
MANIFEST: dict[str, Any] = json.loads((STATIC / "custom-elements.json").read_text())
DECLARED = (STATIC / "imagegen.d.ts").read_text()
INTERFACES = {
    name: dict(re.findall(r"^  (\w+)(\??):", body, re.MULTILINE))
    for name, body in re.findall(
        r"^export interface (\w+) \{\n(.*?)^\}", DECLARED, re.MULTILINE | re.DOTALL
    )
}
SHARED = sorted(set(INTERFACES) & set(SCHEMAS))
SPOKEN = {
    "Estimate", "EstimateRequest", "GeneratedImage", "ImageInProgress", "ImageStatus", "Problem",
}  # fmt: skip
SERVED = read_files(STATIC)
CLASSES = {one["tagName"]: one for module in MANIFEST["modules"] for one in module["declarations"]}


def gzipped(*names: str) -> int:
    """Bytes of files as they travel, each by itself."""
    return sum(len(gzip.compress(content_of(name), 9)) for name in names)


def content_of(name: str) -> bytes:
    return providers_script() if name == "providers.js" else (STATIC / name).read_bytes()


def loaded_by(name: str, seen: set[str] | None = None) -> set[str]:
    """A module and everything it imports."""
    seen = seen if seen is not None else set()
    seen.add(name)
    for other in re.findall(r'from "\./([\w-]+\.js)"', content_of(name).decode()):
        if other not in seen:
            loaded_by(other, seen)
    return seen


@pytest.mark.parametrize("name", SHARED)
def test_a_declared_shape_is_the_schema_of_the_api(name: str) -> None:
    schema = SCHEMAS[name]
    required = set(schema.get("required", []))
    assert INTERFACES[name] == {
        field: "" if field in required else "?" for field in schema["properties"]
    }


def test_every_shape_that_the_elements_speak_is_declared() -> None:
    assert set(SHARED) >= SPOKEN


def test_the_tiers_are_those_of_the_api() -> None:
    declared = re.search(r"export type Tier = (.*);", DECLARED)
    assert declared
    assert set(re.findall(r'"(\w+)"', declared[1])) == set(SCHEMAS["Tier"]["enum"])


@pytest.fixture
def gallery(shared_gallery: OpenGallery) -> Gallery:
    return shared_gallery()


@pytest.mark.parametrize("tag", CLASSES)
def test_the_manifest_names_what_the_classes_have(gallery: Gallery, tag: str) -> None:
    known = CLASSES[tag]
    members, attributes = gallery.page.evaluate(
        """(tag) => {
          const type = customElements.get(tag);
          const own = Object.getOwnPropertyNames(type.prototype);
          const named = own.filter((name) => !/constructor|Callback$/.test(name));
          return [named, type.observedAttributes ?? []];
        }""",
        tag,
    )
    assert {one["name"] for one in known["members"]} == set(members)
    assert {one["name"] for one in known.get("attributes", [])} == set(attributes)


def test_the_manifest_names_every_event_part_and_variable() -> None:
    known = CLASSES["generated-image"]
    # What an element has only after the click is a part of later.js.
    source = "".join(
        (STATIC / name).read_text() for name in ("generated-image.js", "element-acts.js")
    )
    styles = (STATIC / "styles.js").read_text()
    assert {one["name"] for one in known["events"]} == set(re.findall(r'"(image-\w+)"', source))
    parts = re.findall(r'part: "([\w-]+)"', source)
    assert {one["name"] for one in known["cssParts"]} == set(parts)
    variables = {v for v in re.findall(r"var\((--[\w-]+),", styles) if "-" in v[2:]}
    assert {one["name"] for one in known["cssProperties"]} == variables


def test_the_declared_events_are_those_of_the_manifest() -> None:
    declared = set(re.findall(r'"(image-\w+)": ImageEvent', DECLARED))
    assert declared == {one["name"] for one in CLASSES["generated-image"]["events"]}


def test_the_elements_stay_small() -> None:
    # As the page's function sends them: one script without its comments.
    assert len(SERVED["/elements.js"].zipped) <= 14_000
    # From a package: plain source, each file by itself.
    assert gzipped(*loaded_by("elements.js")) <= 22.5 * 1024
    assert gzipped("aisdk.js") <= 1.5 * 1024
    assert gzipped("aisdk-chat.js") <= 1.75 * 1024
    # Loaded only when they are needed: dialogs, what frameworks could not set, an upload.
    assert gzipped("llm-dialog.js") <= 2.75 * 1024
    assert gzipped("picture-acts.js", "saving.js", "acts-en.js") <= 3.8 * 1024
    later = (
        "later.js",
        "element-acts.js",
        "later-en.js",
        "makers.js",
        "problems.js",
        "client-run.js",
    )
    assert gzipped(*later) <= 14.5 * 1024
    assert gzipped("frameworks.js") <= 1024
    assert gzipped("upload.js") <= 1.5 * 1024


def test_no_module_reaches_outside_its_folder_or_builds_markup_from_text() -> None:
    late = (
        "aisdk.js",
        "aisdk-chat.js",
        "llm-dialog.js",
        "frameworks.js",
        "upload.js",
        "picture-acts.js",
        "later.js",
        "element-acts.js",
        "client-run.js",
    )
    for name in [*loaded_by("elements.js"), *late]:
        text = content_of(name).decode()
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", text)
        # The name of a namespace is no address.
        assert re.findall(r"https?://", text.replace("http://www.w3.org/2000/svg", "")) == [], name
        assert max(map(len, text.splitlines())) < 240, name
