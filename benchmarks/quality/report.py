"""A run as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmarks.quality.scores import BY_KEY, title
from benchmarks.quality.summary import CLEAN_BAR, clean_sentence

COLUMNS = ("psnr", "psnr_face", "exposure_free", "ssim", "sharpness", "gradients", "ewarp", "flicker", "ab_var", "tlme")
"""Sharpness stands right before the temporal figures, which blur makes better."""
WITHOUT_REFERENCE = ("gradient_energy", "ewarp", "we", "flicker", "jitter", "fc_hog")
IDENTITY = ("identity", "fc_identity", "lpips", "border", "restored")
SHORT = {
    "exposure_free": "exp.-free",
    "flicker": "flicker",
    "psnr_face": "face",
    "gradients": "gradients",
    "gradient_energy": "gradients",
    "border": "border",
    "restored": "restored",
}
WIDTH, LONGEST = 10, 30
"""Characters of a column, and of a head that carries a name from outside"""
SHOWN_WORST = 5


def columns(methods: dict[str, Any]) -> list[str]:
    """The figures that a task's table shows."""
    known = {key for method in methods.values() for key in method["figures"]}
    wanted = COLUMNS if "psnr" in known else WITHOUT_REFERENCE
    return [key for key in (*wanted, *IDENTITY) if key in known]


def lines(found: dict[str, Any]) -> Iterator[str]:
    """The whole report."""
    for task, methods in found["summary"].items():
        shown = columns(methods)
        people = max((f["people"] for m in methods.values() for f in m["figures"].values()), default=0)
        clips = max(m["clips"] for m in methods.values())
        yield ""
        yield f"{task}: {clips} clips of {people} people"
        heads = {key: SHORT.get(key) or title(key, found["embedding"])[:LONGEST] for key in shown}
        widths = {key: max(WIDTH, 1 + len(text)) for key, text in heads.items()}
        head = "".join(f"{text:>{widths[key]}}" for key, text in heads.items())
        yield f"{'':<24}{'gain dB':>9} {'95 %':^15}{head}{'ms':>8}"
        for name, method in methods.items():
            yield f"{name:<24}{gain(method)}{''.join(cell(method, key, widths[key]) for key in shown)}{time(method):>8}"
        distances = found["distances"].get(task, {})
        for name, figures in distances.items():
            yield f"{name:<24}" + ", ".join(f"{key.upper()} {value:.2f}" for key, value in figures.items())
    if found["worst"]:
        yield ""
        yield f"worst cases of {found['main']}, gain in PSNR:"
        for item in found["worst"][:SHOWN_WORST]:
            yield f"  {item['gain']:+6.2f} dB  {item['task']}, {item['name']}"
    kept = found["clean"]["kept"]
    if kept:
        yield ""
        yield f"{found['main']}: {clean_sentence([item['psnr'] for item in kept])}"
        for item in [item for item in kept if item["psnr"] < CLEAN_BAR][:SHOWN_WORST]:
            yield f"  {item['psnr']:6.2f} dB left of {item['name']}, {item['task']}"
    yield from found["notes"]


def gain(method: dict[str, Any]) -> str:
    """Gain in PSNR and its interval, 25 characters."""
    one = method["gain"].get("psnr")
    if one is None:
        return f"{'':>25}"
    ends = "" if one["low"] is None else f"{one['low']:+.2f} .. {one['high']:+.2f}"
    return f"{one['mean']:>+9.2f} {ends:^15}"


def cell(method: dict[str, Any], key: str, width: int = WIDTH) -> str:
    """A figure's mean."""
    figure = method["figures"].get(key)
    return f"{'-' if figure is None else format(figure['mean'], BY_KEY[key].form):>{width}}"


def time(method: dict[str, Any]) -> str:
    """A frame's time in ms."""
    return "-" if method["ms"] is None else f"{method['ms']:.1f}"
