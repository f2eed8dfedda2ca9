"""Engine threads: a live door that took the cores of files left too few to the call's own program."""

from __future__ import annotations

from stream import threads


def test_a_file_leaves_half_the_cores_to_decoder_and_encoder() -> None:
    assert [threads.for_files(cores) for cores in (1, 2, 4, 64)] == [1, 1, 2, 4]


def test_a_call_takes_two_where_as_many_are_left() -> None:
    # Guards against two threads on two cores, where each waits for decoder and encoder.
    assert [threads.for_calls(cores) for cores in (1, 2, 3, 4, 64)] == [1, 1, 1, 2, 2]
