"""A provider says who it is once: no other file names one, and what derives from it is complete."""

import ast
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from generators.sources import nodes
from imagegen.chat import FORMATS, tool_definition
from imagegen.chat.tool import ToolArguments
from imagegen.providers import PROVIDERS, STAND_INS, flag_name, region_name
from imagegen.settings import Settings
from imagegen.site.files import providers_script
from imagegen.usecases.key_checks import CALL_TIMEOUT_SECONDS, FULL_TIME, call_timeout_seconds
from local import guide
from local.overrides import overrides
from local.parameters import CLEAR, environment_name, pairs_text, read_template
from local.paths import ROOT
from local.simulator.chat_words import reply_to
from local.simulator.drawing import Sketch, draw
from local.simulator.routes import World
from operations.push_env import FLAG, KEYS
from tests.fakes.catalogs import real_catalog
from tests.vendors import KEYED, vendor

LAYER = "layers/shared/imagegen"
EVERY = frozenset(PROVIDERS)
STATIC = ROOT / "functions" / "page" / "static"
ENV_EXAMPLE = (ROOT / ".env.example").read_text()

PERMITTED: Mapping[str, tuple[frozenset[str], str]] = {
    f"{LAYER}/providers/builtin.py": (EVERY, "the registry itself"),
    f"{LAYER}/providers/__init__.py": (frozenset({"openai", "bedrock"}), "who moderates"),
    f"{LAYER}/providers/sdk.py": (frozenset({"openai"}), "OpenAI's official client"),
    f"{LAYER}/providers/compatible.py": (frozenset({"openai"}), "the same client, for instances"),
    f"{LAYER}/providers/presets.py": (frozenset({"openai"}), "hosts and pages with that name"),
    "local/simulator/compatible_facts.py": (frozenset({"openai"}), "the API that others have"),
    f"{LAYER}/providers/moderation.py": (frozenset({"openai"}), "OpenAI's moderation"),
    f"{LAYER}/llm/openai_chat.py": (frozenset({"openai"}), "the same client, for a chat's LLM"),
    f"{LAYER}/bootstrap/providers.py": (frozenset({"openai"}), "where a chat's LLM is by default"),
    f"{LAYER}/bootstrap/generate.py": (frozenset({"openai"}), "the routes under /v1"),
    f"{LAYER}/bootstrap/openai_routes.py": (frozenset({"openai"}), "the routes under /v1"),
    f"{LAYER}/openai_api/*": (frozenset({"openai"}), "the routes under /v1"),
    f"{LAYER}/edge/openai_problems.py": (frozenset({"openai"}), "the routes under /v1"),
    f"{LAYER}/edge/api.py": (frozenset({"openai"}), "the routes under /v1"),
    "functions/generate/handler.py": (frozenset({"openai"}), "the routes under /v1"),
    f"{LAYER}/chat/tool.py": (frozenset({"openai", "gemini"}), "forms of a tool's definition"),
    "functions/estimate/handler.py": (frozenset({"openai", "gemini"}), "the same forms"),
    f"{LAYER}/usecases/generate/moderation.py": (
        frozenset({"openai", "bedrock"}),
        "whose moderation it is",
    ),
    "generators/openapi.py": (frozenset({"openai"}), "the routes under /v1"),
    "generators/openapi_operations.py": (frozenset({"openai"}), "the routes under /v1"),
    "generators/openapi_shapes.py": (frozenset({"openai"}), "the routes under /v1"),
    "generators/docs/settings.py": (frozenset({"openai", "bedrock"}), "what moderation costs"),
    "generators/docs/examples.py": (frozenset({"openai", "together"}), "one call, as an example"),
    "generators/layer.py": (
        frozenset({"openai", "bedrock"}),
        "parts of OpenAI's client are left out, and boto3's descriptions of Bedrock are not",
    ),
    "functions/page/static/providers.js": (EVERY - {"together"}, "made of the registry"),
    "local/simulator/jobs.py": (frozenset({"replicate"}), "Replicate's predictions"),
}
"""Which names a file may say that is no provider's own, and why. A fifth is in none of them."""

TABLES: Mapping[str, str] = {
    "tests/contracts/test_contracts.py": "the vendors' own schemas, by their file",
    "tests/simulator/test_requests.py": "each vendor's own wrong parameters",
    "tests/simulator/test_schemas.py": "the vendors' own schemas, by their file",
    "tests/unit/test_chat_tool.py": "forms of tool calls, which are named after vendors of LLMs",
}
"""Tests with a list of vendors' own peculiarities, which need not hold every provider."""


def words_of(name: str) -> re.Pattern[str]:
    """A name as a word of its own, or as a part of a name in snake or camel case."""
    alone = rf"(?<![A-Za-z])(?!{name.upper()}[A-Z])(?i:{name})(?![a-z])"
    return re.compile(rf"{alone}|(?<=[a-z]){name.capitalize()}(?![a-z])")


