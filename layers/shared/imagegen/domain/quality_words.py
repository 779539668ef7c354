"""The words for a picture's quality, and the words around them that say whether they count.

``*`` at the end of a word stands for any ending, a space for any white space or a hyphen.
English, German, French, Spanish, Italian, Portuguese; Chinese and Japanese in a table of their own.
"""

from enum import StrEnum

from imagegen.domain.catalog import Tier


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


TIER_WORDS: dict[Tier, dict[Use, str]] = {
    Tier.ULTRA: {
        Use.ANYWHERE: """
            maximum resolution, museum print, best picture, best image, allerhöchste*,
            allerbeste*, very best quality, best you can, best you can do, best that you can,
            as good as possible, as good as it gets, absolute best, finest image, finest picture,
            spare no expense, no expense spared, money is no object, money's no object,
            all the stops, no compromise, no compromises, 300 dpi, flawless,
            das beste was du kannst, so gut wie möglich, koste es was es wolle, ohne kompromisse,
            keine kosten, du mieux que tu peux, le mieux possible, le plus beau possible,
            sans compromis, lo mejor que puedas, lo mejor posible, la mejor imagen, sin escatimar,
            il meglio che puoi, senza compromessi, o melhor que puderes, o melhor possível,
            sem compromissos, ultra detailed, ultra realistic, ultra high quality,
            ultra high resolution, ultra sharp, best possible quality, highest possible quality,
            maximum quality, maximum detail, highest resolution, gallery quality, museum quality,
            print quality, print ready, in the best quality, in best quality,
            in the highest quality, in highest quality, höchste* qualität, höchste* auflösung,
            beste* qualität, bestmöglich*, druckqualität, maximale* qualität, ultrarealistisch*,
            ultradetailliert*, ultra detailliert*, ultrascharf*, ultraréaliste*, ultradétaillé*,
            ultrarrealista*, ultradetallad*, ultradettagliat*, ultradetalhad*, best quality you can,
            druckreif*, museumsqualität, galeriequalität, meilleure qualité, qualité maximale,
            qualité maximum, plus haute qualité, ultra réaliste*, ultra détaillé*,
            qualité d'impression, qualité musée, qualité galerie, máxima calidad, mejor calidad,
            calidad máxima, más alta calidad, ultra realista*, ultra detallad*,
            calidad de impresión, calidad de museo, calidad de galería, massima qualità,
            migliore qualità, qualità massima, più alta qualità, ultra realistic*,
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
            sharp and detailed, very sharp, extremely sharp, extrem scharf*, sehr scharf*,
            très net*, plein* de détails, muy nítid*, molto nitid*, muito nítid*,
            like a real photo, like a real photograph, like an actual photo, real photograph,
            real photo, fine detail, fine details, in detail, full detail, fully rendered,
            lifelike, life like, true to life, tack sharp, razor sharp, crisp, magazine quality,
            national geographic, echtes foto, profifoto*, profi foto*, lebensecht*, naturgetreu*,
            detailgetreu*, vraie photo, plus vrai que nature, ultra net, foto real,
            fotografía real, foto vera, foto de verdade, hiperdetallad*, high detail,
            highly detailed, very detailed, extremely detailed, richly detailed, finely detailed,
            intricately detailed, super detailed, photorealistic, photo realistic, hyperrealistic,
            hyper realistic, photorealism, studio quality, professional quality,
            professional grade, professional looking, professionally shot, professionally lit,
            professionally photographed, in high quality, in good quality, good quality,
            hohe* qualität, hohe* auflösung, gute* qualität, fotorealistisch*, photorealistisch*,
            hyperrealistisch*, detailreich*, sehr detailliert*, hyperdetailliert*,
            gestochen scharf*, in hoher qualität, studioqualität, haute qualité, bonne qualité,
            photoréaliste*,
            hyperréaliste*, très détaillé*, qualité studio, qualité professionnelle, alta calidad,
            buena calidad, fotorrealista*, hiperrealista*, muy detallad*, calidad de estudio,
            calidad profesional, alta qualità, buona qualità, fotorealistic*, iperrealistic*,
            molto dettagliat*, qualità professionale, qualità da studio, alta qualidade,
            boa qualidade, fotorrealístic*, hiper realista*, muito detalhad*,
            qualidade profissional, qualidade de estúdio
        """,
        Use.SCREEN: """
            hd, full hd, 4k, high resolution, high res, hi res, high definition, alta definición,
            alta resolución, haute définition, haute résolution, alta definizione,
            alta risoluzione, alta definição, alta resolução, hochauflösend*
        """,
        Use.OPENING: """
            high quality, top quality, detailed, hochwertig*, detailliert*, détaillé*, detallad*,
            dettagliat*, detalhad*
        """,
        Use.PICTURE: """
            professional, polished, professionell*, professionnel*, profesional*, professional*,
            profissional, profissionais, soigné*, pulid*, curat*
        """,
    },
    Tier.FAST: {
        Use.ANYWHERE: """
            lowest quality, quick and dirty, super rough, very rough, cheap setting,
            don't spend long, any old picture, just a quick, just a rough, just a cheap, kritzel,
            kritzle, kritzele, nicht schön sein, throwaway, throw away, first stab, first pass,
            first try, the fastest, whatever's fastest, fastest, something quick, something fast,
            something cheap, something rough, placeholder, for placement, etwas schnelles,
            was schnelles, nur zum ausprobieren, vite fait, truc rapide, quelque chose de rapide,
            juste pour voir, algo rápido, solo para probar, solo para ver, qualcosa di veloce,
            algo de rápido, low res, low resolution, thumbnail, quality does not matter,
            quality doesn't matter, as cheap as possible, as fast as possible,
            as quickly as possible, as quick as possible, the cheapest, asap, in a hurry,
            no frills, qualität ist egal, qualität egal, qualität spielt keine rolle,
            so schnell wie möglich, so billig wie möglich, so günstig wie möglich,
            möglichst schnell, möglichst billig, möglichst günstig, auf die schnelle,
            niedrige* qualität, geringe* qualität, niedrige* auflösung, vorschaubild,
            miniaturbild, le plus vite possible, le moins cher possible, basse qualité,
            faible qualité, basse résolution, à la va vite, peu importe la qualité,
            la qualité importe peu, lo más rápido posible, lo más barato posible, baja calidad,
            baja resolución, no importa la calidad, la calidad no importa,
            il più velocemente possibile, il più presto possibile, bassa qualità,
            bassa risoluzione, la qualità non importa, non importa la qualità,
            o mais rápido possível, o mais barato possível, baixa qualidade, baixa resolução,
            a qualidade não importa, não importa a qualidade
        """,
        Use.OPENING: """
            rough sketch, low quality, draft, first draft, rough draft, brouillon, ébauche,
            borrador, bozza, rascunho, rohentwurf, grobentwurf, schnellentwurf, vignette,
            miniature, miniatura
        """,
        Use.PICTURE: """
            quickly, cheaply, fast, quick, rough, cheap, simple and fast, schnell*, rasch*,
            flott*, grobe*, grob, billig*, günstig*, rapide*, rapidement, vite, bon marché,
            pas cher, pas chère, rápid*, barat*, rapid*, veloce, veloci, velocemente, depressa,
            economic*, econômic*
        """,
    },
}
"""Searched tier by tier in this order: the first tier with a word that counts decides."""

