"""What is built while Lambda starts an environment."""

import gc

from imagegen.bootstrap import STARTING
from imagegen.bootstrap.service import prime


def test_where_lambda_starts_every_factory_is_called() -> None:
    built: list[str] = []
    prime(lambda: built.append("a"), lambda: built.append("b"), environ={STARTING: "on-demand"})

    assert built == ["a", "b"]


def test_elsewhere_nothing_happens() -> None:
    built: list[str] = []
    prime(lambda: built.append("a"), environ={})

    assert built == []


def test_what_fails_is_left_to_whoever_asks_for_it() -> None:
    built: list[str] = []

    def broken() -> None:
        raise ValueError("no setting")

    prime(broken, lambda: built.append("b"), environ={STARTING: "on-demand"})

    assert built == ["b"]


def test_the_garbage_collector_runs_again_and_leaves_out_what_was_loaded() -> None:
    gc.disable()
    try:
        prime(environ={STARTING: "on-demand"})

        assert (gc.isenabled(), gc.get_freeze_count() > 0) == (True, True)
    finally:
        gc.enable()
        gc.unfreeze()


def test_elsewhere_the_garbage_collector_is_left_alone() -> None:
    before = gc.get_freeze_count()
    prime(environ={})

    assert (gc.isenabled(), gc.get_freeze_count()) == (True, before)
