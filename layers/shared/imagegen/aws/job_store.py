"""The last job of each confirmed request: one item beside the request's record.

The item is written once for each job, when its provider has accepted it, and never by runs of
providers without jobs. DynamoDB deletes it; nothing depends on when. It is deflated, so that it
costs one write unit whatever the run tried before.
"""

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from imagegen.aws.items import read_item, store_errors, to_item
from imagegen.domain.ids import ImageRef
from imagegen.domain.jobs import ASKED_MS, Job, job_json, parse_job

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

STORE = "The jobs"
_JOB, _TTL = "j", "ttl"
_MARGIN_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class DynamoJobStore:
    """``JobStore`` in a table with ``pk`` and ``sk``."""

    client: "DynamoDBClient"
    table: str

    def put(self, ref: ImageRef, job: Job) -> None:
        """Keep a job in the place of the request's earlier one."""
        until_seconds = (job.record.created_ms + ASKED_MS) // 1000 + _MARGIN_SECONDS
        item = _key(ref) | {_JOB: zlib.compress(job_json(job), 9), _TTL: until_seconds}
        with store_errors(STORE):
            self.client.put_item(TableName=self.table, Item=to_item(item))

    def get(self, ref: ImageRef) -> Job | None:
        """Return the request's last job; the read is strongly consistent."""
        values = read_item(self.client, self.table, to_item(_key(ref)), store=STORE)
        return parse_job(zlib.decompress(values[_JOB])) if values else None


def _key(ref: ImageRef) -> dict[str, Any]:
    return {"pk": f"U#{ref.user}", "sk": f"J#{ref.issued_ms:015d}#{ref.quote_id}"}