WORDS = {name: words_of(name) for name in PROVIDERS}


def named_in(text: str) -> set[str]:
    found = {name for name, words in WORDS.items() if words.search(text)}
    # A word of English, too: in a sentence it is a provider only beside another one.
    return set() if found == {"together"} and " " in text else found


def is_own(path: Path, name: str) -> bool:
    """Whether a file is a provider's: its adapter, or a part of its simulator."""
    folders = (ROOT / LAYER / "providers", ROOT / "local" / "simulator")
    return path.parent in folders and (path.stem == name or path.stem.startswith(f"{name}_"))


def docstrings(path: Path) -> set[int]:
    """The ids of texts that stand alone: they explain, and nothing reads them."""
    return {id(node.value) for node in nodes(path) if isinstance(node, ast.Expr)}


def spoken(path: Path) -> Iterator[str]:
    """The texts and names of a Python file, but imports, comments and docstrings."""
    explaining = docstrings(path)
    for node in nodes(path):
        match node:
            case ast.Constant(value=str(text)) if id(node) not in explaining:
                yield text
            case ast.Name(id=text) | ast.Attribute(attr=text) | ast.keyword(arg=str(text)):
                yield text
            case ast.arg(arg=text) | ast.FunctionDef(name=text) | ast.ClassDef(name=text):
                yield text


@cache
def said_by(path: Path) -> set[str]:
    source = path.read_text()
    if not any(name in source.lower() for name in EVERY):
        return set()
    if path.suffix == ".py":
        return set[str]().union(*map(named_in, spoken(path)))
    text = re.sub(r"/\*.*?\*/|(?<!:)//.*|<!--.*?-->", "", source)
    return set[str]().union(*map(named_in, text.splitlines()))


def permitted(path: Path) -> frozenset[str]:
    place = path.relative_to(ROOT)
    names = [names for pattern, (names, _) in PERMITTED.items() if place.match(pattern)]
    return frozenset[str]().union(*names)


def sources() -> list[Path]:
    folders = ("layers", "functions", "local", "operations", "generators")
    python = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    return sorted([*python, *STATIC.iterdir()])


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_other_file_names_a_provider(path: Path) -> None:
    foreign = {name for name in said_by(path) if not is_own(path, name)}
    assert foreign <= permitted(path), "derive it from imagegen.providers.PROVIDERS"


def test_the_elements_package_has_the_providers_of_the_registry() -> None:
    assert (STATIC / "providers.js").read_bytes() == providers_script(), "run `make docs`"


def test_what_is_permitted_is_needed() -> None:
    for pattern, (names, reason) in PERMITTED.items():
        found = [path for path in sources() if path.relative_to(ROOT).match(pattern)]
        assert set[str]().union(*map(said_by, found)) >= names, pattern
        assert found, (pattern, reason)


def elements(node: ast.AST) -> list[str]:
    """The texts of a literal: keys of a mapping, elements and firsts of tuples of a list."""
    match node:
        case ast.Dict(keys=parts):
            pass
        case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
            parts = [
                one.elts[0] if isinstance(one, ast.Tuple) and one.elts else one for one in parts
            ]
        case _:
            return []
    return [one.value for one in parts if isinstance(one, ast.Constant) and type(one.value) is str]


def test_no_test_has_a_table_of_the_providers() -> None:
    tables = set[str]()
    for path in sorted((ROOT / "tests").rglob("*.py")):
        if sum(name in path.read_text() for name in EVERY) < 3:
            continue
        for node in nodes(path):
            if len({*elements(node)} & EVERY) >= 3:
                tables.add(str(path.relative_to(ROOT)))
    assert tables == set(TABLES), "go by PROVIDERS, with tests.vendors for what each has of its own"


# What a provider's name becomes a part of.


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_name_can_be_a_module_a_variable_and_a_parameter(name: str) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9]*", name)
    assert FLAG.fullmatch(flag_name(name))


def test_no_two_providers_share_a_key_a_title_or_an_address() -> None:
    for field in ("key_name", "title", "base_url", "colour"):
        values = [one for about in PROVIDERS.values() if (one := getattr(about, field))]
        assert len(set(values)) == len(values), field
    for about in PROVIDERS.values():
        assert bool(about.key_name) != bool(about.region), "a key or a role"
        assert re.fullmatch(r"[A-Z][A-Z0-9_]*|", about.key_name)
        assert about.base_url.startswith("https://")
        assert about.keys_url.startswith("https://")
        assert not about.base_url.endswith("/")


# The operator: settings, template, .env, guide, docs.


