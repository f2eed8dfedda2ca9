"""Filters at full resolution: the right ones, at every pixel alike, and none of them touches light."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from export.fold import folded
from generator.model import Generator
from generator.sharpening import REACH, WIDTHS, Sharpening, around, wiener
from tests.generator.tiny import TINY

EDGE = 32


def open_up(module: Sharpening) -> None:
    for part in (module.local, module.whole):
        torch.nn.init.normal_(part[2].get_parameter("weight"))


def opened(condition: int = 8) -> Sharpening:
    """Amounts of their own everywhere."""
    torch.manual_seed(1)
    module = Sharpening(16, 24, 4, condition)
    open_up(module)
    return module.eval()


def inputs() -> tuple[Tensor, Tensor, Tensor]:
    """Luma, features on the grid 1/8, edges."""
    cells = EDGE // 8
    return torch.rand(2, 1, EDGE, EDGE), torch.randn(2, 24, cells, cells), torch.rand(2, 16, 1, 1)


def pixels(found: Tensor) -> Tensor:
    return functional.pixel_shuffle(found, 4)


def test_untrained_it_changes_nothing() -> None:
    y, x, edges = inputs()
    assert not Sharpening(16, 24, 4, 8)(y, x, edges, None).any()


def test_each_pixel_of_a_cell_gets_the_same_filter() -> None:
    # Guards against a grid of cells over what is sharpened.
    y, x, edges = inputs()
    module = opened()
    found = pixels(module(y, x, edges, None))
    kernels = module.filters - module.filters.mean(dim=(1, 2), keepdim=True)
    plain = functional.conv2d(around(y), kernels[:, None])
    amounts = functional.interpolate(module.amounts(x, edges, None), scale_factor=4.0, mode="nearest")
    assert torch.allclose(found, (plain * amounts).sum(dim=1, keepdim=True), atol=1e-5)


def test_an_even_picture_stays_as_it_is_up_to_its_border() -> None:
    # Guards against a frame round the crop, where filters saw nothing beyond its edge.
    _, x, edges = inputs()
    assert opened()(torch.full((2, 1, EDGE, EDGE), 0.7), x, edges, None).abs().max() < 1e-5


def test_the_filters_begin_as_the_ones_that_undo_a_blur() -> None:
    torch.manual_seed(2)
    line = torch.fft.fftfreq(160)
    frequency = torch.hypot(line[:, None], line)
    waves = torch.fft.fft2(torch.randn(160, 160)) / (frequency + 1 / 160)
    clean = torch.fft.ifft2(waves).real
    clean = 50 * (clean - clean.mean()) / clean.std()
    for width in WIDTHS:
        left = torch.exp(-2 * (torch.pi * width * frequency) ** 2)
        blurred = torch.fft.ifft2(torch.fft.fft2(clean) * left).real.round()
        sharp = blurred + functional.conv2d(around(blurred[None, None]), wiener(width)[None, None])[0, 0]
        inside = slice(REACH, -REACH), slice(REACH, -REACH)
        assert (sharp - clean)[inside].square().mean() < 0.75 * (blurred - clean)[inside].square().mean()


def test_the_prompt_says_a_part_of_it() -> None:
    y, x, edges = inputs()
    module = opened()
    one, other = (module(y, x, edges, torch.full((2, 8), value)) for value in (0.0, 1.0))
    assert (one - other).abs().max() > 1e-3


def test_folded_it_does_the_same() -> None:
    generator = Generator(TINY).eval()
    fine, middle, _ = TINY.channels
    torch.manual_seed(3)
    module = generator.decoder.sharpening = Sharpening(fine, middle, TINY.patch, TINY.condition).eval()
    open_up(module)
    y, edges, condition = torch.rand(1, 1, EDGE, EDGE), torch.rand(1, fine, 1, 1), torch.rand(1, TINY.condition)
    x = torch.randn(1, middle, EDGE // 8, EDGE // 8)
    plain, rewritten = module, folded(generator).decoder.sharpening
    assert rewritten is not None and not hasattr(rewritten, "filters")
    assert torch.allclose(plain(y, x, edges, condition), rewritten(y, x, edges, condition), atol=1e-5)
