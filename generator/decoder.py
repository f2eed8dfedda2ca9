"""From the restored latent to residual planes, with skips from the encoder."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from generator.blocks import ResidualBlock, zero_init
from generator.config import GeneratorConfig
from generator.prompt import Modulation


class UpStage(nn.Module):
    """One grid finer: 1x1 convolution, nearest upsampling, skip, prompt modulation, residual block."""

    def __init__(self, coarse: int, fine: int, condition: int) -> None:
        super().__init__()
        self.narrow = nn.Conv2d(coarse, fine, 1)
        self.modulation = Modulation(condition, fine)
        self.block = ResidualBlock(fine)

    def forward(self, x: Tensor, skip: Tensor, condition: Tensor) -> Tensor:
        """From x [B,coarse,h,w] and skip [B,fine,2h,2w] to [B,fine,2h,2w]."""
        up = functional.interpolate(self.narrow(x), scale_factor=2.0, mode="nearest")
        out: Tensor = self.block(self.modulation(up + skip, condition))
        return out


class Decoder(nn.Module):
    """Latent to residuals of the Y plane [B,1,H,W] and the UV planes [B,2,H/2,W/2]; zero until trained."""

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        fine, middle, coarse = config.channels
        self.to_middle = UpStage(coarse, middle, config.condition)
        self.to_fine = UpStage(middle, fine, config.condition)
        self.y = zero_init(nn.Conv2d(fine, 16, 3, padding=1))
        self.uv = zero_init(nn.Conv2d(fine, 8, 3, padding=1))

    def forward(self, latent: Tensor, middle: Tensor, fine: Tensor, condition: Tensor) -> tuple[Tensor, Tensor]:
        """Residuals, in units of the full 8-bit range."""
        x = self.to_fine(self.to_middle(latent, middle, condition), fine, condition)
        return functional.pixel_shuffle(self.y(x), 4), functional.pixel_shuffle(self.uv(x), 2)
