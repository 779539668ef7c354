"""What is kept by bytes: the newest values, and no more than fits."""

from local.simulator.newest import Newest


def kept(newest: Newest[str, int], keys: str) -> str:
    return "".join(key for key in keys if newest.get(key) is not None)


def test_the_oldest_values_are_deleted_by_their_bytes() -> None:
    newest = Newest[str, int](100)
    for number, (key, size) in enumerate((("a", 40), ("b", 40), ("c", 20), ("d", 50))):
        newest.put(key, number, size)
    assert kept(newest, "abcd") == "cd"
    assert newest.get("d") == 3


def test_a_value_that_is_put_again_is_the_newest_and_counts_once() -> None:
    newest = Newest[str, int](100)
    for key, size in (("a", 90), ("b", 10), ("a", 30), ("c", 60)):
        newest.put(key, size, size)
    assert kept(newest, "abc") == "abc"
    newest.put("d", 1, 1)
    assert kept(newest, "abcd") == "acd"


def test_the_last_value_is_kept_however_large_until_all_are_deleted() -> None:
    newest = Newest[str, int](100)
    newest.put("a", 1, 10)
    newest.put("b", 2, 1_000)
    assert kept(newest, "ab") == "b"
    newest.clear()
    newest.put("c", 3, 100)
    assert kept(newest, "abc") == "c"
