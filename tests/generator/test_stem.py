"""The stem: patches as a cosine transform, and earlier planes that are trusted only where they agree."""

from __future__ import annotations

import torch

from generator.stem import Patches, PreviousPlanes, Stem, cosine_basis
from tests.generator.tiny import shaken_module


def test_the_transform_is_orthonormal() -> None:
    basis = cosine_basis(4).flatten(1)
    torch.testing.assert_close(basis @ basis.transpose(0, 1), torch.eye(16), atol=1e-6, rtol=0)


@torch.no_grad()
def test_patches_keep_all_of_the_picture() -> None:
    patches = Patches(24, 4).eval()
    y, uv = torch.rand(1, 1, 8, 8), torch.rand(1, 2, 4, 4)
    out = patches(y, uv)
    basis = cosine_basis(4)
    restored = torch.einsum("kij,khw->hiwj", basis, out[0, :16]).reshape(8, 8) * (1 + 1e-5) ** 0.5
    torch.testing.assert_close(restored, y[0, 0] - 0.5, atol=1e-5, rtol=0)


def test_the_difference_is_that_of_the_patches() -> None:
    patches = shaken_module(Patches(24, 4))
    y, uv, before = torch.rand(2, 1, 16, 16), torch.rand(2, 2, 8, 8), (torch.rand(2, 1, 16, 16), torch.rand(2, 2, 8, 8))
    for _ in range(3):
        now, difference = patches.train().with_difference(y, uv, before)
        assert torch.equal(patches.with_difference(y, uv, (y, uv))[1], torch.zeros_like(now))
    now, difference = patches.eval().with_difference(y, uv, before)
    torch.testing.assert_close(now, patches(y, uv))
    torch.testing.assert_close(now + difference, patches(*before), atol=1e-5, rtol=0)


def previous() -> PreviousPlanes:
    """As it starts, but passing on all that the gate lets through."""
    planes = PreviousPlanes(16)
    planes.mix.get_parameter("weight").data = torch.eye(16)[:, :, None, None]
    return planes


@torch.no_grad()
def test_where_the_planes_agree_the_earlier_ones_are_taken_and_where_not_the_present_ones() -> None:
    now = torch.zeros(1, 16, 12, 12)
    # Noise agrees on average, motion does not.
    torch.manual_seed(1)
    difference = 0.5 * torch.randn(1, 16, 12, 12)
    difference[..., 6:] += 2
    out, recalled = previous()(now, difference)
    assert torch.equal(out, recalled)
    share = (out * difference).sum(dim=1) / (difference * difference).sum(dim=1)
    assert share[..., :4].min() > 0.7
    assert share[..., 8:].max() == 0


@torch.no_grad()
def test_the_gate_closes_evenly_as_disagreement_grows() -> None:
    gate, now = previous(), torch.zeros(1, 16, 6, 6)
    shares = [float(gate(now, torch.full_like(now, d))[0][0, 0, 3, 3]) / d for d in (0.1, 0.4, 0.7, 1.0)]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] > 0.97 and shares[-1] == 0


@torch.no_grad()
def test_a_fresh_stem_does_not_listen_and_no_earlier_planes_are_as_good_as_the_same() -> None:
    y, uv, other = torch.rand(1, 1, 16, 16), torch.rand(1, 2, 8, 8), (torch.rand(1, 1, 16, 16), torch.rand(1, 2, 8, 8))
    stem = Stem(16, 4, previous=True).eval()
    assert torch.equal(stem(y, uv, other)[0], stem(y, uv, None)[0])
    shaken_module(stem, 0.05)
    torch.testing.assert_close(stem(y, uv, (y, uv))[0], stem(y, uv, None)[0])
    assert not torch.allclose(stem(y, uv, other)[0], stem(y, uv, None)[0], atol=1e-4)


@torch.no_grad()
def test_a_small_stem_can_be_built() -> None:
    features, _, recalled = Stem(8, 4, previous=False).eval()(torch.rand(1, 1, 16, 16), torch.rand(1, 2, 8, 8), None)
    assert features.shape == (1, 8, 4, 4) and recalled is None
