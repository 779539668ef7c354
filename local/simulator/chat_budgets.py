"""The most that somebody will pay, in words or figures of five languages."""

import re

FIGURES = {
    name: figure
    for figure, names in {
        "1": "one ein einen un uno une",
        "2": "two zwei dos deux",
        "3": "three drei tres trois",
        "4": "four vier cuatro quatre",
        "5": "five fünf cinco cinq",
        "10": "ten zehn diez dix",
    }.items()
    for name in names.split()
}
CENT = r"(?:cents?|ct|centimes?|céntimos?|centavos?)"
MOST = (
    r"(?:at most|under|below|up to|(?:less|no more) than|unter|höchstens|maximal|weniger als|"
    r"bis zu|menos de|(?:como )?máximo|hasta|moins de|au (?:plus|maximum)|jusqu['’]à)"
)
BUDGET = re.compile(
    rf"\b(?:(?:for|für|por|para|pour)\s+)?{MOST}\s*"
    rf"(?:\$\s*(\d+(?:[.,]\d+)?)|(\d+)\s*{CENT}\b|(\d+(?:[.,]\d+)?)\s*(?:US)?(?:\$|dollars?\b))"
    r"|(\d+)\s*セント(?:以下|以内|未満|まで)(?:で|の)?",
    re.IGNORECASE,
)
NUMBERED = re.compile(rf"\b({'|'.join(FIGURES)})(?=\s+{CENT}\b)", re.IGNORECASE)


def most_paid(text: str) -> float | None:
    """Return the most that a text allows, in dollars; ``None`` if it says nothing of it."""
    found = BUDGET.search(with_figures(text))
    if not found:
        return None
    dollars, cents = found[1] or found[3], found[2] or found[4]
    return int(cents) / 100 if cents else float(dollars.replace(",", "."))


def with_figures(text: str) -> str:
    """Return a text with a number of cents in figures."""
    return NUMBERED.sub(lambda one: FIGURES[one[1].lower()], text)


def without_budget(text: str) -> str:
    """Return a text without what it says of the most that is paid."""
    return BUDGET.sub("", with_figures(text))
