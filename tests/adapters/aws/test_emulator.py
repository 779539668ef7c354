"""First of all: is the emulator itself atomic? Everything else here is worth no more than this."""


def test_the_emulator_has_one_winner_in_a_race_and_loses_no_increment(emulator_fault: str) -> None:
    assert not emulator_fault
