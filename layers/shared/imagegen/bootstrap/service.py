"""The part that the services of all functions share: the guard and the availability of models.

``prime`` builds what the first request needs while Lambda starts the environment. During the start,
the environment has a whole core. A request at 512 MB has 0.29 of a core, so the same work takes
three times as long. Parts that many requests do not need are built when they are first used.
"""

import gc
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from imagegen.bootstrap import STARTING
from imagegen.bootstrap.world import World
from imagegen.domain.breaker import Policy
from imagegen.domain.catalog import Catalog
from imagegen.guard import Guard
from imagegen.settings import Settings
from imagegen.usecases.availability import Switchboard

if TYPE_CHECKING:
    from imagegen.domain.keys import KeyVerifier

PROBE_MARGIN_MS = 15_000
SNAPSHOT = "snap-start"
"""The start before a snapshot is taken (SnapStart)."""


def policy_for(catalog: Catalog) -> Policy:
    """Return the policy whose lease of a probe lasts longer than any call of the catalog."""
    longest_seconds = max(row.call_seconds for row in catalog.models)
    return Policy(probe_ms=longest_seconds * 1000 + PROBE_MARGIN_MS)


@dataclass(frozen=True)
class Service:
    """The use cases of one function over one world; each is built when it is first used."""

    world: World
    settings: Settings

    @cached_property
    def guard(self) -> Guard:
        """Calls providers through their circuits; it has this instance's cache of them."""
        world = self.world
        return Guard(
            world.circuits,
            policy_for(world.catalog),
            world.now_ms,
            world.new_id,
            world.observer.circuit_moved,
        )

    @cached_property
    def switchboard(self) -> Switchboard:
        """Finds which models can be called now."""
        return Switchboard(self.world.catalog, self.world.setups, self.guard)

    @cached_property
    def key_verifier(self) -> "KeyVerifier":
        """Turns keys for programs into users; it has this instance's memory of them."""
        # Only requests with a key load it.
        from imagegen.edge.program_keys import ProgramKeyVerifier, RecentKeys  # noqa: PLC0415

        world = self.world
        recent = RecentKeys(world.program_keys.find, world.now_ms)
        return ProgramKeyVerifier(
            recent, world.image_id_key, self.settings.jwt_issuer, world.now_ms
        )


def prime(
    *builds: Callable[[], object],
    for_snapshot: Sequence[Callable[[], object]] = (),
    environ: Mapping[str, str] = os.environ,
) -> None:
    """Call each factory if Lambda is starting an environment; do nothing anywhere else.

    If this start is for a snapshot, the factories of ``for_snapshot`` are called as well: whatever
    is loaded then is loaded in every environment that is restored from it. The garbage collector,
    which the package stopped, runs again afterwards.
    """
    if STARTING not in environ:
        return
    is_for_snapshot = environ[STARTING] == SNAPSHOT
    for_snapshot = (*for_snapshot, _draw_anew_after_restore) if is_for_snapshot else ()
    for build in (*builds, *for_snapshot):
        # A factory that fails here fails again in the request that needs it, which reports the
        # reason. An error during the start would make every request a 502 without a reason, also
        # for routes that do not need this factory.
        with suppress(Exception):
            build()
    # What was loaded stays for as long as the process: no collection looks at it again.
    gc.freeze()
    gc.enable()


def _draw_anew_after_restore() -> None:
    """Let each environment of one snapshot have random numbers of its own.

    The AWS SDK draws its pauses before retries from ``random``, whose state is in the snapshot:
    https://docs.aws.amazon.com/lambda/latest/dg/snapstart-uniqueness.html
    """
    import random  # noqa: PLC0415 only for a snapshot

    # A part of Lambda's runtime.
    from snapshot_restore_py import register_after_restore  # noqa: PLC0415 as above

    register_after_restore(random.seed)
