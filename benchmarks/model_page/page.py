"""`docs/model.md`, written from a manifest and the figures of `clearcall bench quality`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from benchmarks.model_page import target_table
from benchmarks.model_page.strength import AtStrength
from benchmarks.model_page.targets import outcomes
from benchmarks.quality.bootstrap import Interval, over_people
from benchmarks.quality.methods import OURS, REFERENCE, UNTOUCHED
from benchmarks.quality.skin import DARK, TONES, tone
from benchmarks.quality.summary import clean_sentence, kept_clean, label
from training.measures import EQUAL

TOLD = "known"
"""Names of peers end so that know the answer, or the frame to come"""

Group = Mapping[str, Mapping[str, str]]
"""Person to trait to value, as `--traits` has it"""

PURPOSE = """\
For: one person's face in a live video call or a recording of one, who wants to be seen better: noise, darkness, blur,
compression, lost resolution, haze and rain are taken away as far as the figures below say.

Not for: identifying people, evidence, medicine, or any use in which a detail of a face decides something. What a bad
picture does not show is guessed from other faces. Not for several faces at once, for faces turned far away, or for
pictures without a face: in a call these pass as they came; in a file the whole frame is restored all the same."""


def page(
    found: Mapping[str, Any],
    training: Mapping[str, Any],
    strengths: Sequence[AtStrength],
    traits: Group,
    pictures: Sequence[tuple[str, str]],
    faces: Sequence[str],
    command: str,
) -> str:
    """The whole page.

    Args:
        found: The JSON of `clearcall bench quality`.
        training: Provenance out of the model's manifest.
        strengths: Of `by_strength`.
        traits: Of people; may be empty.
        pictures: File name and text of the failure cases.
        faces: Whom these are owed to.
        command: That wrote it.
    """
    name = found["settings"]["model"]
    return "\n".join(
        [
            f"# The model `{name}`",
            "",
            f"Written by `{command}`; do not edit.",
            f"Figures of `{found.get('command', 'clearcall bench quality')}`,",
            f"{found['when']}, {found['machine']['processor']}, one thread,",
            f"{found['done']} of {found['planned']} cases, {found['settings']['frames']} frames each.",
            "",
            "## What it is for, and what not",
            "",
            PURPOSE,
            "",
            "## Training",
            "",
            *_training(training),
            "",
            "## Quality by task",
            "",
            *_tasks(found),
            "",
            "## Against the bars",
            "",
            *target_table.lines(outcomes(found["rows"], found["main"])),
            "",
            "## People",
            "",
            *_people(found, traits),
            "",
            "## Where it fails",
            "",
            *_failures(found, pictures, faces),
            "",
            "## Identity",
            "",
            *_identity(strengths),
        ]
    ) + "\n"


CONTINUED = "--start-from"
"""In the command of a training that did not begin from nothing."""


def _training(training: Mapping[str, Any]) -> Iterator[str]:
    told = {"minutes": "minutes", "steps": "steps", "files": "files", "device": "device", "command": "command"}
    for key, text in told.items():
        if key in training:
            yield f"- {text}: {training[key]}"
    if CONTINUED in str(training.get("command", "")):
        yield "- the last of several runs, each from the weights of the one before; the model's log has them all"
    codes = training.get("codes") or {}
    if codes:
        yield "- codes in use: " + ", ".join(f"{n} {100 * share:.0f} %" for n, share in codes.items())
    yield "- material and licences:"
    listed = training.get("attributions") or []
    yield from (f"  - {line}" for line in listed)
    if not listed:
        yield "  - the manifest names none"


def _tasks(found: Mapping[str, Any]) -> Iterator[str]:
    main = found["main"]
    yield f"`{main}`: the whole filter, as a call runs it. Gains in dB PSNR over the untouched input, with 95 %"
    yield "intervals over people. The best peer is the best on average of those that were run on the task, each at the"
    yield "best of its settings; those that are told what was done to the clip are left out. Sharpness is the share of"
    yield "the clean clip's finest detail that is there, on the face; gradients, the energy of edges against its own."
    yield ""
    yield "| task | input | output | gain | right prompt | face gain | sharpness | gradients | best peer | its gain |"
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for task, methods in found["summary"].items():
        if main not in methods or "psnr" not in methods[main]["figures"]:
            continue
        own, before = methods[main], methods[UNTOUCHED]
        right = methods.get(f"{OURS} right", {"gain": {}})
        peers = {n: m for n, m in methods.items() if not n.startswith((OURS, "generator")) and "psnr" in m["gain"]}
        peers = {n: m for n, m in peers.items() if n not in (UNTOUCHED, REFERENCE) and not n.endswith(TOLD)}
        best = max(peers, key=lambda n: float(peers[n]["gain"]["psnr"]["mean"]), default=None)
        cells = [
            task,
            _mean(before, "psnr"),
            _mean(own, "psnr"),
            _gain(own["gain"].get("psnr")),
            _gain(right["gain"].get("psnr")),
            _less(own, before, "psnr_face"),
            _mean(own, "sharpness"),
            _mean(own, "gradients"),
            best or "-",
            "-" if best is None else _gain(peers[best]["gain"]["psnr"]),
        ]
        yield f"| {' | '.join(cells)} |"


def _people(found: Mapping[str, Any], traits: Group) -> Iterator[str]:
    rows = _gains(found)
    tones: dict[str, list[tuple[str, float]]] = {}
    for row, gain in rows:
        if "ita" in row:
            tones.setdefault(tone(row["ita"]), []).append((row["person"], gain))
    yield "Mean gain in PSNR over all damaged clips. Skin tone is the individual typology angle of the cheeks in the"
    yield "clean picture: the light's as much as the skin's. Groups of fewer than three people have no interval, and"
    yield "prove nothing."
    yield ""
    yield "| group | people | gain, dB |"
    yield "|---|---|---|"
    for name in [*(name for _, name in TONES), DARK]:
        yield _group(f"skin {name}", over_people(tones.get(name, [])))
    if not traits:
        yield ""
        yield "Glasses, beards: the material carries no labels of them (`--traits`), so nothing can be said."
        return
    for trait in sorted({trait for person in traits.values() for trait in person}):
        values: dict[str, list[tuple[str, float]]] = {}
        for row, gain in rows:
            value = traits.get(row["person"], {}).get(trait)
            if value:
                values.setdefault(value, []).append((row["person"], gain))
        for value, gains in sorted(values.items()):
            yield _group(f"{trait}: {value}", over_people(gains))


def _gains(found: Mapping[str, Any]) -> list[tuple[Mapping[str, Any], float]]:
    before = {(label(r), r["name"]): r["figures"].get("psnr") for r in found["rows"] if r["method"] == UNTOUCHED}
    gains = []
    for row in found["rows"]:
        start = before.get((label(row), row["name"]))
        if row["method"] == found["main"] and start is not None and start < EQUAL:
            gains.append((row, row["figures"]["psnr"] - start))
    return gains


def _group(name: str, interval: Interval | None) -> str:
    if interval is None:
        return f"| {name} | 0 | nothing can be said |"
    return f"| {name} | {interval.people} | {_text(interval)} |"


def _failures(
    found: Mapping[str, Any], pictures: Sequence[tuple[str, str]], faces: Sequence[str]
) -> Iterator[str]:
    lost = [w for w in found["worst"] if w["gain"] < 0]
    yield f"Of {len(found['worst'])} damaged clips, {len(lost)} came out further from the clean one than they went in."
    kept = [psnr for psnr, _ in kept_clean(found["rows"], found["main"])]
    if kept:
        yield clean_sentence(kept)
    for file, text in pictures:
        yield ""
        yield f"![{text}]({file})"
        yield ""
        yield f"*{text}*"
    if pictures and faces:
        yield ""
        yield f"Faces: {'; '.join(faces)}."


def _identity(strengths: Sequence[AtStrength]) -> Iterator[str]:
    yield "A restored face is partly guessed, and can come out as somebody else's. Strength scales the change that is"
    yield "added to the input, and at 0 the input comes back bit for bit. Shift is how far the 468 landmarks lie from"
    yield "the clean face's, in per cent of the distance between the eyes: at strength 0 it is what the damage does to"
    yield "the tracker."
    yield ""
    known = any(s.identity is not None for s in strengths)
    yield "| task | strength | PSNR, dB | shift, % |" + (" identity, cosine |" if known else "")
    yield "|---|---|---|---|" + ("---|" if known else "")
    for one in strengths:
        cells = [one.task, f"{one.strength:g}", _text(one.psnr, ".2f"), _text(one.shift, ".2f")]
        cells += [_text(one.identity, ".3f")] if known else []
        yield f"| {' | '.join(cells)} |"
    yield from _unmoved(strengths)
    if not known:
        yield ""
        yield "No face embedding was given (`--identity`), so likeness itself was not measured."


def _unmoved(strengths: Sequence[AtStrength]) -> Iterator[str]:
    """A sentence for each task in which the whole strength leaves the face no nearer than none does."""
    for task in dict.fromkeys(s.task for s in strengths):
        shifts = sorted((s.strength, s.shift.mean) for s in strengths if s.task == task and s.shift is not None)
        if len(shifts) > 1 and shifts[-1][1] >= shifts[0][1]:
            yield ""
            told = ", ".join(f"{shift:.2f} % at {strength:g}" for strength, shift in (shifts[0], shifts[-1]))
            yield f"Under {task} the shift does not fall with strength ({told}): whatever the picture gains, the face's"
            yield "shape is brought no nearer."


def _text(interval: Interval | None, form: str = "+.2f") -> str:
    if interval is None:
        return "-"
    ends = "" if interval.low is None else f" ({interval.low:{form}} .. {interval.high:{form}})"
    return f"{interval.mean:{form}}{ends}"


def _gain(gain: Mapping[str, Any] | None) -> str:
    return "-" if gain is None else _text(Interval(**gain))


def _mean(method: Mapping[str, Any], key: str) -> str:
    figure = method["figures"].get(key)
    return "-" if figure is None else f"{figure['mean']:.2f}"


def _less(method: Mapping[str, Any], other: Mapping[str, Any], key: str) -> str:
    if key not in method["figures"] or key not in other["figures"]:
        return "-"
    return f"{method['figures'][key]['mean'] - other['figures'][key]['mean']:+.2f}"