FIXED = {"TABLE_NAME": "t", "PARAMETERS_PATH": "/p", "BASE_URLS": "nobody's"}


@pytest.mark.parametrize("name", PROVIDERS)
def test_settings_read_the_stand_in_of_each_provider(name: str) -> None:
    url = f"http://127.0.0.1:1/{name}?a=b"
    settings = Settings.from_env({**FIXED, STAND_INS: f"{name}={url}"})
    assert {one: settings.base_url(one) for one in PROVIDERS} == {
        one: url if one == name else None for one in PROVIDERS
    }
    assert Settings.from_env({**FIXED, STAND_INS: f"{name}="}).base_url(name) is None


def test_of_all_stand_ins_at_once_each_provider_has_its_own() -> None:
    given = {name: f"http://127.0.0.1:1/{name}" for name in PROVIDERS}
    settings = Settings.from_env({**FIXED, STAND_INS: pairs_text(given)})
    assert {name: settings.base_url(name) for name in PROVIDERS} == given
    assert Settings.from_env(FIXED).base_urls == {}


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_stand_in_may_have_a_variable_of_its_own(name: str) -> None:
    """As each had before there was one setting for all, and as the openai SDK calls its own."""
    given = {f"{name.upper()}_BASE_URL": "http://127.0.0.1:1"}
    assert Settings.from_env({**FIXED, **given}).base_urls == {name: "http://127.0.0.1:1"}
    assert overrides(given, {}) == {"StandIns": f"{name}=http://127.0.0.1:1"}
    assert (
        overrides({}, given) == overrides({**given, STAND_INS: CLEAR}, {}) == overrides(given, {})
    )


def test_of_two_stand_ins_the_one_in_the_list_is_called() -> None:
    listed, cleared, other, *_ = PROVIDERS
    text = f"{listed}=http://127.0.0.1:2, {cleared}="
    own = {f"{one.upper()}_BASE_URL": "http://127.0.0.1:1" for one in (listed, cleared, other)}
    assert Settings.from_env({**FIXED, **own, STAND_INS: text}).base_urls == {
        listed: "http://127.0.0.1:2",
        cleared: "",
        other: "http://127.0.0.1:1",
    }
    found = overrides({**own, STAND_INS: text}, {})
    assert found == {"StandIns": f"{text},{other}=http://127.0.0.1:1"}


def test_a_cleared_stand_in_is_none() -> None:
    assert overrides({STAND_INS: CLEAR}, {}) == {"StandIns": ""}
    assert overrides({f"{next(iter(PROVIDERS)).upper()}_BASE_URL": CLEAR}, {}) == {}


@pytest.mark.parametrize("text", ["http://127.0.0.1:1", "nobody=http://127.0.0.1:1"])
def test_a_stand_in_of_no_provider_stops_the_start(text: str) -> None:
    """Or the vendor itself would be called, and would bill."""
    with pytest.raises(ValidationError, match=STAND_INS):
        Settings.from_env({**FIXED, STAND_INS: text})


def test_the_template_hands_stand_ins_on_wherever_a_provider_is_called() -> None:
    template = read_template()
    parameter = "StandIns"
    assert environment_name(parameter) == STAND_INS
    for function in ("GenerateFunction", "HealthFunction"):
        variables = template["Resources"][function]["Properties"]["Environment"]["Variables"]
        assert variables[STAND_INS] == {"Ref": parameter}, function
    pattern = template["Parameters"][parameter]["AllowedPattern"]
    for url in ("http://127.0.0.1:4566/x/v1", ""):
        assert re.fullmatch(pattern, pairs_text(dict.fromkeys(PROVIDERS, url)))
    for wrong in ("http://127.0.0.1:1", "fal=127.0.0.1:1", "fal=http://a b", "fal=http://a,"):
        assert not re.fullmatch(pattern, wrong), wrong


def test_the_key_check_of_providers_that_all_hang_ends_before_its_function_does() -> None:
    """Each is asked twice, one after the other: the more there are, the less time each has."""
    properties = read_template()["Resources"]["HealthFunction"]["Properties"]
    for count in (1, len(PROVIDERS), FULL_TIME, 2 * FULL_TIME):
        assert count * 2 * call_timeout_seconds(count) + 5 <= properties["Timeout"]


def test_twelve_providers_have_the_whole_time_of_a_check() -> None:
    for count in range(1, 13):
        assert call_timeout_seconds(count) == CALL_TIMEOUT_SECONDS, count
    assert call_timeout_seconds(13) < CALL_TIMEOUT_SECONDS
    assert len(PROVIDERS) <= FULL_TIME, "raise it, and the Timeout of health in template.yaml"


