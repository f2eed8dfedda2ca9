"""Region priors that ask the picture.

Source: CUGD (2026): self-attention on the semantic map and on the edge map, cross-attention from one to the other, and
the result is the query while image features are keys and values. What differs: the maps are soft regions of the tracked
face and the stem's own detail strengths, both on the token grid, instead of a segmentation network's.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from generator.attention import attend
from generator.blocks import zero_init


class SelfAttention(nn.Module):
    """x + Attn(x) on tokens [B,W,T]."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.query = nn.Conv1d(width, width, 1)
        self.key = nn.Conv1d(width, width, 1, bias=False)  # a bias would cancel out in the softmax
        self.value = nn.Conv1d(width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Attend among the tokens."""
        return x + attend(self.query(x), self.key(x), self.value(x))


class ContextInjection(nn.Module):
    """up(W0 Attn(q, Wk z, Wv z)), q from regions and edges; nothing at the start."""

    def __init__(self, regions: int, edges: int, channels: int, width: int) -> None:
        super().__init__()
        self.region_tokens = nn.Conv2d(regions, width, 1)
        self.edge_tokens = nn.Conv2d(edges, width, 1)
        self.region_self = SelfAttention(width)
        self.edge_self = SelfAttention(width)
        self.key = nn.Conv2d(channels, width, 1, bias=False)
        self.value = nn.Conv2d(channels, width, 1)
        self.out = zero_init(nn.Conv2d(width, channels, 1))

    def forward(self, z: Tensor, regions: Tensor, edges: Tensor) -> Tensor:
        """What to inject into z [B,C,h,w], under regions [B,R,h,w] and edges [B,E,h/2,w/2]."""
        region = self.region_tokens(functional.avg_pool2d(regions, 2))
        shape = region.shape
        semantic = self.region_self(region.flatten(2))
        edge = self.edge_self(torch.relu(self.edge_tokens(edges)).flatten(2))
        query = semantic + attend(semantic, edge, edge)
        pooled = functional.avg_pool2d(z, 2)
        answer = attend(query, self.key(pooled).flatten(2), self.value(pooled).flatten(2)).reshape(shape)
        out: Tensor = functional.interpolate(self.out(answer), scale_factor=2.0, mode="nearest")
        return out
