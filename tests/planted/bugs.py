"""The bugs, as exact replacements of text: one that no longer applies stops the run."""

from dataclasses import dataclass
from pathlib import Path

PACKAGE = "layers/shared/imagegen"
CIRCUITS = f"{PACKAGE}/aws/circuit_store.py"
CREDENTIALS = f"{PACKAGE}/edge/credentials.py"
LEDGERS = f"{PACKAGE}/aws/ledger_store.py"
LEDGER_UPDATES = f"{PACKAGE}/aws/ledger_updates.py"
LEASE_INDEX = f"{PACKAGE}/aws/lease_index.py"
AWS = "tests/adapters/aws"
LEDGER_CONTRACT = f"{AWS}/test_ledger_contract.py"
CIRCUIT_CONTRACT = f"{AWS}/test_circuit_contract.py"
LEASE_PARTITIONS = f"{AWS}/test_lease_partitions.py"
CONCURRENCY = f"{AWS}/test_concurrency.py"
RETRIES = f"{AWS}/test_retries.py"
OFFERS = "tests/unit/test_named_offers.py"
SELECTION = "tests/unit/test_selection.py"
MCP = "tests/handlers/test_mcp.py"
CRASHES = "tests/unit/test_crashes.py"
BACKGROUND = "tests/unit/test_background.py"
FORGOTTEN = "tests/unit/test_forgotten.py"
REQUESTS = "tests/unit/test_requests.py"
AUTH = "tests/unit/test_auth.py"


class MovedError(Exception):
    """The text that a bug replaces is not there, or not once."""


@dataclass(frozen=True, slots=True)
class Change:
    """One replacement."""

    path: str
    old: str
    new: str

    def apply(self, tree: Path) -> None:
        """Make the change in a tree.

        Raises:
            MovedError: the text is not there exactly once.
        """
        file = tree / self.path
        text = file.read_text()
        if text.count(self.old) != 1:
            raise MovedError(
                f"{self.path} has this text {text.count(self.old)} times, not once; "
                f"write the planted bug anew in tests/planted/bugs.py:\n{self.old}"
            )
        file.write_text(text.replace(self.old, self.new))


@dataclass(frozen=True, slots=True)
class Bug:
    """A bug, and what it may and may not break."""

    name: str
    changes: tuple[Change, ...]
    suites: tuple[str, ...]
    """The smallest set of tests that must go red."""
    works: tuple[str, ...]
    """Tests that stay green: the code still runs, so that red means the bug and nothing else."""
    rows: tuple[str, ...]
    """The rows of the bar (``tests.exactness``) that must fall short; it may have none."""


def always(condition: str) -> str:
    """Return Python that makes conditions hold whatever is stored, and keeps their values used."""
    return f'{condition} = [f"({{one}} OR NOT {{one}})" for one in {condition}]'


