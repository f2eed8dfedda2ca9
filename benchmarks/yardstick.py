"""The yardstick: a plain U-trunk of the same size, without memory, priors or prompt."""

from __future__ import annotations

from pathlib import Path

import onnx
import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.macs import count_macs
from export.fold import fold
from export.onnx_graph import to_onnx
from generator.blocks import ConvNorm, ResidualBlock, chain
from generator.config import GeneratorConfig


class PlainTrunk(nn.Module):
    """8-bit planes in and out, on the generator's grids and channels; all work that is left goes to the coarsest."""

    def __init__(self, config: GeneratorConfig, coarse_blocks: int) -> None:
        super().__init__()
        fine, middle, coarse = config.channels
        self.patch = patch = config.patch
        self.y = ConvNorm(1, fine, patch, stride=patch)
        self.uv = ConvNorm(2, fine, patch // 2, stride=patch // 2)
        self.fuse = ConvNorm(fine, fine, 3)
        self.down_middle = ConvNorm(fine, middle, 2, stride=2)
        self.encode_middle = chain(middle, config.middle_blocks)
        self.down_coarse = ConvNorm(middle, coarse, 2, stride=2)
        self.coarse = chain(coarse, coarse_blocks)
        self.up_middle = nn.Conv2d(coarse, middle, 1)
        self.decode_middle = chain(middle, config.middle_blocks)
        self.up_fine = nn.Conv2d(middle, fine, 1)
        self.decode_fine = ResidualBlock(fine)
        self.head_y = nn.Conv2d(fine, patch**2, 3, padding=1)
        self.head_uv = nn.Conv2d(fine, 2 * (patch // 2) ** 2, 1)

    def forward(self, y: Tensor, uv: Tensor) -> tuple[Tensor, Tensor]:
        """From y [B,1,H,W] and uv [B,2,H/2,W/2] to the same, uint8."""
        y, uv = y.float(), uv.float()
        x = self.y(y / 255.0 - 0.5) + self.uv(uv / 255.0 - 0.5)
        fine = x + torch.relu(self.fuse(x))
        middle = self.encode_middle(torch.relu(self.down_middle(fine)))
        x = self.coarse(torch.relu(self.down_coarse(middle)))
        x = self.decode_middle(functional.interpolate(self.up_middle(x), scale_factor=2.0, mode="nearest") + middle)
        x = self.decode_fine(functional.interpolate(self.up_fine(x), scale_factor=2.0, mode="nearest") + fine)
        change_y = functional.pixel_shuffle(self.head_y(x), self.patch)
        change_uv = functional.pixel_shuffle(self.head_uv(x), self.patch // 2)
        return _to_bytes(y + 255.0 * change_y), _to_bytes(uv + 255.0 * change_uv)


def _to_bytes(plane: Tensor) -> Tensor:
    return torch.clamp(torch.round(plane), 0.0, 255.0).to(torch.uint8)


def export_yardstick(config: GeneratorConfig, size: int, macs: int, path: Path) -> int:
    """Write the graph of the plain trunk whose work comes nearest to `macs`; returns how much that is."""
    planes = {
        "y": torch.zeros(1, 1, size, size, dtype=torch.uint8),
        "uv": torch.zeros(1, 2, size // 2, size // 2, dtype=torch.uint8),
    }

    def work(module: nn.Module) -> int:
        return sum(count_macs(module, *planes.values()).values())

    one, two = (work(PlainTrunk(config, blocks).eval()) for blocks in (1, 2))
    blocks = max(1, 1 + round((macs - one) / (two - one)))
    trunk = PlainTrunk(config, blocks).eval()
    fold(trunk)
    onnx.save(to_onnx(trunk, planes, ["y_out", "uv_out"]), str(path))
    return work(trunk)
