"""The stores that are in the table."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from imagegen.aws import clients
from imagegen.aws.circuit_store import DynamoCircuitStore
from imagegen.aws.ledger_store import DynamoLedgerStore
from imagegen.aws.record_store import DynamoRecordStore
from imagegen.settings import Settings

if TYPE_CHECKING:
    from imagegen.domain.budget_amounts import AmountStore
    from imagegen.domain.budget_warnings import BudgetWarningStore
    from imagegen.domain.budgets import BudgetStore
    from imagegen.domain.chat_usage import ChatUsageStore
    from imagegen.domain.gallery import PromptStore
    from imagegen.domain.jobs import JobStore
    from imagegen.domain.keys import KeyStore


@dataclass(frozen=True)
class AwsTable:
    """The part of ``World`` that is in the table; what few functions need is imported late."""

    settings: Settings
    record_retention_days: int = 0
    """Only the function ``generate`` writes records."""

    @cached_property
    def ledgers(self) -> DynamoLedgerStore:
        """The users' ledgers."""
        return DynamoLedgerStore(clients.dynamodb(), self.settings.table_name)

    @cached_property
    def budgets(self) -> "BudgetStore":
        """The budgets of the levels above the users."""
        # Imported here: functions that neither price nor spend do not load it.
        from imagegen.aws.budget_store import DynamoBudgetStore  # noqa: PLC0415

        return DynamoBudgetStore(clients.dynamodb(), self.settings.table_name)

    @cached_property
    def amounts(self) -> "AmountStore":
        """The amounts that operators set for budgets above the users."""
        from imagegen.aws.amount_store import DynamoAmountStore  # noqa: PLC0415 as above

        return DynamoAmountStore(clients.dynamodb(), self.settings.table_name)

    @cached_property
    def warnings(self) -> "BudgetWarningStore":
        """The warnings of budgets above the users."""
        from imagegen.aws.warning_store import DynamoBudgetWarningStore  # noqa: PLC0415 few write

        return DynamoBudgetWarningStore(clients.dynamodb(), self.settings.table_name)

    @cached_property
    def records(self) -> DynamoRecordStore:
        """The usage records."""
        table, days = self.settings.table_name, self.record_retention_days
        return DynamoRecordStore(clients.dynamodb(), table, days, self.name_in_logs)

    def name_in_logs(self, _user: str) -> str:
        """Return the name of a user in logs; only a function that writes records has the key."""
        return ""

    @cached_property
    def prompts(self) -> "PromptStore":
        """The prompts of stored images."""
        # Imported here: only the function with a bucket keeps them.
        from imagegen.aws.prompt_store import DynamoPromptStore  # noqa: PLC0415

        return DynamoPromptStore(clients.dynamodb(), self.settings.table_name)

    @cached_property
    def jobs(self) -> "JobStore":
        """The jobs that providers accepted, by request."""
        from imagegen.aws.job_store import DynamoJobStore  # noqa: PLC0415 few runs have any

        return DynamoJobStore(clients.dynamodb(), self.settings.table_name)

    @cached_property
    def circuits(self) -> DynamoCircuitStore:
        """The circuits of all instances."""
        return DynamoCircuitStore(clients.dynamodb(), self.settings.table_name)

    @cached_property
    def chat_usages(self) -> "ChatUsageStore":
        """What each person used of the chat."""
        # Imported here: functions that do not count chats do not load it.
        from imagegen.aws.chat_usage_store import DynamoChatUsageStore  # noqa: PLC0415

        return DynamoChatUsageStore(clients.dynamodb(), self.settings.table_name)

    @cached_property
    def program_keys(self) -> "KeyStore":
        """The keys for programs."""
        from imagegen.aws.key_store import DynamoKeyStore  # noqa: PLC0415 as above

        return DynamoKeyStore(clients.dynamodb(), self.settings.table_name)
