"""What a library measured is only for speed: whatever is wrong with it, the plan that took minutes is not lost."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from engines.plan_build import build
from engines.tensorrt_library import Library
from engines.whole_file import PART
from tests.export.tiny_family import halves


class Config:
    """A builder's settings; a cache is its content, and odd content is refused as TensorRT does it."""

    def __init__(self) -> None:
        self.used: bytes | None = None
        self.kept: bytes | None = b"measured"
        self.no_cache = False
        self.cleared: list[str] = []

    def create_timing_cache(self, content: bytes) -> bytes | None:
        return None if self.no_cache or content == b"damaged" else content

    def set_timing_cache(self, cache: bytes | None, ignore_mismatch: bool) -> bool:
        if cache is None:
            raise TypeError("incompatible function arguments")
        if cache == b"of another version":
            return False
        self.used = cache
        return True

    def get_timing_cache(self) -> SimpleNamespace | None:
        return None if self.no_cache else SimpleNamespace(serialize=lambda: self.kept)

    def clear_flag(self, flag: str) -> None:
        self.cleared.append(flag)


class Base:
    ERROR = 1


def library(config: Config, **flags: str) -> Library:
    network = SimpleNamespace(get_input=lambda index: SimpleNamespace(shape=(1, 1)))
    builder = SimpleNamespace(
        create_network=lambda flags: network,
        create_builder_config=lambda: config,
        build_serialized_network=lambda network, config: b"plan",
    )
    module: Any = SimpleNamespace(
        ILogger=Base,
        IProgressMonitor=Base,
        Builder=lambda said: builder,
        OnnxParser=lambda network, said: SimpleNamespace(parse_from_file=lambda path: True),
        NetworkDefinitionCreationFlag=SimpleNamespace(),
        BuilderFlag=SimpleNamespace(**flags),
    )
    return Library("tensorrt", module, "10.9")


def built(config: Config, timing: Path | None, **flags: str) -> bytes:
    return build(library(config, **flags), halves()[0], None, 1, lambda what, share: None, timing)


def test_what_was_measured_is_used_by_the_next_build(tmp_path: Path) -> None:
    timing = tmp_path / "not there yet" / "timing.cache"
    first, second = Config(), Config()
    assert built(first, timing) == built(second, timing) == b"plan"
    assert (first.used, second.used) == (b"", b"measured")
    # All of it or nothing: several processes write it.
    assert timing.read_bytes() == b"measured" and not list(timing.parent.glob(f"{PART}*"))


@pytest.mark.parametrize("content", [b"damaged", b"of another version"])
def test_a_cache_that_is_of_no_use_is_replaced(tmp_path: Path, content: bytes) -> None:
    timing, config = tmp_path / "timing.cache", Config()
    timing.write_bytes(content)
    assert built(config, timing) == b"plan"
    assert config.used == b"" and timing.read_bytes() == b"measured"


@pytest.mark.parametrize("fault", ["no cache", "nothing kept", "a folder", "no folder"])
def test_no_build_fails_for_want_of_a_cache(tmp_path: Path, fault: str) -> None:
    timing, config = tmp_path / "timing.cache", Config()
    if fault == "a folder":
        timing.mkdir()
    elif fault == "no folder":
        timing.write_text("")
        timing = timing / "below"
    elif fault == "no cache":
        config.no_cache = True
    else:
        config.kept = None
    assert built(config, timing) == b"plan"


@pytest.mark.parametrize(("flags", "cleared"), [({"TF32": "tf32"}, ["tf32"]), ({}, [])])
def test_float32_is_not_rounded_to_half_precision(flags: dict[str, str], cleared: list[str]) -> None:
    """TF32 is on by default, and has the 11 bits that the graph keeps off what matters."""
    config = Config()
    built(config, None, **flags)
    assert config.cleared == cleared
