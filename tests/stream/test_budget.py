"""The latency budget as it is told on the command line."""

from __future__ import annotations

import argparse
import importlib

import pytest

from engines.errors import BadInput
from stream import budget
from stream.budget import DEFAULT, read_budget


@pytest.mark.parametrize(
    ("text", "seconds"), [(DEFAULT, 0.033), ("33", 0.033), ("0.05s", 0.05), ("16.7ms", 0.0167), (" 1s ", 1.0)]
)
def test_times(text: str, seconds: float) -> None:
    assert read_budget(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "fast", "-33ms", "33 minutes", "nan", "inf", "1e3", "0ms", "4ms", "2s", "9" * 99])
def test_what_is_no_time_is_named_in_one_line(text: str) -> None:
    with pytest.raises(BadInput, match="--latency-budget") as error:
        read_budget(text)
    assert "\n" not in str(error.value) and len(str(error.value)) < 120


@pytest.mark.parametrize("module", ["stream.relay.command", "stream.webcam.command"])
def test_both_doors_say_what_a_number_alone_means(module: str) -> None:
    # Guards against 20 meant as seconds, or as frames.
    parser = argparse.ArgumentParser()
    importlib.import_module(module).add_arguments(parser)
    assert budget.HELP in " ".join(parser.format_help().split())
    assert read_budget("20") == read_budget("20ms") and "number alone in milliseconds" in budget.HELP