@pytest.mark.parametrize("name", PROVIDERS)
def test_the_example_of_env_has_each_providers_key_and_switch(name: str) -> None:
    key, region = PROVIDERS[name].key_name, region_name(name)
    assert f"\n{key}=\n" in ENV_EXAMPLE or f"\n# {region}={PROVIDERS[name].region}\n" in ENV_EXAMPLE
    switch = "false" if PROVIDERS[name].off_by_default else "true"
    assert f"\n{flag_name(name)}={switch}\n" in ENV_EXAMPLE


def test_the_example_of_env_has_no_switch_of_nobody() -> None:
    switches = set(re.findall(rf"^({FLAG.pattern})=", ENV_EXAMPLE, re.MULTILINE))
    assert switches == {flag_name(name) for name in PROVIDERS}


def test_every_key_is_pushed_and_asked_for_by_its_title() -> None:
    assert {name: PROVIDERS[name].key_name for name in KEYED} == KEYS
    asked = {one.name: one.text for one in guide.questions({})}
    for name in KEYED:
        assert asked[PROVIDERS[name].key_name].startswith(PROVIDERS[name].title)
    assert "" not in asked


def test_the_readme_names_every_provider() -> None:
    text = (ROOT / "README.md").read_text()
    assert [about.title for about in PROVIDERS.values() if about.title not in text] == []


# The LLM: the tool's text.


@pytest.mark.parametrize("form", FORMATS)
def test_an_llm_reads_the_name_of_every_provider(form: str) -> None:
    names = real_catalog().providers
    text = json.dumps(tool_definition(form, names))
    assert f"{', '.join(names[:-1])} or {names[-1]}, if the user asked" in text


@pytest.mark.parametrize("form", FORMATS)
def test_a_chat_of_ones_own_needs_no_names(form: str) -> None:
    description = ToolArguments.model_fields["provider"].description
    assert description
    assert description in json.dumps(tool_definition(form))
    assert '"fal, if the user asked' in json.dumps(tool_definition(form, ["fal"]))


# The page: names and colours.


def shown() -> dict[str, dict[str, str]]:
    script = providers_script().decode()
    shown: dict[str, dict[str, str]] = json.loads(
        script.removeprefix("export const PROVIDERS = ").removesuffix(";\n")
    )
    return shown


def test_the_page_has_every_providers_title_and_colour() -> None:
    assert shown() == {
        name: {"title": about.title, "colour": about.colour} for name, about in PROVIDERS.items()
    }


def channels(colour: str) -> tuple[float, ...]:
    assert re.fullmatch(r"#[0-9a-f]{6}", colour)
    return tuple(int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))


def mixed(colour: str, percent: int, other: int) -> tuple[float, ...]:
    return tuple(percent / 100 * one + (1 - percent / 100) * other for one in channels(colour))


def contrast(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """By WCAG 2.2, between 1 and 21."""

    def luminance(parts: tuple[float, ...]) -> float:
        linear = [
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
        ]
        return sum(
            share * part for share, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True)
        )

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_providers_colour_can_be_read_in_light_and_dark(name: str) -> None:
    """The badge mixes it with white and black, by the shares in styles.js."""
    source = (STATIC / "styles.js").read_text()
    white, light, dark = (int(one) for one in re.findall(r"mix\(colour, (\d+), ", source))
    colour = PROVIDERS[name].colour
    assert contrast(channels(colour), mixed(colour, light, 1)) >= 4.5
    assert contrast(mixed(colour, white, 1), mixed(colour, dark, 0)) >= 4.5


# The simulator, and the tests' own words.


@pytest.mark.parametrize("name", PROVIDERS)
def test_every_provider_is_simulated_under_its_own_name(name: str) -> None:
    assert World().providers[name].name == name


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_picture_of_any_provider_can_be_drawn(name: str) -> None:
    assert draw(Sketch(name, "model", "a fox", 64, 64, "png"))


@pytest.mark.parametrize("name", PROVIDERS)
def test_the_simulated_llm_understands_every_provider(name: str) -> None:
    said: list[Any] = [{"role": "user", "content": f"Draw a red fox with {name}"}]
    (use,) = reply_to(said, has_tool=True).uses
    assert json.loads(use.arguments)["provider"] == name


@pytest.mark.parametrize("name", PROVIDERS)
def test_every_provider_has_its_recordings_and_its_vendors_words(name: str) -> None:
    assert list((ROOT / "tests/adapters/providers/recorded" / name).glob("*.json"))
    assert vendor(name).usual["model"] in {row.model for row in real_catalog().models}


def test_every_file_of_a_vendor_is_of_a_provider() -> None:
    folders = {path.name for path in (ROOT / "tests/adapters/providers/recorded").iterdir()}
    files = {path.stem for path in (ROOT / "tests/vendors").glob("*.py")} - {"__init__"}
    assert folders == files == EVERY
