"""Spatio-temporal dual codebook: textures that faces have, and ways in which they change.

Source: DVFace (2026). What differs: one token grid for both branches, cosine lookup, and at run time a soft one
(attention over the entries), which is a matrix product; training assigns hard, with straight-through gradients.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

SMALLEST = 1e-2
"""Squared length from which a query counts in full. A still picture has no change to look up; without this floor its
rounding would, and the gradients of such a query would be a thousand times those of all others."""
SHARPNESS = 20.0
"""Factor on the cosine before the softmax: near-hard, yet smooth."""
MEMORY = 0.98
"""How slowly the use of entries is forgotten in training, per call."""
RARE = 0.1
"""Share of an even use below which an entry starts anew."""


@dataclass(slots=True)
class Lookup:
    """What a codebook says to the tokens of a frame."""

    vectors: Tensor
    """[B,W,T]"""
    scores: Tensor
    """[B,T,K] log-odds of the entries"""
    commitment: Tensor
    """[] one minus the cosine of query and entry, both ways (van den Oord et al., 2017)"""

    def perplexity(self) -> Tensor:
        """How many entries are in use: exp of the entropy of the hard assignments; from 1 to K."""
        entries = self.scores.shape[-1]
        asked = self.scores[self.scores.abs().amax(dim=-1) > 0]  # where nothing changed, nothing was looked up
        share = functional.one_hot(asked.argmax(dim=-1), entries).float().sum(dim=0) / max(1, len(asked))
        return torch.exp(-(share * torch.log(share + 1e-10)).sum())

    def disuse(self) -> Tensor:
        """How far the mean soft assignment is from even, in nats: 0 when all entries are used alike."""
        share = torch.softmax(self.scores, dim=-1).flatten(0, 1).mean(dim=0)
        return (share * torch.log(share * self.scores.shape[-1] + 1e-10)).sum()


class Codebook(nn.Module):
    """Entries [K,W], looked up by cosine. In training, one that is hardly used starts anew at some token.

    Source of the fresh starts: Dhariwal et al., Jukebox (2020). Without them all tokens soon shared one entry.
    """

    def __init__(self, entries: int, width: int) -> None:
        super().__init__()
        self.entries = nn.Parameter(torch.randn(entries, width))
        self.use: Tensor
        self.register_buffer("use", torch.full((entries,), 1 / entries), persistent=False)
        self.seen: Tensor | None = None

    def forward(self, query: Tensor) -> Lookup:
        """Look queries [B,W,T] up."""
        entries = functional.normalize(self.entries, dim=1)
        tokens = (query / torch.sqrt((query * query).sum(dim=1, keepdim=True) + SMALLEST)).transpose(1, 2)
        scores = SHARPNESS * (tokens @ entries.transpose(0, 1))
        weights = torch.softmax(scores, dim=-1)
        if not self.training:
            return Lookup((weights @ entries).transpose(1, 2), scores, scores.new_zeros(()))
        hard = functional.one_hot(scores.argmax(dim=-1), entries.shape[0]).to(weights.dtype)
        self._note(hard, tokens)
        chosen = hard @ entries
        ours, theirs = (tokens * chosen.detach()).sum(dim=-1), (tokens.detach() * chosen).sum(dim=-1)
        # The entry moves to the query; the query commits itself to the entry a quarter as much.
        commitment = (1 - theirs).mean() + 0.25 * (1 - ours).mean()
        return Lookup(((hard + weights - weights.detach()) @ entries).transpose(1, 2), scores, commitment)

    @torch.no_grad()
    def _note(self, hard: Tensor, tokens: Tensor) -> None:
        """Note which entries the tokens [B,T,W] chose, [B,T,K]; where nothing changed, nothing is looked up."""
        asked = tokens.square().sum(dim=2) > 0.5
        if asked.any():
            self.use.lerp_(hard[asked].mean(dim=0), 1 - MEMORY)
            self.seen = tokens[asked]

    @torch.no_grad()
    def restart(self) -> None:
        """Put entries that are seldom chosen where tokens of the last call are; not before gradients were computed.

        Entries that do not learn stay.
        """
        if self.seen is None or not self.entries.requires_grad:
            return
        even = 1 / len(self.use)
        rare = self.use < RARE * even
        # Few at a time: they are to share the work of those in use, not to replace it.
        rare &= torch.rand(len(rare), device=rare.device) < 0.1
        picked = self.seen[torch.randint(len(self.seen), (int(rare.sum()),), device=self.seen.device)]
        self.entries[rare] = picked * self.entries.norm(dim=1).mean()
        self.use[rare] = even


class DualCodebook(nn.Module):
    """A spatial codebook on the latent, a temporal one on its difference from the frame before."""

    def __init__(self, channels: int, entries: int, width: int, spatial: bool, temporal: bool) -> None:
        super().__init__()
        self.to_spatial = nn.Conv2d(channels, width, 1) if spatial else None
        self.spatial = Codebook(entries, width) if spatial else None
        self.to_temporal = nn.Conv2d(channels, width, 1, bias=False) if temporal else None
        self.temporal = Codebook(entries, width) if temporal else None

    def restart(self) -> None:
        """See `Codebook.restart`."""
        for book in (self.spatial, self.temporal):
            if book is not None:
                book.restart()

    def forward(self, tokens: Tensor, before: Tensor | None) -> tuple[Lookup | None, Lookup | None]:
        """Look up a frame's pooled latent [B,C,h,w]; `before` is the last one's, equal to it where there was none.

        The codes learn from the latent, not the latent from the codes.
        """
        spatial = temporal = None
        tokens = tokens.detach()
        if self.spatial is not None and self.to_spatial is not None:
            spatial = self.spatial(self.to_spatial(tokens).flatten(2))
        if self.temporal is not None and self.to_temporal is not None and before is not None:
            # Un-averaged features: the attention window averages away what this codebook keys on.
            temporal = self.temporal(self.to_temporal(tokens - before.detach()).flatten(2))
        return spatial, temporal
