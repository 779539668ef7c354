"""The words for a picture's quality, and the words around them that say whether they count.

``*`` at the end of a word stands for any ending, a space for any white space or a hyphen.
English, German, French, Spanish, Italian, Portuguese; Chinese and Japanese in a table of their own.
"""

from enum import StrEnum

from imagegen.domain.catalog import Tier


def _each(text: str) -> frozenset[str]:
    return frozenset(text.split())


def listed(text: str) -> list[tuple[str, ...]]:
    """Return the phrases of a table's text, each as its words."""
    return [tuple(phrase.split()) for phrase in text.split(",")]


def signs(text: str) -> list[str]:
    """Return the words of a text of a language without spaces, the longest first."""
    return sorted((word.strip() for word in text.split(",")), key=len, reverse=True)


class Use(StrEnum):
    """Where in a prompt a word speaks of the picture and not of what the picture shows."""

    ANYWHERE = "anywhere"
    SCREEN = "anywhere but before a device: 4K wallpaper, not 4K television"
    OPENING = "at the opening, alone between commas, or beside a word for a picture"
    PICTURE = "alone, beside a word for a picture, or how to make it: quick sketch, not quick fox"


WORDS: dict[Tier, dict[Use, str]] = {
    Tier.ULTRA: {
        Use.ANYWHERE: """
            ultra detailed, ultra realistic, ultra high quality, ultra high resolution, ultra sharp,
            best possible quality, highest possible quality, maximum quality, maximum detail,
            highest resolution, gallery quality, museum quality, print quality, print ready,
            in the best quality, in best quality, in the highest quality, in highest quality,
            höchste* qualität, höchste* auflösung, beste* qualität, bestmöglich*, druckqualität,
            maximale* qualität, ultrarealistisch*, druckreif*, museumsqualität, galeriequalität,
            meilleure qualité, qualité maximale, qualité maximum, plus haute qualité,
            ultra réaliste*,
            ultra détaillé*, qualité d'impression, qualité musée, qualité galerie,
            máxima calidad, mejor calidad, calidad máxima, más alta calidad, ultra realista*,
            ultra detallad*, calidad de impresión, calidad de museo, calidad de galería,
            massima qualità, migliore qualità, qualità massima, più alta qualità, ultra realistic*,
            ultra dettagliat*, qualità di stampa, qualità da stampa, qualità da museo,
            máxima qualidade, melhor qualidade, qualidade máxima, mais alta qualidade,
            ultra detalhad*, qualidade de impressão, qualidade de museu
        """,
        Use.SCREEN: "8k, ultra hd, uhd",
        Use.OPENING: """
            masterpiece, best quality, highest quality, best possible, meisterwerk, chef d'œuvre,
            chef d'oeuvre, obra maestra, obra prima, capolavoro
        """,
        Use.PICTURE: "ultra",
    },
    Tier.HIGH: {
        Use.ANYWHERE: """
            high detail, highly detailed, very detailed,
            extremely detailed, richly detailed, finely detailed, intricately detailed,
            super detailed, photorealistic, photo realistic, hyperrealistic, hyper realistic,
            photorealism, studio quality, professional quality, professional grade,
            professional looking, professionally shot, professionally lit,
            professionally photographed, in high quality, in good quality, good quality,
            hohe* qualität, hohe* auflösung, gute* qualität, fotorealistisch*,
            photorealistisch*, hyperrealistisch*, detailreich*, sehr detailliert*,
            gestochen scharf*,
            in hoher qualität, studioqualität,
            haute qualité, bonne qualité, photoréaliste*,
            hyperréaliste*, très détaillé*, qualité studio, qualité professionnelle,
            alta calidad, buena calidad, fotorrealista*,
            hiperrealista*, muy detallad*, calidad de estudio, calidad profesional,
            alta qualità, buona qualità, fotorealistic*,
            iperrealistic*, molto dettagliat*, qualità professionale, qualità da studio,
            alta qualidade, boa qualidade, fotorrealístic*,
            hiper realista*, muito detalhad*, qualidade profissional, qualidade de estúdio
        """,
        Use.SCREEN: """
            hd, full hd, 4k, high resolution, high res, hi res, high definition, alta definición,
            alta resolución, haute définition, haute résolution, alta definizione, alta risoluzione,
            alta definição, alta resolução, hochauflösend*
        """,
        Use.OPENING: """
            high quality, top quality, detailed, hochwertig*, detailliert*, détaillé*,
            detallad*, dettagliat*, detalhad*
        """,
        Use.PICTURE: """
            professional, polished, professionell*, professionnel*, profesional*, professional*,
            profissional, profissionais, soigné*, pulid*, curat*
        """,
    },
    Tier.FAST: {
        Use.ANYWHERE: """
            rough sketch, low res, low resolution, thumbnail, quality does not matter,
            quality doesn't matter, as cheap as possible, as fast as possible,
            as quickly as possible,
            as quick as possible, the cheapest, asap, in a hurry, no frills,
            qualität ist egal, qualität egal, qualität spielt keine rolle, so schnell wie möglich,
            so billig wie möglich, so günstig wie möglich, möglichst schnell, möglichst billig,
            möglichst günstig, auf die schnelle, niedrige* qualität, geringe* qualität,
            niedrige* auflösung, vorschaubild, miniaturbild,
            le plus vite possible, le moins cher possible, basse qualité, faible qualité,
            basse résolution, à la va vite, peu importe la qualité, la qualité importe peu,
            lo más rápido posible, lo más barato posible, baja calidad, baja resolución,
            no importa la calidad, la calidad no importa,
            il più velocemente possibile, il più presto possibile, bassa qualità, bassa risoluzione,
            la qualità non importa, non importa la qualità,
            o mais rápido possível, o mais barato possível, baixa qualidade, baixa resolução,
            a qualidade não importa, não importa a qualidade
        """,
        Use.OPENING: """
            low quality, draft, first draft, rough draft, brouillon, ébauche, borrador, bozza,
            rascunho, rohentwurf, grobentwurf, schnellentwurf, vignette, miniature, miniatura
        """,
        Use.PICTURE: """
            quickly, cheaply, fast, quick, rough, cheap, simple and fast, schnell*, rasch*, flott*,
            grobe*,
            grob, billig*, günstig*, rapide*, rapidement, vite, bon marché, pas cher, pas chère,
            rápid*,
            barat*, rapid*, veloce, veloci, velocemente, depressa, economic*, econômic*
        """,
    },
}
"""Searched tier by tier in this order: the first tier with a word that counts decides."""

