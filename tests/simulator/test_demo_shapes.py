"""A picture for a place has that place's shape, and a price is written as its reader writes it."""

import json
from typing import Any

import pytest

from local.simulator.chat_words import reply_to, results_text

FIRST: list[dict[str, Any]] = [
    {"role": "user", "content": "a red fox in fresh snow"},
    {"role": "assistant", "content": "I can offer it for $0.0154.\n\n[Here: image 1]"},
]

WIDE = (
    "4K wallpaper of a misty forest",
    "4K wallpaper",
    "a desktop background with mountains at dawn",
    "Make me a website banner for a bakery",
    "an email header with autumn leaves",
    "a cover photo for my band",
    "a lock screen for my laptop with a lake",
    "ein Hintergrundbild mit einem Wald im Nebel",
    "Desktop-Hintergrund: Berge am Morgen",
    "ein Banner für eine Bäckerei",
    "ein Titelbild für meinen Blog",
    "un fondo de pantalla de un bosque con niebla",
    "fondo de escritorio con montañas",
    "una cabecera para mi blog",
    "un fond d'écran avec une forêt dans la brume",
    "une bannière pour une boulangerie",
    "霧の森の壁紙",
    "パン屋のバナーを作って",
)
TALL = (
    "a phone wallpaper of a misty forest",
    "wallpaper of a misty forest for my iPhone",
    "a lock screen with a lake",
    "Handy-Hintergrundbild mit einem Wald",
    "ein Hintergrundbild fürs Handy: Wald im Nebel",
    "ein Sperrbildschirm mit einem See",
    "fondo de pantalla para el móvil con montañas",
    "un fondo para mi celular con montañas",
    "fond d'écran pour mon téléphone, une forêt",
    "un fond d'écran de portable avec un lac",
    "スマホの壁紙、霧の森",
    "待ち受け画面、湖",
)
NOT_FOR_A_PLACE = (
    "a living room with yellow floral wallpaper",
    "a child holding a banner",
    "a red fox on a green background",
    "a man with a phone",
    "ein roter Fuchs vor grünem Hintergrund",
    "un zorro sobre fondo verde",
    "un renard sur fond vert",
    "電話を持つ猫",
)


def size_in(text: str, before: list[dict[str, Any]]) -> str | None:
    reply = reply_to([*before, {"role": "user", "content": text}], has_tool=True)
    (asked,) = (json.loads(use.arguments) for use in reply.uses)
    size: str | None = asked.get("size")
    return size


@pytest.mark.parametrize("text", WIDE)
def test_what_is_for_a_wide_place_is_wide(text: str) -> None:
    assert size_in(text, []) == "landscape"


@pytest.mark.parametrize("text", TALL)
def test_what_is_for_a_phone_is_tall(text: str) -> None:
    assert size_in(text, []) == "portrait"


@pytest.mark.parametrize("text", NOT_FOR_A_PLACE)
def test_what_only_shows_such_a_thing_has_no_shape(text: str) -> None:
    assert size_in(text, []) is None


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("a square wallpaper of a forest", "square"),
        ("a portrait banner for a bakery", "portrait"),
        ("wallpaper of a forest, 1536x1024", "1536x1024"),
        ("ein Banner im Hochformat für eine Bäckerei", "portrait"),
    ],
)
def test_a_shape_that_is_named_counts_more(text: str, size: str) -> None:
    assert size_in(text, []) == size


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("as a wallpaper", "landscape"),
        ("as a wallpaper for my phone", "portrait"),
        ("als Hintergrundbild fürs Handy", "portrait"),
        ("como fondo de pantalla", "landscape"),
        ("en fond d'écran", "landscape"),
        ("壁紙にして", "landscape"),
    ],
)
def test_the_last_picture_for_a_place_is_the_same_in_its_shape(text: str, size: str) -> None:
    reply = reply_to([*FIRST, {"role": "user", "content": text}], has_tool=True)
    (asked,) = (json.loads(use.arguments) for use in reply.uses)
    assert asked == {"prompt": "a red fox in fresh snow", "size": size}


@pytest.mark.parametrize(
    ("language", "one", "free"),
    [
        ("en", "I can offer it for $0.0154.", "I can offer it for free."),
        ("de", "Ich kann es für 0,0154\N{NO-BREAK SPACE}$ anbieten.", "kostenlos"),
        ("es", "Puedo ofrecer la imagen por 0,0154\N{NO-BREAK SPACE}US$.", "gratis"),
        ("fr", "Je peux proposer l'image pour 0,0154\N{NO-BREAK SPACE}$US.", "gratuitement"),
        ("ja", "$0.0154でご用意できます。", "無料"),
    ],
)
def test_a_price_is_written_as_the_page_writes_it(language: str, one: str, free: str) -> None:
    offer = {"buttonLabel": "Generate Image for $0.0154"}
    assert results_text([offer], language) == one
    assert free in results_text([{"buttonLabel": "Generate Image for Free"}], language)
    assert "Free" not in results_text([{"buttonLabel": "Generate Image for Free"}], language)


def test_several_prices_are_written_alike() -> None:
    offer = {"buttonLabel": "Generate Image for $0.02"}
    said = results_text([offer, offer], "de")
    assert said.count("0,02\N{NO-BREAK SPACE}$") == 2
    assert "für 0,02" in said


@pytest.mark.parametrize(
    ("text", "shows"),
    [
        ("get a picture of your dog in a hat for under two cents", "your dog in a hat"),
        ("my dog in a hat for less than 2 cents", "my dog in a hat"),
        ("ein Hund mit Hut für unter zwei Cent", "ein Hund mit Hut"),
        ("ein Hund mit Hut, höchstens 0,02 $", "ein Hund mit Hut"),
        ("un perro con sombrero por menos de dos céntimos", "un perro con sombrero"),
        ("un perro con sombrero, máximo 2 centavos", "un perro con sombrero"),
        ("un chien avec un chapeau pour moins de deux centimes", "un chien avec un chapeau"),
        ("帽子をかぶった犬の絵を2セント以下で描いて", "帽子をかぶった犬"),
    ],
)
def test_the_most_that_is_paid_is_read_in_words_and_figures(text: str, shows: str) -> None:
    (use,) = reply_to([{"role": "user", "content": text}], has_tool=True).uses
    assert json.loads(use.arguments) == {"prompt": shows, "maxCost": 0.02}


@pytest.mark.parametrize(
    ("wish", "change", "said"),
    [
        ("un renard roux dans la neige", "mets-la en portrait", "Je regarde"),
        ("un renard roux dans la neige", "fais-la en portrait", "Je regarde"),
        ("un renard roux dans la neige", "en portrait", "Je regarde"),
        ("un zorro rojo en la nieve", "ponla en vertical", "Voy a ver"),
        ("ein roter Fuchs im Schnee", "mach es hochkant", "Ich sehe nach"),
        ("ein roter Fuchs im Schnee", "mach daraus ein Hochformat", "Ich sehe nach"),
        ("雪の中の狐", "ポートレートにして", "料金"),
    ],
)
def test_the_picture_made_tall_is_the_same_and_answered_in_its_language(
    wish: str, change: str, said: str
) -> None:
    before = {"role": "assistant", "content": "x\n\n[Here: image 1]"}
    first, now = ({"role": "user", "content": text} for text in (wish, change))
    reply = reply_to([first, before, now], has_tool=True)
    (asked,) = (json.loads(use.arguments) for use in reply.uses)
    assert asked == {"prompt": wish, "size": "portrait"}
    assert reply.words.startswith(said)