SCRIPTS: dict[Tier, str] = {
    Tier.ULTRA: """
        最高质量, 最高品质, 最佳质量, 最佳品质, 最高画质, 最好的质量, 极致细节, 超高清, 杰作级,
        大师之作, 印刷级, 最高の一枚, 最高の出来, できる限り最高, 最高傑作, 最高品質, 最高画質,
        最高の品質, 最高の画質, 超高画質, 超高精細, 傑作、, 印刷品質, 8k
    """,
    Tier.HIGH: """
        高质量, 高品质, 高清, 高分辨率, 高画质, 真实照片, 照片级, 写实照片, 逼真, 细节丰富,
        专业摄影, 专业级, 专业照片, 高品質, 高画質, 高解像度, 高精細, 写真のような, フォトリアル,
        プロ品質, プロのカメラマン, 写真のように, 細かく, 細部まで, リアルな写真, 本物の写真,
        プロの写真, 詳細な, 4k
    """,
    Tier.FAST: """
        草图, 草稿, 快速画, 快速生成, 快速的图, 快速出图, 快一点, 尽快, 随便画, 简单画, 便宜一点,
        尽量便宜, 最便宜, 便宜的图, 低质量, 低品质, 缩略图, 仮の画像, 仮の絵, とりあえず, さっと,
        どうでもい, 適当に, ラフ, 下書き, 手早く, 急ぎで, 急ぎの, 急いで描, 早く描, 早く作,
        素早く描, 素早く作, 安く作, できるだけ安く, なるべく安く, 低品質, 低画質, サムネイル,
        ざっくり, 簡単な絵, 簡単なスケッチ, 簡単なイラスト
    """,
}
"""For Chinese and Japanese, which write no spaces between words."""

SCRIPT_COMPOUNDS = """
    高清电视, 高清晰电视, 高清屏幕, 高清摄像, 4k电视, 8k电视, 4kテレビ, 8kテレビ, ラフティング,
    ラフマニノフ
"""
"""What contains such a word and means something else."""
