"""Operators find a person and block them: no picture, no prompt, and each change in the trail."""

import json
from contextlib import suppress
from dataclasses import replace

import pytest

from imagegen.domain.budgets import Level
from imagegen.domain.days import utc_day
from imagegen.domain.errors import LimitError, ParameterError, StoreUnavailableError
from imagegen.domain.ids import log_name
from imagegen.domain.ledger import Ledger, Limits, Op, OpState, PersonalLimits
from imagegen.domain.trail import Action, Change
from imagegen.edge.tokens import user_id
from imagegen.usecases.admin.people import People
from imagegen.wire.admin import FindPerson
from tests.fakes.faults import DiedError, Fault
from tests.fakes.service import IMAGE_ID_KEY, OTHER_USER, PROMPT, USER, Service

WHO = "user:" + "c3" * 16
ISSUER = "https://issuer.test"


def people(service: Service) -> People:
    return service.functions.people


def changes(service: Service) -> list[Change]:
    return [one.change for one in service.trail.entries.values()]


def test_a_person_is_found_by_the_subject_of_their_tokens() -> None:
    service = Service(jwt_issuer=ISSUER)
    user = user_id(ISSUER, "alice")
    made = service.make(user=user)
    found = people(service).find(FindPerson(subject="alice"))
    assert (found.user, found.known, found.blocked) == (user, True, False)
    assert found.log_name == log_name(user, IMAGE_ID_KEY)
    assert (found.spent, found.images, found.attempts) == (made.record.charged_microusd, 1, 1)
    assert found.limits.images_today == service.limits.daily_images
    assert found.remaining.images_today == service.limits.daily_images - 1


def test_a_person_is_found_by_the_hash_of_a_report() -> None:
    service = Service()
    service.make()
    assert people(service).find(FindPerson(user=USER)).recent[0].cost == 50_000
    assert people(service).find(FindPerson(user=OTHER_USER)).known is False


@pytest.mark.parametrize(
    ("personal", "limit"),
    [
        (PersonalLimits(), 10_000_000),
        (PersonalLimits(daily_microusd=25_000_000), 25_000_000),
        (PersonalLimits(own_daily_microusd=300_000), 300_000),
        (PersonalLimits(25_000_000, None, 300_000), 300_000),
        (PersonalLimits(200_000, None, 300_000), 200_000),
    ],
)
def test_the_limit_that_is_shown_is_the_one_that_holds(
    personal: PersonalLimits, limit: int
) -> None:
    service = Service()
    service.ledgers.set_limits(USER, lambda _: personal)
    found = people(service).person(USER)
    assert found.limits.usd_today == found.remaining.usd_today == limit


def test_money_of_an_image_that_is_being_made_is_reserved_and_not_spent() -> None:
    service = Service()
    day = utc_day(service.clock())
    held = Op(OpState.HELD, 30, "run", service.clock(), 0, 0, day, None)
    service.ledgers.ledgers[USER] = Ledger(spent={day: 100}, ops={"q": held})
    found = people(service).person(USER)
    assert (found.spent, found.reserved) == (70, 30)


def test_of_who_did_nothing_every_count_is_zero() -> None:
    found = people(Service()).person(OTHER_USER)
    assert (found.spent, found.reserved, found.images, found.attempts) == (0, 0, 0, 0)


def test_who_has_images_is_known_although_no_count_is_left() -> None:
    service = Service()
    service.make()
    service.ledgers.ledgers.clear()
    assert people(service).person(USER).known


@pytest.mark.parametrize(("most", "shown"), [(7, 7), (0, None)])
def test_the_limit_of_the_hour_is_shown_if_there_is_one(most: int, shown: int | None) -> None:
    service = Service(limits=Limits(hourly_images=most))
    assert people(service).person(USER).limits.images_this_hour == shown


def test_what_the_budgets_above_a_person_leave_is_shown_if_there_are_any() -> None:
    assert people(Service(limits=Limits())).person(USER).remaining.levels is None
    service = Service(limits=Limits(levels=(Level(daily_microusd=900),)))
    (level,) = people(service).person(USER).remaining.levels or ()
    assert level.usd_today == 900


