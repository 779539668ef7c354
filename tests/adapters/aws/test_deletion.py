"""Deletes, runs, repetitions and reconcilers at once: one charge, and what is deleted stays so."""

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from imagegen.domain.errors import ImagegenError, StoreUnavailableError
from imagegen.domain.ledger import OpState
from imagegen.usecases.generate.run import Made
from imagegen.wire.estimates import Estimate
from imagegen.wire.gallery import GalleryQuery
from tests.adapters.aws.world import Aws, at_once
from tests.exactness.instance import LIFETIME_MS, Instance, instance, providers
from tests.fakes.clock import Clock

BASE = "https://us.test"
ROUNDS = 12
PRICE = 50_000


@pytest.fixture
def here(aws: Aws) -> Instance:
    table, bucket = aws.new_table(), aws.new_bucket()
    return instance(aws.dynamodb, aws.s3, table, bucket, Clock(), drawn_by=providers())


def outcome(work: Callable[[], object]) -> str:
    """Return the code of the error that a piece of work ends with, or its result's name."""
    try:
        return type(work()).__name__
    except ImagegenError as error:
        return error.code


def objects(here: Instance, prefix: str) -> list[Any]:
    store: Any = here.images
    answer = store.client.list_objects_v2(Bucket=store.bucket, Prefix=prefix)
    return list(answer.get("Contents", []))


def delete(here: Instance, offer: Estimate, user: str) -> None:
    here.service.gallery.delete(offer.image_id, user)


def assert_deleted(here: Instance, offer: Estimate, user: str) -> None:
    """Assert that nothing but mark, record and charge is left, and that nothing makes it again."""
    made = sum(one.calls for one in here.providers.values())
    assert outcome(partial(here.confirm, offer.quote, user)) == "image_deleted"
    assert outcome(partial(here.service.finder.location, offer.image_id)) == "image_deleted"
    assert outcome(partial(here.service.finder.status, offer.image_id, BASE)) == "image_deleted"
    assert sum(one.calls for one in here.providers.values()) == made
    ref = here.service.reconciler.stores.records.recent(user, limit=5)
    assert [(one.charged_microusd, one.deleted_ms > 0) for one in ref] == [(PRICE, True)]
    assert here.service.gallery.page(GalleryQuery(), user, BASE).images == ()
    ledger = here.ledgers.load(user)
    assert ledger.ops[offer.quote_id].state is OpState.SETTLED
    assert sum(ledger.spent.values()) == PRICE


def test_a_delete_leaves_an_empty_mark_and_no_words(here: Instance, user: str) -> None:
    offer = here.estimate(user)
    assert isinstance(here.confirm(offer.quote, user), Made)
    assert len(objects(here, "img/")) == 1
    for _ in range(2):
        delete(here, offer, user)
        assert objects(here, "img/") == []
        assert [one["Size"] for one in objects(here, "deleted/")] == [0]
    assert_deleted(here, offer, user)
    store: Any = here.prompts
    items = store.client.scan(TableName=store.table)["Items"]
    # Of people and of budgets, nothing is left that has words.
    assert {item["pk"]["S"][:2] for item in items} == {"U#", "L#"}


def test_clicks_and_deletes_at_once_end_with_one_charge(here: Instance, user: str) -> None:
    seen = Counter[str]()
    for number in range(ROUNDS):
        me = f"{user[:-2]}{number:02x}"
        offer = here.estimate(me)
        work: list[Callable[[], object]] = [
            partial(here.confirm, offer.quote, me),
            partial(delete, here, offer, me),
            partial(here.confirm, offer.quote, me),
            partial(delete, here, offer, me),
            partial(delete, here, offer, me),
            partial(here.service.finder.status, offer.image_id, BASE),
            partial(here.service.gallery.page, GalleryQuery(), me, BASE),
        ]
        came = at_once(outcome, work)
        deletes = [came[1], came[3], came[4]]
        assert set(deletes) <= {"NoneType", "still_running", "not_found"}
        seen += Counter(deletes)
        if "NoneType" not in deletes:
            delete(here, offer, me)
        assert_deleted(here, offer, me)
    assert objects(here, "img/") == []
    assert len(objects(here, "deleted/")) == ROUNDS
    assert sum(one.calls for one in here.providers.values()) == ROUNDS


def test_deletes_replays_and_reconcilers_of_a_dead_run_end_with_one_charge(
    here: Instance, user: str
) -> None:
    """The run died after it had stored the image: its hold is settled, never released."""
    clock: Any = here.now_ms
    for number in range(ROUNDS):
        me = f"{user[:-2]}{number:02x}"
        offer = here.estimate(me)
        ledgers = here.ledgers
        here.ledgers = _WithoutSettle(ledgers)  # type: ignore[assignment]
        here.__dict__.pop("service", None)
        here.confirm(offer.quote, me)
        here.ledgers = ledgers
        here.__dict__.pop("service", None)
        assert ledgers.load(me).ops[offer.quote_id].state is OpState.HELD
        clock.at_ms += LIFETIME_MS + 60_000 if number % 2 else 0
        work: list[Callable[[], object]] = [
            partial(delete, here, offer, me),
            partial(here.reconciler.sweep, limit=50),
            partial(here.confirm, offer.quote, me),
            partial(delete, here, offer, me),
            partial(here.reconciler.sweep, limit=50),
            partial(here.service.finder.status, offer.image_id, BASE),
        ]
        came = at_once(outcome, work)
        assert [came[0], came[3]] == ["NoneType", "NoneType"]
        assert_deleted(here, offer, me)
    assert objects(here, "img/") == []


class _WithoutSettle:
    """A ledger whose settling writes are lost on their way."""

    def __init__(self, ledgers: Any) -> None:
        self._ledgers = ledgers

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledgers, name)

    def settle(self, *_: object, **__: object) -> None:
        raise StoreUnavailableError("the ledger does not answer")
