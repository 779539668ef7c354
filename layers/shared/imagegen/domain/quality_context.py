"""The words around a word of quality that say whether it speaks of the picture."""


def _each(text: str) -> frozenset[str]:
    return frozenset(text.split())


PICTURES = _each("""
    image images picture pictures pic pics photo photos photograph photographs photography shot
    shots snapshot sketch sketches draft drawing drawings doodle doodles render renders rendering
    renderings scribble scribbles illustration illustrations painting paintings portrait portraits
    headshot headshots logo logos icon icons poster posters banner banners mockup mockups
    wireframe concept concepts design designs artwork art wallpaper wallpapers print prints
    version preview mock one visual visuals graphic graphics infographic diagram cartoon comic
    avatar storyboard outline layout quality look finish result scan lighting retouching watercolor
    watercolour cgi clipart flyer cover selfie idea bild bilder foto fotos fotografie aufnahme
    zeichnung zeichnungen skizze skizzen entwurf entwürfe gemälde grafik plakat logo porträt
    portrait illustration darstellung version vorschau kritzelei qualität konzept design
    symbolbild produktfoto bewerbungsfoto visualisierung image images photo photos photographie
    dessin dessins croquis esquisse esquisses brouillon affiche illustration peinture tableau
    portrait rendu visuel version aperçu gribouillage maquette qualité ébauche imagen imágenes
    foto fotos fotografía dibujo dibujos boceto bocetos borrador ilustración pintura retrato
    render cartel logotipo versión garabato maqueta calidad bosquejo esbozo diseño immagine
    immagini fotografia disegno disegni schizzo schizzi bozza illustrazione dipinto ritratto
    locandina manifesto versione anteprima scarabocchio qualità bozzetto imagem imagens desenho
    desenhos esboço esboços rascunho ilustração retrato cartaz versão rabisco qualidade
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
    beamer lauf télévision télé téléviseur écran caméra televisor televisión pantalla cámara tele
    televisione televisore schermo telecamera televisão tela câmera
    """)

COMPOUNDS = """
    fast food, fast lane, fast forward, fast fashion, quick brown, quick response, quick silver,
    draft beer, draft beers, draft horse, draft horses, draft animal, draft animals, draft dodger,
    draft pick, draft card, draft letter, draft board, draft notice, rough diamond, rough collie,
    rough sea, rough seas, cheap trick, art masterpiece theft, miniature horse, miniature poodle,
    masterpiece theft, masterpiece heist, masterpiece auction, masterpiece collection,
    draft of air, draft of cold air, detailed contract, detailed instructions, detailed report,
    detailed notes, detailed manual, detailed recipe, detailed letter, detailed receipt,
    detailed invoice, detailed budget, detailed proposal, detailed schedule,
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
    absolute absolutely true real genuine pure total veritable wahr wahre wahres wahrer echte echtes
    absolutes vrai vraie véritable absolu verdadera verdadero auténtica auténtico absoluta vero vera
    autentico verdadeira verdadeiro autêntica
    a an one me my us it this that i we you please very really super so just only and or also
    extremely highly more most make makes made draw create generate paint render design produce
    show give do need want would like keep get let s some something anything nice good quick
    little small simple for with in at as to be should must can could us thanks thank now ein eine
    einen einem einer eines mir bitte sehr nur mal mach mache machen zeichne zeichnen male malen
    erstelle erstellen generiere generieren ich will möchte brauche hätte gern gerne es das und
    etwas ganz wirklich von in mit als soll sein kleine kleines kleiner un une des moi le la s'il
    te vous plaît fais faire dessine dessiner crée créer génère générer peins je veux voudrais
    juste très et en avec de d d'un d'une petit petite una unos unas el hazme haz dibuja dibujar
    crea crear genera generar pinta quiero necesito por favor muy y con solo sólo pequeño pequeña
    uno fammi fai disegna disegnare dipingi voglio vorrei per favore molto e con solo um uma faça
    desenhe desenha crie gere pinte quero preciso por favor muito só com
    """)
"""Words that may stand before a quality word at the opening, or beside one between commas."""

ARTICLES = _each("a an one the ein eine einen der die das un une una um uma")
OF = _each("de di du d da do")
WITH = frozenset({"with", "mit", "avec", "con", "com"})

NEGATIONS = _each("""
    no not never without isn't aren't don't doesn't needn't wasn't won't nothing neither nor less
    least hardly avoid skip instead zero nicht kein keine keinen keiner keines keinem ohne nie
    niemals statt weniger unnötig pas inutile sans aucun aucune ni jamais moins non sin ningún
    ninguna nunca menos ni tampoco senza nessun nessuna mai meno né não nao sem nenhum nenhuma nem
    """)

TURNS = _each("but rather sondern aber sino pero bensì")
"""Words that begin a clause of its own: what was denied before them is not denied after them."""

LINKS = _each("""
    be been have has need needs needed any too all that much too particularly especially
    necessarily sein zu besonders unbedingt allzu muss braucht être besoin peine que trop
    forcément particulièrement sea ser tiene necesita necesito hace falta demasiado especialmente
    essere serve bisogno troppo deve particolarmente precisa precisar demais especialmente
    """)
"""Words that may stand between a negation and what it denies."""

NEEDED_WORDS = _each("""
    needed necessary required brauche brauchen benötige important nötig notwendig wichtig
    erforderlich nécessaire important importante necesario necesaria necessario necessaria
    necessário necessária
    """)
"""*High quality is not needed*: what a negation after a word denies it with."""

UNNEEDED = _each("""
    unnecessary overkill superfluous needless pointless überflüssig unnötig entbehrlich inutile
    inutiles superflu superflue innecesario innecesaria superfluo superflua inutili desnecessário
    desnecessária supérfluo
    """)
"""*High quality is unnecessary*: what denies a word before it alone."""

NEGATIONS_BEFORE = "不无無没沒别別非免勿"
NEGATIONS_AFTER = (
    *("なくて", "ではな", "でな", "じゃな", "は不要", "不要", "はいら", "いらな", "しない"),
    *("の必要はな", "必要ない", "必要はない", "必要ありませ", "にしな", "不重要", "无所谓"),
    *("没必要", "不必要", "多余"),
)