GENERATION_OF_A_FAILURE = Bug(
    "1a generation not checked when a failure is counted",
    (
        Change(
            CIRCUITS,
            '"AND (attribute_not_exists(gen) OR gen = :g)"',
            '"AND (attribute_not_exists(gen) OR gen = :g OR gen <> :g)"',
        ),
    ),
    (CIRCUIT_CONTRACT,),
    (f"{CIRCUIT_CONTRACT}::test_failures_gather_and_one_told_twice_counts_once",),
    ("R12",),
)
GENERATION_OF_A_MOVE = Bug(
    "1b generation not checked when a circuit moves",
    (
        Change(
            CIRCUITS,
            "                ConditionExpression=unchanged,\n",
            '                ConditionExpression=f"{unchanged} OR NOT {unchanged}",\n',
        ),
    ),
    (CONCURRENCY, CIRCUIT_CONTRACT),
    (f"{CIRCUIT_CONTRACT}::test_a_swap_stores_every_field_and_forgets_the_failures",),
    ("R10",),
)
SPEND = Bug(
    "2 spend not in the condition of a reservation",
    (
        Change(
            LEDGER_UPDATES,
            '    update.at_most(f"u_{hold.day}", limits.daily_microusd - hold.ceiling_microusd)\n',
            "",
        ),
    ),
    (LEDGER_CONTRACT,),
    (
        f"{LEDGER_CONTRACT}::test_a_hold_holds_everything_together",
        f"{LEDGER_CONTRACT}::test_images_and_attempts_of_a_day_are_limited_apart",
    ),
    ("R1",),
)
BETWEEN_WRITES = (
    "test_a_hold_is_within_the_limits_of_the_moment_though_they_change_between_its_writes"
)
NON_ATOMIC = Bug(
    "3 reserve reads, checks and then writes without a condition",
    (
        Change(
            LEDGERS,
            "                within = applied(limits, personal)\n"
            "                update = build(hold, within, personal=personal)\n",
            "                ledger = self.load(user)\n"
            "                if answer := _why_not(ledger, hold, limits, now_ms=now_ms):\n"
            "                    return answer\n"
            "                free = rules.free_slots(ledger, limits, now_ms=now_ms)\n"
            "                hold = replace(hold, slot=free[0] if free else hold.slot)\n"
            "                within = applied(limits, ledger.personal)\n"
            "                personal = ledger.personal\n"
            "                update = build(hold, within, personal=personal)\n"
            f"                {always('update.conditions')}\n",
        ),
    ),
    (CONCURRENCY,),
    # One at a time, nothing can be seen of it: the whole contract holds, but for what happens
    # between two writes.
    (LEDGER_CONTRACT, f"--deselect={LEDGER_CONTRACT}::{BETWEEN_WRITES}"),
    ("R1", "R3"),
)
SETTLE = "    _spend(update, op.day, charged_microusd - op.price_microusd)\n"
UNCONDITIONAL_SETTLE = Bug(
    "4a settle without any condition",
    (Change(LEDGER_UPDATES, SETTLE, f"{SETTLE}    {always('update.conditions')}\n"),),
    (LEDGER_CONTRACT,),
    (f"{LEDGER_CONTRACT}::test_a_settle_lowers_the_hold_to_the_charge",),
    ("R7",),
)
CONDITION = "    update.require(f\"{held} AND {update.equals(op.owner, name, 'ow')}\")\n"
OWNED = "{update.equals(op.owner, name, 'ow')}"


def without(part: str, state: str) -> Change:
    """Return the change that leaves the owner or the state out of the condition of one ending."""
    kept = "{held}" if part == "owner" else f"({{held}} OR NOT {{held}}) AND {OWNED}"
    return Change(
        LEDGER_UPDATES,
        CONDITION,
        f"    if after.ops[snapshot.quote_id].state is OpState.{state}:\n"
        f'        update.require(f"{kept}")\n'
        "    else:\n"
        f"    {CONDITION}",
    )


