"""Asymmetric spatio-temporal fusion: how codes enter the features.

Source: DVFace (2026), zero-initialised: the temporal prior says how the face moves and acts on all of the picture, as
a scale and a shift; the spatial prior says which texture goes where and is asked token by token. What differs: queries
are pooled to the token grid, where the codes are.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from generator.attention import attend
from generator.blocks import zero_init
from generator.config import Fusion


class PooledModulation(nn.Module):
    """x + gamma x + beta, with both from the codes' mean over tokens."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.scale = zero_init(nn.Linear(width, channels))
        self.shift = zero_init(nn.Linear(width, channels))

    def forward(self, x: Tensor, codes: Tensor) -> Tensor:
        """Modulate x [B,C,h,w] by codes [B,W,T]."""
        pooled = codes.mean(dim=2)
        out: Tensor = x + x * self.scale(pooled)[:, :, None, None] + self.shift(pooled)[:, :, None, None]
        return out


class TokenAttention(nn.Module):
    """x + up(W0 Attn(Wq x, Wk c, Wv c)): each token of x asks the codes."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.query = nn.Conv2d(channels, width, 1)
        self.key = nn.Conv1d(width, width, 1, bias=False)  # a bias would cancel out in the softmax
        self.value = nn.Conv1d(width, width, 1)
        self.out = zero_init(nn.Conv2d(width, channels, 1))

    def forward(self, x: Tensor, codes: Tensor) -> Tensor:
        """Ask codes [B,W,T] from x [B,C,h,w]."""
        query = self.query(functional.avg_pool2d(x, 2))
        answer = attend(query.flatten(2), self.key(codes), self.value(codes)).reshape(query.shape)
        out: Tensor = x + functional.interpolate(self.out(answer), scale_factor=2.0, mode="nearest")
        return out


class AsymmetricFusion(nn.Module):
    """Both priors into the features of one block; their roles can be swapped or made equal, for comparison."""

    def __init__(self, channels: int, width: int, mode: Fusion, spatial: bool, temporal: bool) -> None:
        super().__init__()
        attending = {"asymmetric": (True, False), "symmetric": (True, True), "swapped": (False, True)}[mode]

        def part(wanted: bool, attends: bool) -> nn.Module | None:
            if not wanted:
                return None
            return TokenAttention(channels, width) if attends else PooledModulation(channels, width)

        self.spatial, self.temporal = part(spatial, attending[0]), part(temporal, attending[1])

    def forward(self, x: Tensor, spatial: Tensor | None, temporal: Tensor | None) -> Tensor:
        """Fuse codes [B,W,T] into x [B,C,h,w]; the temporal ones first."""
        if self.temporal is not None and temporal is not None:
            x = self.temporal(x, temporal)
        if self.spatial is not None and spatial is not None:
            x = self.spatial(x, spatial)
        return x
