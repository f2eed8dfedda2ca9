"""A small patch discriminator, and what it adds to the loss of the last stage.

Sources: patches judged one by one (Isola et al., 2017), spectral normalisation (Miyato et al., 2018), hinge loss (Lim
and Ye, 2017), feature matching (Wang et al., pix2pixHD, 2018), its weight by the gradients at the output (Esser et al.,
Taming Transformers, 2021).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm

from generator.model import Output

Planes = tuple[Tensor, Tensor]
"""Y [B,1,H,W] and UV [B,2,H/2,W/2], 0..1"""

WIDTHS = (16, 32, 64)
RATE = 1e-3
"""The generator's own peak: a stage this short leaves a slower one nothing to tell by."""
FIRST_SHARE, LAST_SHARE = 0.02, 0.05
"""Of all other terms' gradient at the planes: how strong the discriminator's is at the stage's beginning and end. So
it can turn an error into detail of the right kind, but not outweigh what keeps the picture true."""
MATCHING = 10.0
"""Weight of the features' match against the score's, as in pix2pixHD"""


class Discriminator(nn.Module):
    """Scores patches of 38 pixels, one score each 8: above 0 is taken for clean."""

    def __init__(self) -> None:
        super().__init__()
        inputs = (3, *WIDTHS[:-1])
        self.layers = nn.ModuleList(
            spectral_norm(nn.Conv2d(a, b, 4, stride=2, padding=1)) for a, b in zip(inputs, WIDTHS, strict=True)
        )
        self.score = spectral_norm(nn.Conv2d(WIDTHS[-1], 1, 3, padding=1))

    def forward(self, planes: Planes) -> tuple[Tensor, list[Tensor]]:
        """Scores [B,1,H/8,W/8], and each layer's features."""
        y, uv = planes
        x = torch.cat([y, functional.interpolate(uv, scale_factor=2.0, mode="nearest")], dim=1) - 0.5
        features = []
        for layer in self.layers:
            x = functional.leaky_relu(layer(x), 0.2)
            features.append(x)
        return self.score(x), features


class Adversary:
    """The discriminator with its optimiser, learning beside the generator."""

    def __init__(self, device: torch.device) -> None:
        self.discriminator = Discriminator().to(device)
        self.optimiser = torch.optim.Adam(self.discriminator.parameters(), lr=RATE, betas=(0.0, 0.9))

    def step(self, batch: dict[str, Tensor], out: Output, others: Tensor, share: float) -> Tensor:
        """Learn from a batch of clips and what was made of it; returns the generator's term, see `term`."""
        clean = batch["clean_y"].flatten(0, 1), batch["clean_uv"].flatten(0, 1)
        changes = out.change_y, out.change_uv
        restored = batch["y"].flatten(0, 1) + changes[0], batch["uv"].flatten(0, 1) + changes[1]
        self.learn(clean, restored)
        return self.term(clean, restored, changes, others, share)

    def learn(self, clean: Planes, restored: Planes) -> Tensor:
        """One step of telling clean planes from restored ones; returns the hinge loss: 2 knows nothing, 0 is sure."""
        self.discriminator.requires_grad_(True)
        real, _ = self.discriminator(clean)
        fake, _ = self.discriminator((restored[0].detach(), restored[1].detach()))
        loss = torch.relu(1.0 - real).mean() + torch.relu(1.0 + fake).mean()
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimiser.step()
        # A generator's step must not leave gradients here.
        self.discriminator.requires_grad_(False)
        return loss.detach()

    def term(self, clean: Planes, restored: Planes, changes: Planes, others: Tensor, share: float) -> Tensor:
        """What to add to the generator's loss.

        Args:
            clean: Planes as they should be.
            restored: Planes as they are.
            changes: What was added to the planes that came in: these tensors, `restored` and `others` come from.
            others: [] the sum of all other terms.
            share: How strong the gradient at the planes shall be, relative to that of `others`.
        """
        scores, found = self.discriminator(restored)
        with torch.no_grad():
            _, wanted = self.discriminator(clean)
        apart = [(a - b).abs().mean() / (b.abs().mean() + 1e-6) for a, b in zip(found, wanted, strict=True)]
        value = MATCHING * torch.stack(apart).mean() - scores.mean()
        scale = _strength(others, changes) / (_strength(value, changes) + 1e-12)
        term: Tensor = share * scale * value
        return term

    def state(self) -> dict[str, Any]:
        """For a checkpoint."""
        return {"weights": self.discriminator.state_dict(), "optimiser": self.optimiser.state_dict()}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint's."""
        self.discriminator.load_state_dict(state["weights"])
        self.optimiser.load_state_dict(state["optimiser"])


def _strength(loss: Tensor, planes: Planes) -> Tensor:
    """Norm of the loss' gradient at the planes."""
    gradients = torch.autograd.grad(loss, planes, retain_graph=True)
    return torch.sqrt(torch.stack([gradient.float().square().sum() for gradient in gradients]).sum())
