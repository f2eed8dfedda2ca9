"""The stem: patches as a cosine transform."""

from __future__ import annotations

import torch

from generator.stem import Patches, Stem, cosine_basis


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


@torch.no_grad()
def test_a_small_stem_can_be_built() -> None:
    features, patches = Stem(8, 4).eval()(torch.rand(1, 1, 16, 16), torch.rand(1, 2, 8, 8))
    assert features.shape == patches.shape == (1, 8, 4, 4)
