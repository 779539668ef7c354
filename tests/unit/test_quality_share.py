"""How often a plain reader agrees with the quality that the words of a prompt name.

The words were never changed for these prompts. Whoever adds words for one of them writes others.
"""

from imagegen.domain.quality import choose_quality

MEANT: dict[str, list[str]] = {
    "ultra": [
        "An 8K landscape of the Faroe Islands",
        "maximum quality please, a chess set made of ice",
        "Please spare no expense: a peacock in a palace",
        "a samurai at dawn, masterpiece, best quality",
        "wallpaper of Saturn, ultra hd",
        "Meisterwerk: ein Kind am Fenster",
        "Höchste Auflösung, eine Libelle",
        "chef-d'œuvre, une ruelle à Lyon sous la pluie",
        "la plus haute qualité, un cheval au galop",
        "obra maestra, una plaza de noche",
        "la mejor calidad, un colibrí",
        "最高品質の盆栽",
        "杰作级的山水画",
    ],
    "high": [
        "photorealistic strawberries on a plate",
        "4K photo of a lighthouse in fog",
        "a highly detailed dragon skull",
        "hyperrealistic portrait of a fisherman",
        "crisp product photo of headphones",
        "good quality picture of a sofa",
        "ein hochauflösendes Bild der Skyline",
        "gestochen scharfes Foto einer Uhr",
        "ein detailreiches Schlachtengemälde",
        "une photo réaliste en haute définition d'un loup",
        "image très détaillée d'une horloge",
        "foto en alta resolución de un glaciar",
        "ilustración detallada de un motor",
        "高解像度の桜の写真",
        "逼真的老虎",
    ],
    "fast": [
        "quick sketch: two kids on a swing",
        "a rough draft of our team logo",
        "something cheap, a banana",
        "fast preview of a living room",
        "thumbnail for a podcast",
        "whatever's fastest, a cactus",
        "schnell eine Skizze von einem Pferd",
        "grober Entwurf für einen Flyer",
        "so billig wie möglich, ein Apfel",
        "esquisse rapide d'un pont",
        "le moins cher possible, une pomme",
        "boceto rápido de un barco",
        "algo rápido, un sol",
        "ラフでいいから犬",
        "草图就行,一座桥",
    ],
    "standard": [
        "a fox in fresh snow",
        "a fast bowler in mid action",
        "cheap wine in a plastic cup",
        "a quick-witted raven in a suit",
        "two professional chess players",
        "polished silver spoons",
        "a draft dodger in 1969",
        "an old HD television in a dump",
        "don't make it photorealistic, a cow",
        "not a masterpiece, just a cow",
        "without fine detail, a cow",
        "no rush, a cow at noon",
        "a restaurant called 'Chef d'oeuvre'",
        "ein schneller Hase",
        "ein professioneller Koch",
        "nicht in 4K, eine Kuh",
        "ohne hohe Qualität, eine Kuh",
        "un chien rapide",
        "une chanteuse professionnelle",
        "pas de chef-d'œuvre, une vache",
        "un perro veloz",
        "un fotógrafo profesional",
        "sin alta resolución, una vaca",
        "速い馬",
        "4Kテレビのある部屋",
        "不要高画质,一头牛",
        "快速列车经过田野",
        "a miniature horse beside a barn",
    ],
}
"""What a reader takes each prompt for, in six languages, with denials and with traps."""


def test_a_plain_reader_agrees_with_nineteen_of_twenty() -> None:
    found = [
        choose_quality(one, None).tier == tier for tier, prompts in MEANT.items() for one in prompts
    ]
    assert len(found) >= 60
    assert sum(found) / len(found) >= 0.95
