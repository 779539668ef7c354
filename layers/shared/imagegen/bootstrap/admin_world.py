"""What the function ``admin`` has beside the world of all functions, and the same in AWS."""

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from imagegen.aws import clients
from imagegen.aws.block_store import DynamoBlockStore
from imagegen.aws.erasure_store import DynamoErasureStore
from imagegen.aws.record_scan import DynamoRecordScan
from imagegen.aws.trail_store import DynamoTrailStore
from imagegen.bootstrap.aws_world import AwsWorld
from imagegen.bootstrap.world import World
from imagegen.domain.blocks import BlockStore
from imagegen.domain.erasures import ErasureStore
from imagegen.domain.spending import RecordScan
from imagegen.domain.trail import TrailStore


class AdminWorld(World, Protocol):
    """The world, and the stores that operators use."""

    @property
    def trail(self) -> TrailStore:
        """The trail of what operators changed."""

    @property
    def blocks(self) -> BlockStore:
        """The users who are switched off."""

    @property
    def erasures(self) -> ErasureStore:
        """The erasures that are not finished."""

    @property
    def record_scan(self) -> RecordScan:
        """The records of all users."""


@dataclass(frozen=True)
class AwsAdminWorld(AwsWorld):
    """``AdminWorld`` in AWS."""

    @cached_property
    def trail(self) -> DynamoTrailStore:
        """The trail of what operators changed."""
        return DynamoTrailStore(clients.dynamodb(), self.settings.table_name)

    @cached_property
    def blocks(self) -> DynamoBlockStore:
        """The users who are switched off."""
        return DynamoBlockStore(clients.dynamodb(), self.settings.table_name)

    @cached_property
    def erasures(self) -> DynamoErasureStore:
        """The erasures that are not finished."""
        return DynamoErasureStore(clients.dynamodb(), self.settings.table_name)

    @cached_property
    def record_scan(self) -> DynamoRecordScan:
        """The records of all users."""
        return DynamoRecordScan(clients.dynamodb(), self.settings.table_name)
