"""Starts background runs: this function, invoked asynchronously at its own alias.

The role may invoke nothing else. Lambda keeps the event, encrypted, for at most a minute, never
tries one again, and has no place for those that it gives up: EventInvokeConfig in the template.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from imagegen.domain.errors import StoreUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

ALIAS = "live"
"""``AutoPublishAlias`` in the template."""


@dataclass(frozen=True, slots=True)
class LambdaRunStarter:
    """Sends events to one function."""

    client: "LambdaClient"
    function_name: str

    def start(self, event: str) -> None:
        """Send an event, as JSON.

        Raises:
            StoreUnavailableError: it may have been accepted or not. If the SDK sends it twice, two
                runs begin, and only one of them gets the hold. ``hint`` is AWS's code, if any.
        """
        try:
            self.client.invoke(
                # Not as a qualifier apart: the name is then the resource of the role's policy.
                FunctionName=f"{self.function_name}:{ALIAS}",
                InvocationType="Event",
                Payload=event.encode(),
            )
        except (BotoCoreError, ClientError) as error:
            found = StoreUnavailableError(
                "The image could not be begun in the background. Try again.", retry_after_seconds=2
            )
            if isinstance(error, ClientError):
                found.hint = error.response["Error"]["Code"]
            raise found from error
