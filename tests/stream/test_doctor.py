"""The doctor: it must not call a machine healthy whose model is damaged, nor fail where one thing is missing."""

from __future__ import annotations

import importlib.metadata
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from engines.errors import EngineError
from stream import doctor
from stream.cli import main
from stream.doctor import Finding


def test_report_marks_what_is_missing_and_says_what_to_do() -> None:
    text = doctor.report([Finding("Python", "3.11.7"), Finding("libx264", "missing", "install it")])
    assert text.splitlines() == ["  Python   3.11.7", "! libx264  missing", "", "libx264: install it"]
    assert doctor.report([Finding("Python", "3.11.7")]).endswith("all there")


@pytest.mark.parametrize(("found", "status"), [([Finding("a", "b")], 0), ([Finding("a", "b", "do c")], 1)])
def test_exit_status(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], found: list[Finding], status: int
) -> None:
    monkeypatch.setattr(doctor, "examine", lambda: found)
    monkeypatch.setattr(doctor, "webcam", lambda: [Finding("camera", "c")])
    assert main(["doctor"]) == status
    assert "a  b" in capsys.readouterr().out


def test_what_the_webcam_lacks_is_told_and_is_no_failure_of_the_rest(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # Guards against "all there", and nothing more, on a machine without a camera, PipeWire or v4l2loopback.
    monkeypatch.setattr(doctor, "examine", lambda: [Finding("a", "b")])
    monkeypatch.setattr("stream.webcam.listing.examine", lambda settings: [Finding("camera", "none", "plug one in")])
    assert main(["doctor"]) == 0
    before, after = capsys.readouterr().out.split("for the webcam alone")
    assert "all there" in before and "! camera  none" in after and "camera: plug one in" in after


def test_a_webcam_that_cannot_be_looked_at_does_not_end_the_doctor(monkeypatch: pytest.MonkeyPatch) -> None:
    # Guards against a traceback where PyAV or OpenCV is missing, which the first table has just named.
    monkeypatch.setitem(sys.modules, "stream.webcam.listing", None)
    (finding,) = doctor.webcam()
    assert finding.value == "not looked at" and finding.hint, "and nothing is all there"


def test_old_python() -> None:
    assert doctor.python((3, 10, 2)).hint is not None
    assert doctor.python((3, 11, 0)).hint is None
    assert doctor.python((4, 0, 0)).hint is None


def test_either_onnx_runtime_will_do() -> None:
    def only(*there: str) -> list[str]:
        def version(name: str) -> str:
            if name in there:
                return "1.0"
            raise importlib.metadata.PackageNotFoundError(name)

        return [finding.name for finding in doctor.packages(version) if finding.hint]

    rest = doctor.PACKAGES
    assert only(*rest, "onnxruntime") == []
    assert only(*rest, "onnxruntime-gpu") == []
    assert only(*rest) == ["ONNX Runtime"]
    assert only("onnxruntime", *rest[1:]) == [rest[0]]


def test_a_gpu_and_its_libraries_are_told_and_nobody_needs_them() -> None:
    def refuse(*_: str) -> None:
        raise EngineError("not there")

    device = SimpleNamespace(capability="sm89", memory=lambda: (2**30, 8 * 2**30))
    there = doctor.gpu(lambda: device, lambda name: SimpleNamespace(version="10.1"))
    told = [("GPU", "sm89, 8 GiB"), ("tensorrt", "10.1"), ("tensorrt-rtx", "10.1")]
    assert [(f.name, f.value) for f in there] == told
    without = doctor.gpu(refuse, refuse)
    assert "not there" in without[0].value and [f.value for f in without[1:]] == ["not there"] * 2
    assert not any(f.hint for f in (*there, *without))


def test_an_encoder_that_pyav_lacks() -> None:
    there, missing = doctor.encoders(("ffv1", "no-such-encoder"))
    assert there.hint is None
    assert missing.value == "missing"
    assert missing.hint is not None


def test_models_are_checked(tmp_path: Path) -> None:
    assert doctor.models(tmp_path)[0].hint is not None
    (tmp_path / "lite-256.json").write_text(json.dumps({"name": "lite-256"}))
    (finding,) = doctor.models(tmp_path)
    assert finding.name == "model lite-256"
    assert "is damaged" in finding.value
    assert finding.hint is not None


def test_face_models_named_in_the_wrong_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CLEARCALL_FACE_MODELS", str(tmp_path))
    finding = doctor.face_models()
    assert finding.value == "wrong"
    assert finding.hint is not None


def test_face_models_not_fetched_yet(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("CLEARCALL_FACE_MODELS", raising=False)
    monkeypatch.setattr("stream.face.models.find_models", lambda: None)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    finding = doctor.face_models()
    assert str(tmp_path) in finding.value and "at first use" in finding.value
    assert finding.hint is None, "a fresh machine lacks nothing"
    assert not any(tmp_path.iterdir())
