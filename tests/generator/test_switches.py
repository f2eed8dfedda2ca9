"""Every part can be switched off, and is then gone: no parameters, no state, no work, and all the promises kept."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from benchmarks.macs import Part, parts
from generator.config import GeneratorConfig
from generator.model import Generator
from generator.state import state_specs
from tests.generator.tiny import EDGE, TINY, by_frames, clip_inputs, shaken, tiny_generator

CACHED = {f"{kind}{block}_{back}" for kind in ("key", "value") for block in "01" for back in "12"}
OFF: dict[str, tuple[dict[str, Any], set[str], set[str]]] = {
    # what is switched off: the configuration, the parts that lose work, the states that go
    "prompting": ({"prompting": False}, {"prompt", "previous planes"}, set()),
    "attention": ({"attention": "off"}, {"attention"}, CACHED),
    "spatial_codes": ({"spatial_codes": False}, {"codebooks", "fusion"}, set()),
    "temporal_codes": ({"temporal_codes": False}, {"codebooks", "fusion"}, {"tokens"}),
    "fusion": ({"fusion": "off"}, {"codebooks", "fusion"}, {"tokens"}),
    "context": ({"context": False}, {"context"}, set()),
    "taps": ({"taps": False}, {"taps"}, {"tap0", "tap1"}),
    "recurrence": ({"recurrence": False}, {"recurrence"}, {"restored"}),
    "previous": ({"previous": False}, {"previous planes"}, {"before_y", "before_uv", "frames"}),
    "sharpening": ({"sharpening": False}, {"sharpening"}, set()),
    "illumination": ({"illumination": False}, {"illumination"}, {"log_gain"}),
}  # fmt: skip


def by_name(config: GeneratorConfig) -> dict[str, Part]:
    return {part.name: part for part in parts(Generator(config), EDGE)}


@pytest.mark.parametrize("switch", OFF)
def test_what_is_off_is_gone(switch: str) -> None:
    change, lighter, states = OFF[switch]
    config = replace(TINY, **change)
    whole, rest = by_name(TINY), by_name(config)
    nothing = Part("")
    changed = {name for name in whole if rest.get(name, nothing).macs != whole[name].macs}
    assert changed == lighter
    assert all(rest.get(name, nothing).macs < whole[name].macs for name in lighter)
    names, left = (set(dict(Generator(c).named_parameters())) for c in (TINY, config))
    assert left < names
    assert set(state_specs(TINY)) - set(state_specs(config)) == states
    assert set(state_specs(config)) <= set(state_specs(TINY))


@pytest.mark.parametrize("switch", OFF)
def test_without_it_all_else_still_works(switch: str) -> None:
    config = replace(TINY, **OFF[switch][0])
    clip = clip_inputs(frames=3)
    for out in by_frames(tiny_generator(config), clip):
        assert not out.change_y.any() and not out.change_uv.any()
    generator = shaken(tiny_generator(config))
    for out in by_frames(generator, replace(clip, strength=torch.zeros_like(clip.strength))):
        assert not out.change_y.any() and not out.change_uv.any()
    whole = generator.clip(clip).change_y.detach()
    frames = torch.cat([out.change_y for out in by_frames(generator, clip)])
    torch.testing.assert_close(frames, whole, atol=1e-4, rtol=0)
    assert whole.abs().mean() > 1e-2


def test_with_everything_off_a_trunk_without_memory_is_left() -> None:
    changes = {name: value for change, _, _ in OFF.values() for name, value in change.items()}
    config = replace(TINY, **changes)
    assert not state_specs(config)
    assert set(by_name(config)) == {"stem", "encoder", "prompt", "feed-forward", "decoder"}
    generator = shaken(tiny_generator(config))
    out = by_frames(generator, clip_inputs(frames=2))
    assert all(frame.log_gain is None and frame.spatial is None and frame.temporal is None for frame in out)


@pytest.mark.parametrize("switch", OFF)
def test_each_part_has_a_say_once_trained(switch: str) -> None:
    """The same weights without the part make another picture."""
    change, _, _ = OFF[switch]
    generator = shaken(tiny_generator())
    less = tiny_generator(replace(TINY, **change))
    weights = generator.state_dict()
    less.load_state_dict({name: weights[name] for name in less.state_dict()})
    clip = clip_inputs(frames=3)
    with torch.no_grad():
        whole, rest = (g.clip(clip).change_y for g in (generator, less))
    assert (whole - rest).abs().max() > 1e-5