SCRIPTS: dict[Tier, str] = {
    Tier.ULTRA: """
        最高质量, 最高品质, 最佳质量, 最佳品质, 最高画质, 最好的质量, 极致细节, 超高清, 杰作,
        大师之作, 印刷级,
        最高品質, 最高画質, 最高の品質, 最高の画質, 超高画質, 超高精細, 傑作, 印刷品質, 8k
    """,
    Tier.HIGH: """
        高质量, 高品质, 高清, 高分辨率, 高画质, 照片级, 写实照片, 逼真, 细节丰富, 专业摄影, 专业级,
        专业照片,
        高品質, 高画質, 高解像度, 高精細, 写真のような, フォトリアル, プロ品質, プロの写真, 詳細な,
        4k
    """,
    Tier.FAST: """
        草图, 草稿, 快速画, 快速生成, 快速的图, 快速出图, 快一点, 尽快, 随便画, 简单画, 便宜一点,
        尽量便宜,
        最便宜, 便宜的图, 低质量, 低品质, 缩略图,
        ラフ, 下書き, 手早く, 急ぎで, 急ぎの, 急いで描, 早く描, 早く作, 素早く描, 素早く作, 安く作,
        できるだけ安く, なるべく安く, 低品質, 低画質, サムネイル, ざっくり, 簡単な絵,
        簡単なスケッチ,
        簡単なイラスト
    """,
}
"""For Chinese and Japanese, which write no spaces between words."""

SCRIPT_COMPOUNDS = """
    高清电视, 高清晰电视, 高清屏幕, 高清摄像, 4k电视, 8k电视,
    4kテレビ, 8kテレビ, ラフティング, ラフマニノフ
"""
"""What contains such a word and means something else."""

PICTURES = _each("""
    image images picture pictures pic pics photo photos photograph photographs photography shot
    shots
    snapshot sketch sketches draft drawing drawings doodle doodles render renders rendering
    renderings
    illustration illustrations painting paintings portrait portraits headshot headshots logo logos
    icon
    icons poster posters banner banners mockup mockups wireframe concept concepts design
    designs
    artwork art wallpaper wallpapers print prints version preview one visual visuals graphic
    graphics
    infographic diagram cartoon comic avatar storyboard outline layout quality look finish result
    scan
    lighting retouching watercolor watercolour cgi clipart flyer cover selfie idea
    bild bilder foto fotos fotografie aufnahme zeichnung zeichnungen skizze skizzen entwurf entwürfe
    gemälde grafik plakat logo porträt portrait illustration darstellung version vorschau kritzelei
    qualität konzept design symbolbild produktfoto bewerbungsfoto visualisierung
    image images photo photos photographie dessin dessins croquis esquisse esquisses brouillon
    affiche
    illustration peinture tableau portrait rendu visuel version aperçu gribouillage maquette qualité
    ébauche
    imagen imágenes foto fotos fotografía dibujo dibujos boceto bocetos borrador ilustración pintura
    retrato render cartel logotipo versión garabato maqueta calidad bosquejo esbozo diseño
    immagine immagini fotografia disegno disegni schizzo schizzi bozza illustrazione dipinto
    ritratto
    locandina manifesto versione anteprima scarabocchio qualità bozzetto
    imagem imagens desenho desenhos esboço esboços rascunho ilustração retrato cartaz versão rabisco
    qualidade
    """)

