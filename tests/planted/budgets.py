"""The bugs that budgets above a user must not have: what each step of a hold is there for."""

from tests.planted.bugs import AWS, PACKAGE, Bug, Change

RULES = f"{PACKAGE}/domain/budgets.py"
STORE = f"{PACKAGE}/aws/budget_store.py"
UPDATES = f"{PACKAGE}/aws/updates.py"
ORDER = f"{PACKAGE}/usecases/generate/budgeted_ledgers.py"
LEDGER = f"{PACKAGE}/domain/ledger.py"
CONTRACT = f"{AWS}/test_budget_contract.py"
TWICE = f"{AWS}/test_budgets_at_once.py"
UNIT = "tests/unit/test_budgeted_ledgers.py"
UNIT_RULES = "tests/unit/test_budgets.py"
ONE_HOLD = f"{CONTRACT}::test_a_hold_counts_in_its_day_and_in_its_month"
NO_LEVELS = f"{UNIT}::test_without_levels_a_hold_is_one_write_as_ever"
A_DAY = f"{UNIT_RULES}::test_a_day_that_nobody_used_has_room_though_another_day_is_full"


def _bug(name: str, change: Change, suite: str, works: str = NO_LEVELS) -> Bug:
    return Bug(name, (change,), (suite,), (works,), ())


NO_FENCE = _bug(
    "18a a take that may still arrive is not fenced",
    Change(
        STORE,
        "            if not is_unsure:\n                return\n",
        "            if is_unsure or not is_unsure:\n                return\n",
    ),
    CONTRACT,
    ONE_HOLD,
)
NO_MARKS = _bug(
    "18b a level has counters and no marks",
    Change(
        STORE,
        '    update.include("h", frozenset({hold.mark}))\n',
        '    update.include("x", frozenset({hold.mark}))\n',
    ),
    CONTRACT,
    f"{CONTRACT}::test_a_level_that_nobody_used_is_empty",
)
MARK_WITHOUT_OWNER = _bug(
    "18c a mark is of the quote, not of the run that holds it",
    Change(
        RULES,
        'f"{quote_id}/{owner}/{started_ms}"',
        'f"{quote_id}//{started_ms}"',
    ),
    UNIT_RULES,
    A_DAY,
)
GIVE_UNCONDITIONALLY = _bug(
    "18d a give does not require its mark",
    Change(
        STORE,
        '    update.require(update.contains(hold.mark, "h"))\n',
        '    update.require("attribute_exists(pk) OR attribute_not_exists(pk)")\n',
    ),
    CONTRACT,
    ONE_HOLD,
)
CLOSED_FIRST = _bug(
    "18e the entry closes before the levels have ended",
    Change(
        ORDER,
        "        self._give(snapshot, snapshot.op.levels, change, now_ms=now_ms)\n",
        "        if not self.ledgers.settle(\n"
        "            user, snapshot, charged_microusd=charged_microusd, now_ms=now_ms\n"
        "        ):\n            return False\n"
        "        self._give(snapshot, snapshot.op.levels, change, now_ms=now_ms)\n",
    ),
    UNIT,
    f"{UNIT}::test_an_entry_that_refuses_asks_no_level",
)
TAKEN_FIRST = _bug(
    "18f a level takes a hold before the entry is open",
    Change(
        ORDER,
        "        came = self.ledgers.reserve(user, hold, limits, now_ms=now_ms)\n",
        "        from imagegen.domain.ledger import held_op\n"
        "        for level in limits.levels:\n"
        "            self._take(level, held_op(hold, limits, slot=None, now_ms=now_ms).at_levels)\n"
        "        came = self.ledgers.reserve(user, hold, limits, now_ms=now_ms)\n",
    ),
    UNIT,
)
DAY_OF_THE_CLOCK = _bug(
    "18g a hold counts at its levels on the day of the clock and not of its quote",
    Change(
        LEDGER,
        "        return LevelHold(self.day, self.price_microusd, self.mark)\n",
        "        from imagegen.domain.days import utc_day\n"
        "        return LevelHold(utc_day(self.started_ms), self.price_microusd, self.mark)\n",
    ),
    UNIT,
)
FIRST_PASSES = _bug(
    "18h the first hold of a day passes a limit below its price",
    Change(
        UPDATES,
        '        absent = f"attribute_not_exists({name}) OR " if limit >= 0 else ""\n',
        '        absent = f"attribute_not_exists({name}) OR "\n',
    ),
    CONTRACT,
    ONE_HOLD,
)
KEPT_AFTER_REFUSAL = _bug(
    "18i what one level took stays when another one refuses",
    Change(
        ORDER,
        "self._give(snapshot, {*taken, *snapshot.unsure}, -hold.price_microusd",
        "self._give(snapshot, (), -hold.price_microusd",
    ),
    UNIT,
)
OWN_MARK_REFUSES = _bug(
    "18j a run takes its own mark, found by the second copy, for a refusal",
    Change(
        RULES,
        "    if hold.mark in budget.marks:\n        return Taken.TAKEN\n",
        "",
    ),
    CONTRACT,
    ONE_HOLD,
)
ERRORS_SENT_ONCE = _bug(
    "18k an error's number of tries is not read",
    Change(
        STORE,
        "            return Take(result, budget, error.was_sent_again)\n",
        "            return Take(result, budget)\n",
    ),
    TWICE,
    ONE_HOLD,
)
REFUSED_WITHOUT_FENCE = _bug(
    "18l a refused take that was sent twice is not fenced",
    Change(
        ORDER,
        "{*taken, *snapshot.unsure}",
        "set(taken)",
    ),
    UNIT,
)
NOT_TAKEN_BACK = _bug(
    "18m levels give back a waiting hold that its run may have taken over",
    Change(
        ORDER,
        "        own = self._taken_back(user, snapshot, now_ms=now_ms)\n",
        "        own: LedgerSnapshot | None = snapshot\n",
    ),
    UNIT,
)
UNSURE_FORGOTTEN = _bug(
    "18n the run of another invocation does not fence a take that may still arrive",
    Change(
        f"{PACKAGE}/usecases/generate/background.py",
        "        hold = replace(hold, unsure=frozenset(image.unsure or ()))\n",
        "",
    ),
    "tests/unit/test_background.py",
)
BUDGET_BUGS = (
    *(NO_FENCE, NO_MARKS, MARK_WITHOUT_OWNER, GIVE_UNCONDITIONALLY, CLOSED_FIRST, TAKEN_FIRST),
    *(DAY_OF_THE_CLOCK, FIRST_PASSES, KEPT_AFTER_REFUSAL, OWN_MARK_REFUSES, ERRORS_SENT_ONCE),
    *(REFUSED_WITHOUT_FENCE, NOT_TAKEN_BACK, UNSURE_FORGOTTEN),
)
