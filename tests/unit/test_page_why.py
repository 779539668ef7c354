"""Why a request has its quality: in English by the service, in the reader's language here."""

import json

import pytest

from imagegen.domain.catalog import Tier
from imagegen.domain.quality import choose_for_model, choose_quality
from imagegen.site.words import LANGUAGES
from local.paths import ROOT
from tests.unit.scripts import NODE, written_by

STATIC = ROOT / "functions" / "page" / "static"
PHOTO = 'a photorealistic, "ultra detailed" fox'
REASONS = (
    choose_quality("a fox", Tier.HIGH),
    choose_quality("a fox", None),
    choose_quality(PHOTO, None),
    choose_for_model("a fox", [Tier.FAST]),
    choose_for_model("a fox", [Tier.FAST, Tier.ULTRA]),
    choose_for_model(PHOTO, [Tier.FAST, Tier.STANDARD]),
)

pytestmark = pytest.mark.skipif(NODE is None, reason="node runs the page's scripts")


def said(texts: list[str], language: str = "en") -> list[str]:
    """What the details say of these reasons in a language."""
    words = "" if language == "en" else f'(await import(from("elements-{language}.js"))).WORDS'
    script = f"""
const from = (name) => new URL(name, {json.dumps(STATIC.as_uri() + "/")});
const {{ whyText }} = await import(from("picture-acts.js"));
const {{ english, inLanguage, loadWords }} = await import(from("locale.js"));
english((await import(from("elements-en.js"))).WORDS);
const words = {words or "{}"};
await loadWords({json.dumps(language)}, {{ {language}: async () => ({{ WORDS: words }}) }});
const all = {json.dumps(texts)};
console.log(JSON.stringify(inLanguage({json.dumps(language)}, () => all.map(whyText))));
"""
    found = written_by(script)
    assert isinstance(found, list)
    return found


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_every_reason_of_a_quality_is_said_in_the_readers_language(language: str) -> None:
    texts = [one.reason for one in REASONS]
    told = said(texts, language)
    for here, service in zip(told, texts, strict=True):
        assert here != service
        assert "prompt contains" not in here
        assert "requested" not in here
        assert "{" not in here


def test_the_words_that_decided_stay_as_the_person_wrote_them() -> None:
    (told,) = said([choose_quality(PHOTO, None).reason], "de")
    assert "photorealistic" in told


def test_a_reason_that_the_page_does_not_know_stays_as_it_is() -> None:
    assert said(["another reason"], "fr") == ["another reason"]
