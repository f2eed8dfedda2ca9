"""LPIPS, FID and KID, through torchmetrics where it and the weights of its networks can be had."""

from __future__ import annotations

import importlib
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.quality.pictures import bgr
from benchmarks.quality.scores import Perceptual
from engines.errors import BadInput, ClearcallError, first_line
from training.degrade import Planar

INCEPTION_EDGE = 299
NEEDS = "needs clearcall[metrics]: pip install 'clearcall[metrics]'"
KID_DEGREE = 3


def open_lpips() -> Perceptual:
    """LPIPS of two clips (Zhang et al., 2018; AlexNet), 0 for equal ones, mean over frames.

    Raises:
        BadInput: torchmetrics is missing.
        ClearcallError: The network's weights cannot be had.
    """
    torch, module = _imported("lpips", "torchmetrics.image.lpip")
    network = _fetched("lpips", lambda: module.LearnedPerceptualImagePatchSimilarity(net_type="alex", normalize=True))

    def lpips(out: Planar, clean: Planar) -> float:
        values = []
        with torch.no_grad():
            for ours, theirs in zip(bgr(out), bgr(clean), strict=True):
                pair = (p[..., ::-1].transpose(2, 0, 1)[None] / np.float32(255) for p in (ours, theirs))
                a, b = (torch.from_numpy(picture) for picture in pair)
                values.append(float(network(a, b)))
                network.reset()
        return float(np.mean(values))

    return lpips


class Inception:
    """Features of pictures that FID and KID compare: the pooled 2048 of the Inception network for FID."""

    def __init__(self) -> None:
        """Load the network; BadInput without torchmetrics, ClearcallError where its weights cannot be had."""
        self._torch, module = _imported("fid, kid", "torchmetrics.image.fid")
        self._network = _fetched("fid, kid", lambda: module.NoTrainInceptionV3("inception-v3-compat", ["2048"]))

    def __call__(self, clip: Planar) -> NDArray[np.float64]:
        """Features [T,2048]."""
        edge = (INCEPTION_EDGE, INCEPTION_EDGE)
        frames = [cv2.resize(p, edge, interpolation=cv2.INTER_AREA)[..., ::-1].transpose(2, 0, 1) for p in bgr(clip)]
        with self._torch.no_grad():
            found = self._network(self._torch.from_numpy(np.ascontiguousarray(np.stack(frames))))
        return np.asarray(found, np.float64).reshape(len(frames), -1)


def _imported(what: str, name: str) -> tuple[Any, Any]:
    """The modules torch and `name`; the latter also fails where torchvision was built for another torch."""
    try:
        return importlib.import_module("torch"), importlib.import_module(name)
    except ImportError as error:
        raise BadInput(f"--metrics {what} {NEEDS} ({error.name} is missing)") from error
    except RuntimeError as error:
        raise ClearcallError(f"--metrics {what}: torchmetrics cannot be loaded ({error})") from error


def _fetched(what: str, make: Any) -> Any:
    try:
        return make()
    except Exception as error:  # whatever a download and an unpickler may raise
        why = first_line(error)
        raise ClearcallError(f"--metrics {what}: the network or its weights cannot be had ({why})") from error


def fid(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> float:
    """Fréchet distance of the normal distributions of features [N,D] (Heusel et al., 2017); 0 for the same.

    The trace of the root of the product is taken from singular values, which needs no matrix root: with S = X'X / n,
    tr sqrt(S1 S2) is the nuclear norm of X1 X2' over the root of n1 n2.
    """
    centred = [f - f.mean(axis=0) for f in (ours, theirs)]
    counts = [max(1, len(f) - 1) for f in centred]
    trace = sum(float((f * f).sum()) / n for f, n in zip(centred, counts, strict=True))
    cross = float(np.linalg.svd(centred[0] @ centred[1].T, compute_uv=False).sum()) / np.sqrt(counts[0] * counts[1])
    return float(((ours.mean(axis=0) - theirs.mean(axis=0)) ** 2).sum()) + trace - 2 * float(cross)


def kid(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> float | None:
    """100 times the squared maximum mean discrepancy under the kernel (x·y/D + 1)^3, unbiased (Binkowski et al., 2018).

    None for fewer than two pictures a side.
    """
    if min(len(ours), len(theirs)) < 2:
        return None

    def kernel(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray((a @ b.T / a.shape[1] + 1) ** KID_DEGREE)

    def within(features: NDArray[np.float64]) -> float:
        all_pairs, n = kernel(features, features), len(features)
        return float(all_pairs.sum() - np.trace(all_pairs)) / (n * (n - 1))

    return 100 * (within(ours) + within(theirs) - 2 * float(kernel(ours, theirs).mean()))