AFTER_ITS_NOUN = (
    *("rapid", "rápid", "vite", "veloc", "profes", "profis", "soigné", "pulid", "curat"),
    *("bon", "pas", "barat", "econ", "econô"),
)
"""How adjectives begin that may follow their noun: *croquis rapide*, *foto profesional*."""

DEVICES = _each("""
    tv tvs television televisions monitor monitors screen screens display displays camera cameras
    projector projectors webcam webcams camcorder drive channel broadcast run runner runners race
    marathon salary dollars euros steps followers fernseher bildschirm bildschirme kamera kameras
    beamer lauf télévision télé téléviseur écran caméra televisor televisión pantalla cámara
    televisione televisore schermo telecamera televisão tela câmera
    """)

COMPOUNDS = """
    fast food, fast lane, fast forward, fast fashion, quick brown, quick response, quick silver,
    draft beer, draft beers, draft horse, draft horses, draft animal, draft animals, draft dodger,
    draft pick, draft card, draft letter, draft board, draft notice, rough diamond, rough collie,
    rough sea, rough seas, cheap trick, art masterpiece theft, miniature horse, miniature poodle,
    miniature train, miniature village, miniature golf, thumbnail polish
"""
"""Fixed phrases that speak of something else."""

ASKS = _each("""
    draw sketch make paint create generate render design produce show give zeichne male erstelle
    generiere mach mache dessine dessinez crée créez génère fais faites peins dibuja dibújame crea
    genera haz hazme pinta disegna disegnami fammi dipingi desenhe faça crie gere pinte
""")
"""How a request begins."""

FILLERS = _each("""
    a an one me my us it this that i we you please very really super so just only and or also
    extremely highly more most make makes made draw create generate paint render design produce show
    give do need want would like keep get let s some something anything nice good quick little small
    simple for with in at as to be should must can could us thanks thank now
    ein eine einen einem einer eines mir bitte sehr nur mal mach mache machen zeichne zeichnen male
    malen erstelle erstellen generiere generieren ich will möchte brauche hätte gern gerne es das
    und
    etwas ganz wirklich von in mit als soll sein kleine kleines kleiner
    un une des moi le la s'il te vous plaît fais faire dessine dessiner crée créer génère générer
    peins je veux voudrais juste très et en avec de d d'un d'une petit petite
    una unos unas el hazme haz dibuja dibujar crea crear genera generar pinta quiero necesito por
    favor
    muy y con solo sólo pequeño pequeña
    uno fammi fai disegna disegnare dipingi voglio vorrei per favore molto e con solo
    um uma faça desenhe desenha crie gere pinte quero preciso por favor muito só com
    """)
"""Words that may stand before a quality word at the opening, or beside one between commas."""

ARTICLES = _each("a an one the ein eine einen der die das un une una um uma")
WITH = frozenset({"with", "mit", "avec", "con", "com"})

NEGATIONS = _each("""
    no not never without isn't aren't don't doesn't needn't wasn't won't nothing neither nor less
    least
    hardly avoid skip instead zero
    nicht kein keine keinen keiner keines keinem ohne nie niemals statt weniger unnötig
    pas sans aucun aucune ni jamais moins non
    sin ningún ninguna nunca menos ni tampoco
    senza nessun nessuna mai meno né
    não nao sem nenhum nenhuma nem
    """)

TURNS = _each("but rather sondern aber sino pero bensì")
"""Words that begin a clause of its own: what was denied before them is not denied after them."""

LINKS = _each("""
    be been have has need needs needed any too all that much too particularly especially necessarily
    sein zu besonders unbedingt allzu muss braucht
    être besoin que trop forcément particulièrement
    sea ser tiene necesita necesito hace falta demasiado especialmente
    essere serve bisogno troppo deve particolarmente
    precisa precisar demais especialmente
    """)
"""Words that may stand between a negation and what it denies."""

NEEDED = _each("""
    needed necessary required important nötig notwendig wichtig erforderlich nécessaire important
    importante necesario necesaria necessario necessaria necessário necessária
    """)
"""*High quality is not needed*: what a negation after a word denies it with."""

NEGATIONS_BEFORE = "不无無没沒别別非免勿"
NEGATIONS_AFTER = (
    *("なくて", "ではな", "でな", "じゃな", "は不要", "不要", "はいら", "いらな", "しない"),
    *("の必要はな", "にしな", "不重要", "无所谓"),
)
