"""Counting work: by hand for a layer, and within the budgets for the models."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from benchmarks.macs import count_macs, part_of, parts, total_macs
from benchmarks.switches import OFF
from benchmarks.yardstick import export_yardstick
from generator.config import BASE, LITE
from generator.model import Generator
from tests.generator.test_switches import OFF as TESTED
from tests.generator.tiny import TINY


class Small(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.linear = nn.Linear(8, 5)

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.conv(x).flatten(2)
        attention = torch.softmax(tokens.transpose(1, 2) @ tokens, dim=-1)
        out: Tensor = self.linear(tokens.mean(dim=2)) + attention.mean()
        return out


def test_a_layers_work_is_its_own() -> None:
    counted = count_macs(Small(), torch.zeros(1, 3, 4, 4))
    assert counted == {"conv": 16 * 8 * 27, "": 16 * 16 * 8, "linear": 8 * 5}
    batch = count_macs(Small(), torch.zeros(2, 3, 4, 4))
    assert {name: 2 * macs for name, macs in counted.items()} == batch


def test_every_module_has_its_part() -> None:
    generator = Generator(TINY)
    found = {part_of(name) for name, _ in generator.named_parameters()}
    assert found == {part.name for part in parts(generator, 64)}
    assert part_of("generator.encoder.stem.previous.mix") == "previous planes"
    assert part_of("generator.velocity.blocks.0.widen") == "feed-forward"
    counted = parts(generator, 64)
    assert sum(p.macs for p in counted) == total_macs(generator, 64)
    assert all(p.macs > 0 and p.parameters > 0 for p in counted)


def test_work_grows_with_the_area() -> None:
    local = dataclasses.replace(
        TINY, attention="off", context=False, fusion="off", illumination=False, prompting=False, previous=False
    )
    generator = Generator(local)
    small, large = (total_macs(generator, size) for size in (64, 128))
    assert large == pytest.approx(4 * small, rel=1e-3)


def test_lite_and_base_keep_their_budgets() -> None:
    assert total_macs(Generator(LITE), 384) <= 0.85e9
    assert total_macs(Generator(BASE), 512) <= 45e9


def test_the_yardstick_has_about_as_much_to_do(tmp_path: Path) -> None:
    macs = total_macs(Generator(TINY), 64)
    found = export_yardstick(TINY, 64, macs, tmp_path / "plain.onnx")
    assert found == pytest.approx(macs, rel=0.2)
    assert (tmp_path / "plain.onnx").is_file()


def test_every_switch_is_measured() -> None:
    assert {name.replace(" ", "_") for name in OFF} | {"previous"} == set(TESTED) | {"previous_planes"}
