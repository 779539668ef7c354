"""Which modules are mutated, and which tests must notice."""

from dataclasses import dataclass

UNIT = "tests/unit"
FIGURES = f"{UNIT}/test_promised_figures.py"
READING = f"{UNIT}/test_circuit_reading.py"
AWS = "tests/adapters/aws"
RETRIES = f"{AWS}/test_retries.py"

LEDGERS = (
    f"{AWS}/test_ledger_contract.py",
    f"{AWS}/test_stored_form.py",
    f"{AWS}/test_old_views.py",
    f"{RETRIES}::test_a_hold_sent_twice_holds_once",
    f"{RETRIES}::test_a_settle_sent_twice_charges_once",
    f"{RETRIES}::test_a_release_sent_twice_gives_back_once",
    f"{AWS}/test_equivalence.py",
)


@dataclass(frozen=True, slots=True)
class Target:
    """One module."""

    module: str
    tests: tuple[str, ...]
    on_aws: bool = False

    @property
    def path(self) -> str:
        """Where it is in the tree."""
        return f"layers/shared/imagegen/{self.module}"


TARGETS = (
    Target("domain/money.py", (f"{UNIT}/test_money.py", FIGURES)),
    Target(
        "domain/pricing.py",
        (
            f"{UNIT}/test_actual_cost.py",
            f"{UNIT}/test_delivery.py",
            f"{UNIT}/test_prompt_price.py",
            FIGURES,
            f"{UNIT}/test_catalog.py",
        ),
    ),
    Target(
        "domain/breaker.py", (f"{UNIT}/test_breaker.py", FIGURES, READING, f"{UNIT}/test_guard.py")
    ),
    Target("domain/ledger.py", (f"{UNIT}/test_ledger.py", f"{UNIT}/test_refusals.py", FIGURES)),
    Target("domain/quote.py", (f"{UNIT}/test_quote_format.py", f"{UNIT}/test_quote.py")),
    Target("guard.py", (READING, f"{UNIT}/test_guard.py")),
    Target(
        "aws/circuit_store.py",
        (
            f"{AWS}/test_stored_form.py",
            f"{AWS}/test_circuit_contract.py",
            f"{AWS}/test_old_views.py",
            f"{RETRIES}::test_a_failure_sent_twice_counts_once_and_a_move_sent_twice_is_won",
        ),
        on_aws=True,
    ),
    Target("aws/ledger_store.py", LEDGERS, on_aws=True),
    Target("aws/ledger_updates.py", LEDGERS, on_aws=True),
    Target("aws/ledger_items.py", LEDGERS, on_aws=True),
)
