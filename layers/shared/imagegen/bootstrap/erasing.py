"""What erases users, put together: few invocations of ``generate`` need it."""

from typing import TYPE_CHECKING

from imagegen.aws import clients
from imagegen.aws.erasure_store import DynamoErasureStore
from imagegen.aws.kept_store import AwsKeptStore
from imagegen.aws.trail_store import DynamoTrailStore
from imagegen.domain.erasures import ErasingStores
from imagegen.usecases.erasure import Eraser

if TYPE_CHECKING:
    from imagegen.bootstrap.aws_world import AwsWorld
    from imagegen.bootstrap.generate import GenerateService


def aws_erasing(world: "AwsWorld") -> ErasingStores:
    """Return the stores of erasures over AWS."""
    dynamodb, table = clients.dynamodb(), world.settings.table_name
    kept = AwsKeptStore(dynamodb, table, clients.s3(), world.bucket_name, world.image_id_key)
    erasures, trail = DynamoErasureStore(dynamodb, table), DynamoTrailStore(dynamodb, table)
    return ErasingStores(kept, erasures, trail)


def build_eraser(service: "GenerateService") -> Eraser:
    """Return what erases users."""
    world = service.world
    stores = world.erasing
    return Eraser(
        stores=service.stores,
        kept=stores.kept,
        erasures=stores.erasures,
        trail=stores.trail,
        reconciler=service.reconciler,
        now_ms=world.now_ms,
    )
