"""The model of the table behind ``make scale``: its own figures must be right before any other."""

import random

import pytest

from bench.scale import quotas
from bench.scale.day import Simulation, served_of_one_key, simulate
from bench.scale.fleet import Fleet, circuit_reads_at_most
from bench.scale.limits import entry_fits, level_fits, limits, met_at
from bench.scale.months import IDLE_BUDGET, month, warm_instances
from bench.scale.plans import Day, Plan
from bench.scale.profile import Key, Moment, Profile, Touch, between, kind_of
from bench.scale.table_model import Capacity, refusal, write_partitions

PERSON, BEFORE, AFTER = Key.PERSON, Moment.BEFORE, Moment.AFTER
TOUCHES = (
    Touch(Moment.ESTIMATE, Key.CIRCUITS, reads=0.5),
    Touch(Moment.ESTIMATE, PERSON, reads=1),
    Touch(Moment.ESTIMATE, Key.ORGANISATION, reads=1),
    Touch(BEFORE, PERSON, writes=1, index_writes=1),
    Touch(BEFORE, Key.ORGANISATION, writes=1),
    Touch(BEFORE, Key.CIRCUITS, reads=0.5),
    Touch(AFTER, PERSON, writes=1),
    Touch(AFTER, Key.ORGANISATION, writes=1),
    Touch(AFTER, PERSON, writes=1, index_writes=1),
)
LEVEL = ((1, 1.0), (60, 2.0), (600, 9.0), (12_000, 165.0))
PROFILE = Profile(TOUCHES, LEVEL, ((1, 1.0), (400, 19.0)), 0.5, 0.5)
WARM = 16_000


def day(images: float, *, seconds: int = 60, **more: object) -> Day:
    given = {"writes": WARM, "seconds": seconds} | more
    return simulate(PROFILE, Plan("", images, **given))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wanted", "capacity", "lost"),
    [(500, 1_000, 0), (1_000, 1_000, 0), (2_000, 1_000, 0.5), (4_000, 1_000, 0.75), (9, 0, 1)],
)
def test_what_does_not_fit_is_lost_and_no_more(wanted: float, capacity: float, lost: float) -> None:
    assert refusal(wanted, capacity).lost == pytest.approx(lost)


def test_one_key_at_twice_its_limit_loses_half_of_its_calls() -> None:
    assert served_of_one_key(1_000, 2, quotas.PARTITION_WRITES) == pytest.approx(0.5)
    # The table has room enough; the key has not.
    parts = write_partitions(Capacity(WARM, WARM), seed=1)
    parts.begin()
    parts.want("hot", 2_000)
    assert parts.refused("hot").lost == pytest.approx(0.5)
    assert parts.end(0) == quotas.PARTITION_WRITES


def test_a_second_try_serves_some_of_what_was_refused() -> None:
    one = refusal(2_000, 1_000)
    # N calls, tried again where they were refused, are served exactly as often as there is room.
    attempts = 2_000 * (1 + one.attempt)
    assert attempts * (1 - one.attempt) == pytest.approx(1_000)


def test_calls_of_many_keys_are_spread_over_all_partitions() -> None:
    parts = write_partitions(Capacity(WARM, WARM), seed=1)
    parts.begin()
    parts.want_spread(WARM * 0.8, random.Random(1))
    assert parts.count == 16
    assert not any(parts.refused_spread(random.Random(number)).lost for number in range(50))


def test_a_table_takes_twice_its_peak_half_an_hour_later() -> None:
    capacity = Capacity(4_000, 40_000)
    capacity.served(0, 4_000)
    capacity.served(quotas.GROWTH_SECONDS - 1, 4_000)
    assert capacity.units == 4_000
    capacity.served(quotas.GROWTH_SECONDS, 4_000)
    assert capacity.units == 8_000
    capacity.served(quotas.GROWTH_SECONDS + 1, 39_000)
    capacity.served(2 * quotas.GROWTH_SECONDS + 1, 1)
    assert capacity.units == 40_000, "not above the quota"


