"""Causal sliding-window cross-frame attention over cached keys and values.

Source: sliding-window cross-frame attention of TDM (2025): softmax(Q Kbar^T / sqrt(d)) Vbar, with Kbar and Vbar the
means over a window of frames. What differs: the window looks back only (a live call has no future frames), and a frame
joins the mean per token only as far as its key resembles the present one, so that motion does not ghost.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from generator.blocks import zero_init

SIMILARITY_FLOOR = 0.5
"""Cosine similarity of keys below which a past token has no say; a forgotten (zero) key has similarity 0."""


def similarity_gate(now: Tensor, past: Tensor) -> Tensor:
    """Weight in 0..1 of each past token, from the cosine of its key with the present one; [B,C,T] to [B,1,T]."""
    dot = (now * past).sum(dim=1, keepdim=True)
    norms = (now * now).sum(dim=1, keepdim=True) * (past * past).sum(dim=1, keepdim=True)
    cosine = dot / torch.sqrt(norms + 1e-6)
    return torch.clamp((cosine - SIMILARITY_FLOOR) / (1.0 - SIMILARITY_FLOOR), 0.0, 1.0)


class CrossFrameAttention(nn.Module):
    """One head; queries on the latent grid, keys and values pooled 2x2 so that the cost stays small."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.query = nn.Conv2d(channels, channels, 1)
        self.key = nn.Conv2d(channels, channels, 1)
        self.value = nn.Conv2d(channels, channels, 1)
        self.out = zero_init(nn.Conv2d(channels, channels, 1))
        self.pool = nn.AvgPool2d(2)

    def keys_values(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values [B,C,T] of a frame's features [B,C,h,w], with T = h/2 * w/2."""
        pooled = self.pool(x)
        return self.key(pooled).flatten(2), self.value(pooled).flatten(2)

    def forward(self, x: Tensor, now: tuple[Tensor, Tensor], past: list[tuple[Tensor, Tensor]]) -> Tensor:
        """Attend from x [B,C,h,w] to the mean of `now` and the `past` keys and values; returns x plus the answer."""
        key, value = now
        total_key, total_value = key, value
        weight = torch.ones_like(key[:, :1])
        for past_key, past_value in past:
            gate = similarity_gate(key, past_key)
            total_key = total_key + gate * past_key
            total_value = total_value + gate * past_value
            weight = weight + gate
        mean_key, mean_value = total_key / weight, total_value / weight
        batch, channels, height, width = x.shape
        query = self.query(x).flatten(2).transpose(1, 2)
        scores = torch.softmax(query @ mean_key * channels**-0.5, dim=-1)
        answer = (scores @ mean_value.transpose(1, 2)).transpose(1, 2).reshape(batch, channels, height, width)
        out: Tensor = x + self.out(answer)
        return out
