"""The labels that are shipped say what they mean, and the shipped limits hold on the material where it is there."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from engines.errors import BadInput
from stream.face.models import FaceModelError
from tests.media import SHARED, needs_shared
from training.curation import calibrate as module
from training.curation.calibrate import calibrate
from training.curation.command import load_finder
from training.curation.curate import Settings, curate
from training.curation.damage import DAMAGES
from training.curation.find import FaceFinder
from training.curation.labels import Label, load_labels
from training.curation.likeness import load_likeness
from training.curation.rubric import NAMES, load_rubric
from training.curation.shown import claims
from training.curation.sources import load_photo
from training.curation.verdict import Verdict


def test_labels_are_whole_and_people_are_on_one_side() -> None:
    labels = load_labels()
    assert len({(label.file, label.frame) for label in labels}) == len(labels) > 300
    assert {label.focus for label in labels} == {"sharp", "soft", "unsure"}
    assert {label.light for label in labels} == {"good", "dark", "bright", "unsure"}
    assert {label.blocks for label in labels} == {"clean", "blocky", "unsure"}
    assert not {label.person for label in labels if label.fitting} & {
        label.person for label in labels if not label.fitting
    }


def test_what_was_unsure_claims_nothing() -> None:
    assert claims(Label("p1_a.jpg", None, "unsure", "unsure", "unsure")) == ((), ())
    bad, good = claims(Label("p1_a.jpg", None, "soft", "dark", "clean"))
    assert set(bad) == {"eyes", "mouth", "skin", "dark"} and set(good) == {"bright", "blocks"}


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda d: d.name)
def test_damage_is_the_same_each_time_and_does_something(damage: object) -> None:
    assert isinstance(damage, type(DAMAGES[0]))
    picture = np.random.default_rng(0).integers(0, 255, (64, 64, 3)).astype(np.uint8)
    one, other = (damage.apply(picture, np.random.default_rng(5)) for _ in range(2))
    assert one.shape == picture.shape and np.array_equal(one, other) and not np.array_equal(one, picture)
    assert set(damage.bad) and set(damage.bad + damage.harmless) <= set(NAMES)
    assert not set(damage.bad) & set(damage.harmless)


def test_missing_material_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="labelled files are missing"):
        calibrate(tmp_path, write=False)


@pytest.fixture(scope="module")
def finder() -> FaceFinder:
    try:
        return load_finder()
    except FaceModelError as error:
        pytest.skip(str(error))


@pytest.fixture
def decided(tmp_path: Path, finder: FaceFinder) -> dict[str, Verdict]:
    """Real faces of people that no limit was fitted on, whole and damaged."""
    folder = tmp_path / "material"
    folder.mkdir()
    for name in ("p087_still_1_neutral.jpg", "p179_still_1_neutral.jpg", "p089_still_1_neutral.jpg"):
        shutil.copy(SHARED / "train" / name, folder / name)
    shutil.copy(SHARED / "real" / "p074_clip_1.mkv", folder / "far.mkv")
    whole = load_photo(folder / "p089_still_1_neutral.jpg")
    rng = np.random.default_rng(0)
    for damage in DAMAGES:
        cv2.imwrite(str(folder / f"{damage.name.replace(',', '').replace(' ', '_')}.png"), damage.apply(whole, rng))
    small = cv2.resize(whole, (400, 400), interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(folder / "small.png"), small)
    settings = Settings(folder, tmp_path / "out", load_rubric(), quiet=True)
    return {v.entry.source: v for v in curate(settings, lambda: finder)}


@needs_shared
def test_real_faces_are_told_from_damaged_ones(decided: dict[str, Verdict]) -> None:
    kept = {name for name, verdict in decided.items() if verdict.kept}
    # Dark skin in good light is as good as any.
    assert kept == {"p087_still_1_neutral.jpg", "p179_still_1_neutral.jpg", "p089_still_1_neutral.jpg"}
    assert decided["small.png"].duplicate_of == "p089_still_1_neutral.jpg#1"
    assert any(reason.startswith("face small") for reason in decided["far.mkv"].reasons)
    for name, word in (
        ("blur_sigma_2.5", "eyes"),
        ("noise_sigma_12", "noisy"),
        ("stops_-3", "dark"),
        ("JPEG_8", "blocky"),
    ):
        assert any(word in reason for reason in decided[f"{name}.png"].reasons), name
    assert any("motion" in reason for reason in decided["motion_pixels_11.png"].reasons)


@needs_shared
def test_the_calibration_runs_on_a_few_people(
    finder: FaceFinder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    few = [label for label in load_labels() if label.person in {"p087", "p088", "p089", "p090"}]
    before = [load_rubric(), load_likeness().mean.tolist()]
    monkeypatch.setattr(module, "load_labels", lambda: few)
    monkeypatch.setattr(module, "load_finder", lambda: finder)
    calibrate(SHARED, write=False)
    told = capsys.readouterr().out
    rows = {row.split("|")[1].strip(): row.split("|")[2:-1] for row in told.splitlines() if row.startswith("| ")}
    # Of the two people that nothing was fitted on, four stills with each of three blurs, two enlargements.
    assert [cell.strip() for cell in rows["eyes"][2:4]] == ["20", "20"]
    for name in ("eyes", "noise", "dark", "blocks", "jitter"):
        precision, recall = float(rows[name][4]), float(rows[name][5])
        assert precision > 0.8 and recall > 0.8, rows[name]
    assert rows["one person, neutral and smiling"][0].strip() == "2"
    assert [load_rubric(), load_likeness().mean.tolist()] == before
