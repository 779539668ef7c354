"""A key's line is exact, at a hundred requests at once, for itself and for people."""

import secrets
from dataclasses import replace

import pytest

from imagegen.bootstrap.generate import GenerateService
from imagegen.domain.callers import IMAGES, PEOPLE, User
from imagegen.domain.errors import LimitError
from imagegen.domain.keys import KeyLine, Program, ProgramKey, digest_of
from imagegen.domain.program_limits import level_of
from imagegen.usecases.generate.run import Made
from imagegen.wire.estimates import EstimateRequest
from imagegen.wire.images import GenerateRequest
from tests.adapters.aws.world import Aws, Meter, at_once
from tests.exactness.instance import LIFETIME_MS, Instance, instance, providers
from tests.fakes.clock import NOON_MS, Clock
from tests.fakes.service import PROMPT

DAY, MONTH = "20261122", "202611"
REQUESTS, FIT = 100, 7
PEOPLE_OF_TOOL = 20


@pytest.fixture
def here(aws: Aws) -> Instance:
    table, bucket, clock = aws.new_table(), aws.new_bucket(), Clock(NOON_MS)
    return instance(aws.dynamodb, aws.s3, table, bucket, clock, drawn_by=providers())


def key_of(line: KeyLine, *scopes: str) -> ProgramKey:
    digest = digest_of(b"a" * 32)
    return ProgramKey("abcdefgh", "tool", frozenset(scopes), line, digest, NOON_MS, "eve")


def ceiling(service: GenerateService, user: str) -> int:
    asked = EstimateRequest.model_validate({"prompt": PROMPT, "quality": "standard"})
    return service.estimator.estimate(asked, user).price.ceiling


def click(service: GenerateService, user: str) -> Made | str:
    """Return the image of a priced and confirmed request, or the limit that refused it."""
    asked = EstimateRequest.model_validate({"prompt": PROMPT, "quality": "standard"})
    offer = service.estimator.estimate(asked, user)
    order = GenerateRequest(quote=offer.quote, prompt=PROMPT)
    try:
        ends_ms = service.world.now_ms() + LIFETIME_MS
        result = service.generator.generate(order, user, ends_ms=ends_ms).result
    except LimitError as error:
        return error.code
    assert isinstance(result, Made)
    return result


def as_user(program: Program) -> User:
    return User(program.key.user, frozenset(), program=program)


def line_for(here: Instance) -> KeyLine:
    """Return a line that has room for so many holds and for not quite one more."""
    return KeyLine((FIT + 1) * ceiling(here.service, "a1" * 16) - 1, None, 1_000)


def test_of_a_hundred_requests_of_a_key_at_once_none_goes_above_its_line(here: Instance) -> None:
    key = key_of(line_for(here), IMAGES)
    service = here.service.under(as_user(Program(key)))
    came = at_once(lambda _: click(service, key.user), range(REQUESTS))
    charged = [one.record.charged_microusd for one in came if isinstance(one, Made)]
    assert {one for one in came if isinstance(one, str)} == {"daily_spend"}
    assert len(charged) >= FIT
    ledger = here.ledgers.load(key.user)
    assert ledger.spent == {DAY: sum(charged)}
    assert sum(charged) <= key.line.daily_microusd
    assert sum(one.record.charged_microusd for one in came if isinstance(one, Made)) == sum(
        one.charged_microusd for one in here.finished if one.charged_microusd
    )


def test_of_a_hundred_requests_for_people_and_for_nobody_none_goes_above_the_keys_line(
    here: Instance,
) -> None:
    key = key_of(line_for(here), IMAGES, PEOPLE)
    of_people = here.service.under(as_user(Program(key, is_for_person=True)))
    of_nobody = here.service.under(as_user(Program(key)))
    users = [secrets.token_hex(16) for _ in range(PEOPLE_OF_TOOL)]

    def ask(number: int) -> Made | str:
        if number % 10 == 0:
            return click(of_nobody, key.user)
        return click(of_people, users[number % PEOPLE_OF_TOOL])

    came = at_once(ask, range(REQUESTS))
    charged = sum(one.record.charged_microusd for one in came if isinstance(one, Made))
    refused = {one for one in came if isinstance(one, str)}
    # Where it names nobody, its own entry has the same line.
    assert refused | {"daily_spend"} == {"key_daily_spend", "daily_spend"}
    budget = here.budgets.load(level_of(key), MONTH)
    assert budget.days == {DAY: charged}
    assert 0 < charged <= key.line.daily_microusd
    assert not budget.marks
    entries = [here.ledgers.load(user) for user in (*users, key.user)]
    assert sum(one.spent.get(DAY, 0) for one in entries) == charged


@pytest.mark.parametrize(("scopes", "extra"), [((IMAGES,), 0), ((IMAGES, PEOPLE), 2)])
def test_only_a_key_that_may_name_people_costs_two_write_units_more(
    aws: Aws, here: Instance, scopes: tuple[str, ...], extra: int
) -> None:
    key = key_of(KeyLine(10**9, None, 1_000), *scopes)
    program = Program(key, is_for_person=PEOPLE in scopes)
    writes = []
    for service in (here.service, here.service.under(as_user(program))):
        meter = Meter()
        with meter.running(aws.dynamodb):
            assert isinstance(click(service, secrets.token_hex(16)), Made)
        writes.append(meter.calls.count("UpdateItem"))
    # Each of these writes is one unit; the organisation's two are among them.
    assert writes == [4, 4 + extra]


def test_a_run_of_a_program_that_died_is_ended_at_its_key_as_well(here: Instance) -> None:
    key = key_of(KeyLine(10**9, 10**9, 1_000), IMAGES, PEOPLE)
    service, user = (
        here.service.under(as_user(Program(key, is_for_person=True))),
        secrets.token_hex(16),
    )

    def dies(_name: str) -> None:
        raise KeyboardInterrupt

    for provider in here.providers.values():
        provider.react = dies
    with pytest.raises(KeyboardInterrupt):
        click(service, user)
    held = here.budgets.load(level_of(key), MONTH)
    assert held.month_microusd > 0
    assert len(held.marks) == 1
    clock = here.now_ms
    assert isinstance(clock, Clock)
    clock.advance(LIFETIME_MS + 60_000)
    assert here.service.reconciler.sweep(limit=10).released == 1
    after = here.budgets.load(level_of(key), MONTH)
    assert (after.month_microusd, after.marks) == (0, frozenset())


def test_a_line_that_is_lowered_below_what_is_spent_refuses_and_takes_nothing_back(
    here: Instance,
) -> None:
    key = key_of(KeyLine(10**9, None, 1_000), IMAGES, PEOPLE)
    user = secrets.token_hex(16)
    made = click(here.service.under(as_user(Program(key, is_for_person=True))), user)
    assert isinstance(made, Made)
    less = replace(key, line=KeyLine(1, None, 1_000))
    assert (
        click(here.service.under(as_user(Program(less, is_for_person=True))), user)
        == "key_daily_spend"
    )
    spent = here.budgets.load(level_of(key), MONTH).month_microusd
    assert spent == made.record.charged_microusd