def test_at_a_tenth_of_the_load_nothing_is_refused() -> None:
    found = day(100)
    assert found.throttled == found.late == 0
    assert found.made == pytest.approx(found.offered)
    assert found.first_refusal is None
    assert max(found.before_ms) < 500


def test_units_an_image_are_what_was_measured() -> None:
    found = day(100, seconds=300)
    # Three writes of the person and two of the index; the last images of the time have not ended.
    assert 4.8 < found.write_units / found.made <= 5.01


def test_one_partition_of_leases_ends_what_is_above_500() -> None:
    assert day(490, lease_partitions=1, seconds=30).lost_by[Key.LEASES] < 490
    before = day(1_000, lease_partitions=1, seconds=120)
    assert before.lost_by.most_common(1)[0][0] == Key.LEASES
    assert before.made < 0.7 * before.offered
    assert not day(1_000, seconds=120).lost_by


def test_the_organisations_item_carries_40_and_not_100() -> None:
    fine = day(40, with_organisation=True, seconds=300)
    assert not fine.lost_by
    broken = day(100, with_organisation=True, seconds=300)
    assert broken.lost_by.most_common(1)[0][0] == Key.ORGANISATION
    assert broken.made < 0.7 * broken.offered


def test_reserved_concurrency_keeps_the_organisations_item_whole() -> None:
    found = day(1_000, with_organisation=True, concurrency=480, seconds=300)
    assert not found.lost_by
    assert found.made / 300 == pytest.approx(40, rel=0.15)
    assert found.not_begun > 0


def test_more_images_never_cost_less_time() -> None:
    fast, slow = day(100), day(1_000, lease_partitions=1)
    assert sorted(slow.before_ms)[60] > sorted(fast.before_ms)[60] + 20


def test_every_image_ends_after_about_the_wait() -> None:
    one = Simulation(PROFILE, Plan("", 10, writes=WARM, wait_seconds=12))
    one._begin(130)
    assert sum(one.running) == pytest.approx(130)
    assert [number for number, images in enumerate(one.running) if images] == list(range(5, 18))


def test_limits_are_where_the_arithmetic_puts_them() -> None:
    found = {one.name: one.images for one in limits(PROFILE)}
    assert found["one partition of the index of leases (before)"] == 500
    assert found["a new table's writes"] == pytest.approx(4_000 / 3)
    assert found["Lambda's concurrency"] == pytest.approx(1_000 / 12.2, rel=0.01)
    assert [*found.values()] == sorted(found.values())
    assert met_at(lambda images: images <= 7) == pytest.approx(7, abs=0.01)
    assert level_fits(PROFILE, 50)
    assert not level_fits(PROFILE, 60)
    assert entry_fits(PROFILE, 1)
    assert not entry_fits(PROFILE, 10)


def test_between_two_measured_points_units_rise_evenly_and_beyond_them_in_proportion() -> None:
    assert [between(LEVEL, at) for at in (0, 1, 60, 330, 600)] == [1, 1, 2, 5.5, 9]
    assert between(LEVEL, 24_000) == 330


def test_a_partition_that_the_model_does_not_have_is_an_error() -> None:
    assert kind_of("U#alice") is Key.PERSON
    with pytest.raises(KeyError):
        kind_of("NEW#thing")


def test_a_fleet_is_its_waits() -> None:
    fleet = Fleet(1_000)
    assert fleet.instances == pytest.approx(12_200)
    assert fleet.quota == 16_000
    assert fleet.parameter_reads() == pytest.approx(12_200 / 270)
    assert fleet.parameter_reads(60) == pytest.approx(12_200 / 270 + 1)
    assert circuit_reads_at_most(10_000) == 5_000


def test_an_idle_stack_costs_less_than_five_dollars_and_images_cost_in_proportion() -> None:
    idle, some, many = month(0), month(100_000), month(10_000_000)
    assert 0 < idle.total < IDLE_BUDGET
    assert idle.metrics == idle.functions == idle.egress == 0
    assert many.table == pytest.approx(100 * some.table)
    assert many.total / many.images < 0.0003
    assert warm_instances(0) == 2
