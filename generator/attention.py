"""Attention over tokens, one head, and its causal window over frames.

Source: sliding-window cross-frame attention of TDM (2025): softmax(Q Kbar^T / sqrt(d)) Vbar, with Kbar and Vbar the
means over a window of frames. What differs: the window looks back only (a live call has no future frames), and a frame
joins the mean per token only as far as its key resembles the present one, so that motion does not ghost.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from generator.blocks import zero_init
from generator.config import Attention

SIMILARITY_FLOOR = 0.5
"""Cosine similarity of keys below which a past token has no say; a forgotten (zero) key has similarity 0."""
EMA_WEIGHT = 3.0
"""Frames that the running mean stands for, at most."""

KeyValue = tuple[Tensor, Tensor]
"""Keys [B,D,T] and values [B,C,T] of one frame."""


def attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """softmax(Q K^T / sqrt(d)) V on query [B,D,N], key [B,D,T] and value [B,E,T]; returns [B,E,N]."""
    scores = torch.softmax(query.transpose(1, 2) @ key * query.shape[1] ** -0.5, dim=-1)
    return (scores @ value.transpose(1, 2)).transpose(1, 2)


def similarity_gate(now: Tensor, past: Tensor) -> Tensor:
    """Weight in 0..1 of each past token, from the cosine of its key with the present one; [B,C,T] to [B,1,T]."""
    dot = (now * past).sum(dim=1, keepdim=True)
    norms = (now * now).sum(dim=1, keepdim=True) * (past * past).sum(dim=1, keepdim=True)
    cosine = dot / torch.sqrt(norms + 1e-6)
    return torch.clamp((cosine - SIMILARITY_FLOOR) / (1.0 - SIMILARITY_FLOOR), 0.0, 1.0)


def gated_mean(now: KeyValue, others: list[KeyValue], weight: float = 1.0) -> KeyValue:
    """Mean of the present keys and values and of those of other frames, each as far as it resembles the present."""
    key, value = now
    if not others:
        return now
    total_key, total_value, total = key, value, torch.ones_like(key[:, :1])
    for other_key, other_value in others:
        gate = weight * similarity_gate(key, other_key)
        total_key = total_key + gate * other_key
        total_value = total_value + gate * other_value
        total = total + gate
    share = 1.0 / total
    return share * total_key, share * total_value


def remembered(mode: Attention, window: int) -> int:
    """Frames whose keys and values have to be cached."""
    return {"off": 0, "first": 1, "ema": 1}.get(mode, window)


def remember(mode: Attention, now: KeyValue, mean: KeyValue, past: list[KeyValue], keep: Tensor) -> list[KeyValue]:
    """What to cache for the next frame, the newest first; `keep` [B,1,1] is 0 where the past was just forgotten."""
    if mode == "off":
        return []
    if mode == "first":
        return [(keep * past[0][0] + (1 - keep) * now[0], keep * past[0][1] + (1 - keep) * now[1])]
    return [mean] if mode == "ema" else [now, *past[:-1]]


class CrossFrameAttention(nn.Module):
    """On the token grid: there a query costs a quarter, and the convolutions that follow spread the answer."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.query = nn.Conv2d(channels, channels // 2, 1)
        self.key = nn.Conv2d(channels, channels // 2, 1, bias=False)  # a bias would cancel out in the softmax
        self.value = nn.Conv2d(channels, channels, 1)
        self.out = zero_init(nn.Conv2d(channels, channels, 1))

    def keys_values(self, x: Tensor) -> KeyValue:
        """Keys [B,C/2,T] and values [B,C,T] of a frame's features [B,C,h,w], with T = h/2 * w/2."""
        pooled = functional.avg_pool2d(x, 2)
        return self.key(pooled).flatten(2), self.value(pooled).flatten(2)

    def forward(self, x: Tensor, mean: KeyValue) -> Tensor:
        """Ask the (mean) keys and values from x [B,C,h,w]; returns x plus the answer."""
        pooled = functional.avg_pool2d(x, 2)
        answer = self.out(attend(self.query(pooled).flatten(2), *mean).reshape(pooled.shape))
        out: Tensor = x + functional.interpolate(answer, scale_factor=2.0, mode="nearest")
        return out