SETTLE_WITHOUT_OWNER = Bug(
    "4b settle without the owner",
    (without("owner", "SETTLED"),),
    (LEDGER_CONTRACT,),
    (f"{LEDGER_CONTRACT}::test_settling_twice_charges_once_and_is_true_both_times",),
    ("R12",),
)
SETTLE_WITHOUT_STATE = Bug(
    "4c settle without the state",
    (without("state", "SETTLED"),),
    (RETRIES, CONCURRENCY, LEDGER_CONTRACT),
    (f"{LEDGER_CONTRACT}::test_a_settle_lowers_the_hold_to_the_charge",),
    ("R12",),
)
RELEASE_WITHOUT_OWNER = Bug(
    "5 release without the owner",
    (without("owner", "RELEASED"),),
    (LEDGER_CONTRACT,),
    (f"{LEDGER_CONTRACT}::test_releasing_twice_gives_back_once_and_is_true_both_times",),
    ("R12",),
)
COUNTER = Bug(
    "6 failures in a counter, which a repeated request counts twice",
    (
        Change(CIRCUITS, '"ADD fs :f"', '"SET fa = :f ADD fc :n"'),
        Change(CIRCUITS, '{":f": {_text(failure)}, ', '{":f": _text(failure), ":n": 1, '),
        Change(CIRCUITS, '                    "REMOVE fs"', '                    "REMOVE fs, fc"'),
        Change(
            CIRCUITS,
            'parts = (text.partition("#") for text in row.get("fs", ()))',
            'parts = ((row["fa"].partition("#")[0], "", str(n)) for n in range(row.get("fc", 0)))',
        ),
    ),
    (RETRIES,),
    (
        f"{CONCURRENCY}::test_of_20_instances_that_fail_at_once_one_opens_the_circuit",
        f"{CIRCUIT_CONTRACT}::test_a_swap_stores_every_field_and_forgets_the_failures",
    ),
    ("R9",),
)
TTL_IN_THE_RULE = Bug(
    "7a a dead run's hold ends two days later, as TTL does it",
    (
        Change(
            f"{PACKAGE}/domain/ledger.py",
            "op.lease_ms < now_ms",
            "op.lease_ms + 172_800_000 < now_ms",
        ),
    ),
    ("tests/unit/test_crashes.py",),
    (
        "tests/unit/test_ledger.py::test_what_is_spent_is_the_sum_of_what_is_held_and_charged",
        f"{LEDGER_CONTRACT}::test_a_dead_hold_puts_its_user_on_the_list_and_ending_it_takes_them_off",
    ),
    ("R6",),
)
TTL_IN_THE_STORE = Bug(
    "7b nobody looks for dead runs: their holds wait for TTL",
    (
        Change(
            LEASE_INDEX,
            'row["pk"].removeprefix("U#")) for row in rows]',
            'row["pk"].removeprefix("U#")) for row in rows if "ttl" in row]',
        ),
    ),
    (LEDGER_CONTRACT,),
    (f"{LEDGER_CONTRACT}::test_a_release_gives_back_all_but_the_attempt",),
    ("R6",),
)
TTL_FOR_A_PROBE = Bug(
    "7c a dead probe is freed by TTL and not by its lease",
    (
        Change(
            f"{PACKAGE}/domain/breaker.py",
            "circuit.state is not State.CLOSED and now_ms >= circuit.until_ms",
            "circuit.state is State.OPEN and now_ms >= circuit.until_ms",
        ),
    ),
    ("tests/unit/test_guard.py",),
    ("tests/unit/test_guard.py::test_one_instance_of_all_probes",),
    ("R11",),
)
SETS = f"{PACKAGE}/usecases/generate/sets.py"
SET_TESTS = "tests/unit/test_confirmed_sets.py"
ONE_FOR_ALL = Bug(
    "14a a set is settled as one: what its first image came to stands for all",
    (
        Change(
            SETS,
            "        results = self.sets.make(makes, mixed=request.mixed or is_known)\n",
            "        results = self.sets.make(makes[:1], mixed=True) * len(makes)\n",
        ),
    ),
    (SET_TESTS,),
    (f"{SET_TESTS}::test_an_offer_of_four_has_four_quotes_and_one_button",),
    ("R18",),
)
FILLED_UP = Bug(
    "14b a repetition fills up the images that a set lacks",
    (
        Change(
            SETS,
            "        is_known = any(_is_kept(quote, ledger) for quote in quotes)\n",
            "        is_known = bool(quotes) and all(_is_kept(one, ledger) for one in quotes)\n",
        ),
    ),
    (SET_TESTS,),
    (f"{SET_TESTS}::test_a_click_makes_four_images_with_a_charge_each_and_repeating_it_none",),
    ("R18",),
)
ONE_HOLD_ENDED = Bug(
    "14c of the holds that a dead set left, only the first one is ended",
    (
        Change(
            f"{PACKAGE}/usecases/generate/reconciler.py",
            "        for quote_id in abandoned(ledger, now_ms=self.now_ms()):\n",
            "        for quote_id in list(abandoned(ledger, now_ms=self.now_ms()))[:1]:\n",
        ),
    ),
    (CRASHES,),
    (f"{SET_TESTS}::test_an_offer_of_four_has_four_quotes_and_one_button",),
    ("R19",),
)
CEILING_NOT_HELD = Bug(
    "8 only the expected price of a replacement is held to the multiple",
    (
        Change(
            f"{PACKAGE}/openai_api/offers.py",
            "offer.quote.ceiling_microusd > most",
            "offer.quote.expected_microusd > most",
        ),
        # The selection would keep dearer fallbacks out of the offer by itself.
        Change(
            f"{PACKAGE}/domain/selection.py",
            "[one for one in fitting if one.price_microusd <= most] or fitting",
            "fitting",
        ),
    ),
    (OFFERS,),
    (f"{OFFERS}::test_a_size_that_the_named_model_lacks_is_refused_with_its_sizes",),
    (),
)
NO_AT_MOST = Bug(
    "9 the tool's text names the expected price and not the most that is charged",
    (
        Change(
            f"{PACKAGE}/mcp/offers.py",
            "{what} at most {label_text(ceiling)}{usual}",
            "{what} {label_text(expected)}",
        ),
    ),
    (MCP,),
    (f"{MCP}::test_the_models_are_those_of_the_catalog",),
    (),
)
SURCHARGE_FORGOTTEN = Bug(
    "10 maxCost is compared without what a long prompt adds",
    (
        Change(
            f"{PACKAGE}/domain/criteria.py",
            "    if criteria.max_cost_microusd is not None and price > ",
            "    from imagegen.domain.pricing import price_microusd\n\n"
            "    image = price_microusd(row, option) or 0\n"
            "    if criteria.max_cost_microusd is not None and image > ",
        ),
    ),
    (SELECTION,),
    (f"{SELECTION}::test_a_maximum_below_every_price_names_both_amounts",),
    (),
)
RECORD_AFTER_SETTLE = Bug(
    "11 the reconciler settles before it writes the record",
    (
        Change(
            f"{PACKAGE}/usecases/generate/reconciler.py",
            "        is_recorded = self.stores.records.put(ref, record)\n",
            "        won = self.stores.ledgers.settle(\n"
            "            ref.user, snapshot, charged_microusd=record.charged_microusd, "
            "now_ms=self.now_ms()\n"
            "        )\n"
            "        is_recorded = self.stores.records.put(ref, record)\n"
            "        if is_recorded and not record.deleted_ms:\n"
            "            return won\n",
        ),
    ),
    (FORGOTTEN,),
    (f"{CRASHES}::test_what_a_dead_run_left_is_ended_by_the_users_next_request",),
    (),
)
FIRST_OF_TWO_TOKENS = Bug(
    "12 of two tokens in one request, ours wins",
    (
        Change(
            CREDENTIALS,
            "    if own is not None and given is not None and not signed:\n",
            "    if own is not None and given is not None and not signed and not own:\n",
        ),
        Change(
            CREDENTIALS,
            "    sent = [] if given is None or signed else [given]\n",
            "    sent = [] if given is None or signed or own else [given]\n",
        ),
    ),
    (REQUESTS,),
    (f"{AUTH}::test_a_token_of_the_issuer_for_us_is_let_in",),
    (),
)
ANY_USE_BUT_ID = Bug(
    "13 every token_use but that of an ID token is accepted",
    (
        Change(
            f"{PACKAGE}/edge/tokens.py",
            'claims.get("token_use", "access") != "access"',
            'claims.get("token_use", "access") == "id"',
        ),
    ),
    (AUTH,),
    (f"{REQUESTS}::test_of_two_tokens_neither_wins",),
    (),
)
TAKES_ANY_WAITING_HOLD = Bug(
    "17a a run in the background takes a hold that is another run's",
    (
        Change(
            LEDGER_UPDATES,
            "{held} AND {owner} = {update.value(takeover.previous)}",
            "{held} AND ({owner} = {update.value(takeover.previous)} OR {held})",
        ),
        # By itself, this condition refuses a hold that a run has taken.
        Change(
            LEDGER_UPDATES,
            'update.require(f"begins_with({owner}, {update.value(WAITING)})")',
            "pass",
        ),
    ),
    (LEDGER_CONTRACT,),
    (f"{LEDGER_CONTRACT}::test_a_takeover_changes_owner_and_lease_and_nothing_else",),
    ("R20",),
)
TAKES_AFTER_THE_LEASE = Bug(
    "17b an event that comes after its lease still begins a run",
    (Change(LEDGER_UPDATES, "{lease} >= {update.value(now_ms)}", "{lease} >= {update.value(0)}"),),
    (LEDGER_CONTRACT,),
    (f"{LEDGER_CONTRACT}::test_a_takeover_changes_owner_and_lease_and_nothing_else",),
    (),
)
KEPT_WITHOUT_EVENT = Bug(
    "17c a hold whose event cannot be sent is not given back",
    (
        Change(
            f"{PACKAGE}/usecases/generate/background.py",
            "released = self.generator.holds.release(quote.user, hold, error)",
            "released = bool(hold)",
        ),
    ),
    (BACKGROUND,),
    (f"{BACKGROUND}::test_the_event_makes_the_image_which_is_charged_once",),
    (),
)
FORMER_PARTITION_FORGOTTEN = Bug(
    "19a the sweep does not read where an earlier release put users",
    (Change(LEASE_INDEX, "(FORMER_PARTITION, *map(", "('elsewhere', *map("),),
    (f"{LEASE_PARTITIONS}::test_a_user_of_an_earlier_release_is_found_until_their_hold_ends",),
    (
        f"{LEDGER_CONTRACT}::test_a_dead_hold_puts_its_user_on_the_list_and_ending_it_takes_them_off",
    ),
    (),
)
MOVED_WITH_THE_LATER_LEASE = Bug(
    "19b the next hold of a user puts off the sweep of the one before",
    (
        Change(
            LEDGER_UPDATES,
            'update.sets.append(f"{name} = if_not_exists({name}, {update.value(lease)})")',
            'update.set("lx", lease)',
        ),
    ),
    (f"{LEASE_PARTITIONS}::test_the_next_hold_moves_a_user_with_the_earlier_lease",),
    (f"{LEDGER_CONTRACT}::test_a_hold_holds_everything_together",),
    (),
)
ONE_FAULT_ENDS_THE_LIST = Bug(
    "19c one partition that cannot be read keeps the users of all others",
    (
        Change(
            LEASE_INDEX,
            "failed = error  # It must not keep the others' money held.",
            "raise error",
        ),
    ),
    (f"{LEASE_PARTITIONS}::test_a_partition_that_cannot_be_read_keeps_nobody_else",),
    (
        f"{LEDGER_CONTRACT}::test_a_dead_hold_puts_its_user_on_the_list_and_ending_it_takes_them_off",
    ),
    (),
)
NOBODY_GIVES_WAY = Bug(
    "19d users whose holds cannot be ended come first at every sweep",
    (
        Change(
            f"{PACKAGE}/usecases/generate/reconciler.py",
            "            self.stores.ledgers.defer_lease(user, now_ms=self.now_ms())\n",
            "            pass\n",
        ),
    ),
    ("tests/unit/test_sweeps.py",),
    (f"{CRASHES}::test_an_entry_that_cannot_be_read_does_not_keep_the_money_of_others_held",),
    (),
)
BUGS = (
    GENERATION_OF_A_FAILURE,
    GENERATION_OF_A_MOVE,
    SPEND,
    NON_ATOMIC,
    UNCONDITIONAL_SETTLE,
    SETTLE_WITHOUT_OWNER,
    SETTLE_WITHOUT_STATE,
    RELEASE_WITHOUT_OWNER,
    COUNTER,
    TTL_IN_THE_RULE,
    TTL_IN_THE_STORE,
    TTL_FOR_A_PROBE,
    CEILING_NOT_HELD,
    NO_AT_MOST,
    SURCHARGE_FORGOTTEN,
    RECORD_AFTER_SETTLE,
    FIRST_OF_TWO_TOKENS,
    ANY_USE_BUT_ID,
    ONE_FOR_ALL,
    FILLED_UP,
    ONE_HOLD_ENDED,
    TAKES_ANY_WAITING_HOLD,
    TAKES_AFTER_THE_LEASE,
    KEPT_WITHOUT_EVENT,
    FORMER_PARTITION_FORGOTTEN,
    MOVED_WITH_THE_LATER_LEASE,
    ONE_FAULT_ENDS_THE_LIST,
    NOBODY_GIVES_WAY,
)
