"""What is built while Lambda starts an environment."""

from imagegen.bootstrap.service import STARTING, prime


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