def test_the_list_has_the_code_of_a_failure_and_none_of_a_success() -> None:
    service = Service()
    service.make()
    (known,) = service.records.records.items()
    assert people(service).person(USER).recent[0].code is None
    service.records.records[known[0]] = replace(known[1], code="content_refused")
    assert people(service).person(USER).recent[0].code == "content_refused"


def test_an_erasure_that_is_asked_for_twice_is_in_the_trail_once() -> None:
    service = Service()
    for _ in range(2):
        people(service).erase(USER, WHO, reason="letter")
    assert changes(service) == [Change(Action.USER_ERASED, USER, "kept", "asked", "letter")]


def test_what_opens_an_image_and_what_was_asked_for_is_not_shown() -> None:
    service = Service()
    made = service.make("a secret wish")
    text = people(service).person(USER).model_dump_json(by_alias=True)
    assert service.image_id(made) not in text
    assert "secret" not in text
    assert json.loads(text)["recent"][0]["quoteId"] == made.record.quote_id


@pytest.mark.parametrize(
    "asked",
    [
        FindPerson(),
        FindPerson(subject="alice", user=USER),
        FindPerson(user="alice"),
        FindPerson(user=USER.upper()),
        FindPerson(user=USER[:-1]),
        FindPerson(user=USER + "0"),
        FindPerson(user="U#" + USER[2:]),
        FindPerson(user=""),
    ],
)
def test_anything_but_one_subject_or_one_hash_is_refused(asked: FindPerson) -> None:
    with pytest.raises(ParameterError) as error:
        people(Service()).find(asked)
    is_one = (asked.subject is None) is not (asked.user is None)
    assert error.value.param == ("user" if is_one else "subject")


def test_a_blocked_person_can_confirm_nothing_and_is_let_in_again() -> None:
    service = Service()
    offer = service.estimate()
    assert people(service).block(USER, WHO, blocked=True, reason="abuse").blocked
    with pytest.raises(LimitError) as raised:
        service.confirm(offer)
    assert raised.value.code == "blocked"
    assert not people(service).block(USER, WHO, blocked=False, reason="").blocked
    service.confirm(service.estimate(PROMPT))
    assert changes(service) == [
        Change(Action.USER_BLOCKED, USER, "free", "blocked", "abuse"),
        Change(Action.USER_BLOCKED, USER, "blocked", "free", ""),
    ]


def test_a_person_who_has_never_been_here_can_be_blocked() -> None:
    service = Service()
    assert people(service).block(OTHER_USER, WHO, blocked=True, reason="").known
    with pytest.raises(LimitError):
        service.confirm(service.estimate(user=OTHER_USER), OTHER_USER)
    service.make()


def test_money_that_is_held_and_charged_stays_when_a_person_is_blocked() -> None:
    service = Service()
    service.make()
    before = service.ledger()
    people(service).block(USER, WHO, blocked=True, reason="")
    after = service.ledger()
    assert (after.spent, after.images, after.ops) == (before.spent, before.images, before.ops)


def test_a_block_that_stands_already_leaves_no_entry() -> None:
    service = Service()
    people(service).block(USER, WHO, blocked=False, reason="")
    people(service).block(USER, WHO, blocked=True, reason="")
    people(service).block(USER, WHO, blocked=True, reason="")
    assert len(changes(service)) == 1


def test_what_is_no_hash_is_blocked_by_nobody() -> None:
    service = Service()
    with pytest.raises(ParameterError):
        people(service).block("alice", WHO, blocked=True, reason="")
    assert not service.ledgers.ledgers


@pytest.mark.parametrize("fault", [Fault.BEFORE, Fault.AFTER, Fault.DIES_BEFORE, Fault.DIES_AFTER])
@pytest.mark.parametrize("number", range(6))
def test_whatever_breaks_nobody_is_blocked_without_an_entry(fault: Fault, number: int) -> None:
    service = Service()
    service.wire.faults = {number: fault}
    with suppress(StoreUnavailableError, DiedError):
        people(service).block(USER, WHO, blocked=True, reason="")
    assert changes(service) or not service.ledger().blocked
    service.new_process()
    assert people(service).block(USER, WHO, blocked=True, reason="").blocked
    assert 1 <= len(changes(service)) <= 2
