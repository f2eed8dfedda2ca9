"""What only training needs is folded away; what a CPU is slow at is written in another way that does the same."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from generator.accumulation import Accumulation
from generator.blocks import ConvNorm
from generator.decoder import Decoder, UpStage
from generator.fusion import PooledModulation
from generator.model import Generator
from generator.prompt import Modulation
from generator.sharpening import Sharpening, around
from generator.stem import Patches

FULL = 255.0


def folded(generator: Generator) -> Generator:
    """A copy for running only: without batch normalisation, and in the CPU's blocked layout as far as possible.

    Its planes are in 0..255, as the graph's are. The ONNX exporter folds normalisation too, but not where two places
    share one convolution.
    """
    out = copy.deepcopy(generator).cpu().eval()
    fold(out)
    out.full = FULL
    return out


def fold(module: nn.Module) -> None:
    """Rewrite the parts of a module in place; it must be in evaluation mode."""
    for name, child in module.named_children():
        if not isinstance(child, ConvNorm):
            fold(child)
        rewritten = _rewritten(child)
        if rewritten is not None:
            setattr(module, name, rewritten.eval())


def _rewritten(module: nn.Module) -> nn.Module | None:
    if isinstance(module, ConvNorm):
        conv, norm = module
        assert isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d)
        return fuse_conv_bn_eval(conv, norm)
    if isinstance(module, Modulation | PooledModulation):
        return SpreadModulation(module)
    if isinstance(module, UpStage) and isinstance(module.modulation, SpreadModulation):
        return FoldedUpStage(module, module.modulation)
    if isinstance(module, Sharpening):
        return FoldedSharpening(module)
    if isinstance(module, Patches):
        _fold_centre(module)
    if isinstance(module, Decoder):
        _fold_unit(module)
    if isinstance(module, Accumulation):
        _fold_scale(module)
    return None


class SpreadModulation(nn.Module):
    """x * scale + shift with both spread over the whole grid.

    Where scale and shift are broadcast, ONNX Runtime leaves its blocked layout, and each sum that follows runs by
    itself instead of within a convolution: that takes longer than to write two maps.
    """

    def __init__(self, module: Modulation | PooledModulation) -> None:
        super().__init__()
        scale, shift = module.scale, module.shift
        assert isinstance(scale, nn.Linear) and isinstance(shift, nn.Linear)
        self.scale, self.shift = _pointwise(scale, 1.0), _pointwise(shift, 0.0)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """Modulate x [B,C,h,w] by condition [B,D], or by the mean of tokens [B,D,T]."""
        pooled = condition if condition.dim() == 2 else condition.mean(dim=2)
        scale, shift = (_spread(layer(pooled[:, :, None, None]), x) for layer in (self.scale, self.shift))
        return x * scale + shift


class FoldedUpStage(nn.Module):
    """`UpStage` with its modulation ahead of the sum: one half on the coarse grid, the other within the gate."""

    def __init__(self, stage: UpStage, modulation: SpreadModulation) -> None:
        super().__init__()
        self.narrow, self.block = stage.narrow, stage.block
        self.modulation, self.gate = modulation, stage.skip.gate

    def forward(self, x: Tensor, skip: Tensor, condition: Tensor) -> Tensor:
        """See `UpStage`."""
        low = self.modulation(self.narrow(x), condition)
        gate = _spread(self.gate * self.modulation.scale(condition[:, :, None, None]), skip)
        x = functional.interpolate(low, scale_factor=2.0, mode="nearest") + skip * gate
        out: Tensor = self.block(x)
        return out


class FoldedSharpening(nn.Module):
    """`Sharpening` as one plain convolution a filter, its amount spread over the pixels of a cell by another.

    What they are made of is no parameter any more: it is the same few filters again and again.
    """

    def __init__(self, module: Sharpening) -> None:
        super().__init__()
        self.amounts, self.patch = module.amounts, module.patch
        self.local, self.whole = module.local, module.whole
        kernels = torch.split(module.kernels().detach(), module.patch**2)
        for index, kernel in enumerate(kernels):
            chosen = torch.zeros(len(kernel), len(kernels), 1, 1)
            chosen[:, index] = 1.0
            # Of their own memory: what shares it is written into the weights file once for each.
            self.register_buffer(f"kernel{index}", kernel.clone())
            self.register_buffer(f"spread{index}", chosen)
        self.count = len(kernels)

    def forward(self, y: Tensor, x: Tensor, edges: Tensor, condition: Tensor | None) -> Tensor:
        """See `Sharpening`."""
        seen, amounts = around(y), self.amounts(x, edges, condition)
        changes: Tensor | None = None
        for index in range(self.count):
            kernel, spread = (self.get_buffer(f"{name}{index}") for name in ("kernel", "spread"))
            part = functional.conv2d(seen, kernel, stride=self.patch) * functional.conv2d(amounts, spread)
            changes = part if changes is None else changes + part
        assert changes is not None
        return changes


def _fold_unit(decoder: Decoder) -> None:
    """Let the heads' weights take over the unit of what they put out, which is steps of 8 bits here."""
    with torch.no_grad():
        for parameter in (p for head in (decoder.y, decoder.uv) for p in head.parameters()):
            parameter.mul_(FULL * decoder.unit)
    decoder.unit, decoder.shuffle = 1.0, _shuffled


def _fold_scale(module: Accumulation) -> None:
    """Let the patches' weights take over the scaling of differences, which are in steps of 8 bits here."""
    with torch.no_grad():
        for layer in (module.y, module.uv):
            layer.weight.mul_(module.scale / FULL)
        module.differs.weight.mul_(module.caution)
    module.scale = module.caution = 1.0


def _shuffled(x: Tensor, factor: int) -> Tensor:
    """Pixel shuffle as two transpositions, columns and then rows: less than half the time of the operator for it."""
    batch, channels, height, width = x.shape
    rows = channels // factor
    x = x.reshape(batch, rows, factor, height * width).transpose(2, 3)
    x = x.reshape(batch, rows // factor, factor, height, width * factor).transpose(2, 3)
    return x.reshape(batch, rows // factor, height * factor, width * factor)


def _spread(vector: Tensor, grid: Tensor) -> Tensor:
    """[B,C,1,1] to the size of a grid."""
    return functional.interpolate(vector, scale_factor=(float(grid.shape[2]), float(grid.shape[3])), mode="nearest")


def _pointwise(layer: nn.Linear, offset: float) -> nn.Conv2d:
    """The same as a 1x1 convolution, its output raised by `offset`."""
    out = nn.Conv2d(layer.in_features, layer.out_features, 1)
    with torch.no_grad():
        out.weight.copy_(layer.weight[:, :, None, None])
        out.get_parameter("bias").copy_(layer.bias + offset)
    return out


def _fold_centre(patches: Patches) -> None:
    """Let weights and biases take over the scaling and centring of the planes, which would cost passes over each."""
    for layer in (patches.y, patches.uv):
        with torch.no_grad():
            layer.get_parameter("bias").sub_(patches.centre * layer.weight.sum(dim=(1, 2, 3)))
            layer.get_parameter("weight").div_(FULL)
    patches.centre = 0.0
