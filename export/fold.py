"""Convolution and batch normalisation folded into one convolution."""

from __future__ import annotations

import copy

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from generator.blocks import ConvNorm
from generator.model import Generator


def folded(generator: Generator) -> Generator:
    """A copy for running only, without batch normalisation.

    The ONNX exporter folds them as well, but not where two places share one convolution.
    """
    out = copy.deepcopy(generator).cpu().eval()
    _fold(out)
    return out


def _fold(module: nn.Module) -> None:
    for name, child in module.named_children():
        if isinstance(child, ConvNorm):
            setattr(module, name, fuse_conv_bn_eval(child[0], child[1]))
        else:
            _fold(child)
