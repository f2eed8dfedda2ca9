"""Where the face models come from, in which order, and what is said when they cannot be had."""

from __future__ import annotations

import hashlib
import importlib.util
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from stream.face import models
from stream.face.models import FaceModelError, ModelFile

CONTENT = {"detector": b"a detector", "mesh": b"a mesh"}


@pytest.fixture(autouse=True)
def small_models(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for attribute, name in (("DETECTOR", "detector"), ("MESH", "mesh")):
        wanted = ModelFile(f"mediapipe/modules/{name}/{name}.tflite", hashlib.sha256(CONTENT[name]).hexdigest())
        monkeypatch.setattr(models, attribute, wanted)
    monkeypatch.delenv(models.ENVIRONMENT, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object() if name == "pip" else None)


def fill(folder: Path) -> Path:
    folder.mkdir(parents=True)
    for name, content in CONTENT.items():
        (folder / f"{name}.tflite").write_bytes(content)
    return folder


def write_wheel(path: Path, content: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as wheel:
        for name, data in content.items():
            wheel.writestr(f"mediapipe/modules/{name}/{name}.tflite", data)
    return path


def fake_pip(monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Let pip be a script that gets the target folder as its first argument."""
    real = subprocess.Popen

    def start(command: list[str], **options: object) -> subprocess.Popen[bytes]:
        target = command[command.index("--dest") + 1]
        return real([sys.executable, "-c", script, target], **options)  # type: ignore[call-overload, no-any-return]

    monkeypatch.setattr(subprocess, "Popen", start)


def test_nothing_is_fetched_to_find_out(monkeypatch: pytest.MonkeyPatch) -> None:
    # Guards against `doctor` starting a download.
    fake_pip(monkeypatch, "raise SystemExit('called')")
    assert models.find_models() is None


def test_the_named_directory_comes_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fill(models.cache_directory())
    own = fill(tmp_path / "own")
    monkeypatch.setenv(models.ENVIRONMENT, str(own))
    assert models.model_paths().mesh == own / "mesh.tflite"


def test_a_named_directory_without_the_files_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fill(models.cache_directory())
    monkeypatch.setenv(models.ENVIRONMENT, str(tmp_path))
    with pytest.raises(FaceModelError, match=models.ENVIRONMENT) as caught:
        models.model_paths()
    assert "\n" not in str(caught.value) and caught.value.exit_status == 1


def test_the_cache_serves_only_whole_files() -> None:
    # Guards against a model that a full disk cut short being used for ever.
    cache = fill(models.cache_directory())
    found = models.find_models()
    assert found is not None and found.detector == cache / "detector.tflite"
    (cache / "detector.tflite").write_bytes(b"a det")
    assert models.find_models() is None


def test_an_installed_package_serves(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Spec:
        submodule_search_locations = (str(tmp_path / "mediapipe"),)

    for name in CONTENT:
        folder = tmp_path / "mediapipe" / "modules" / name
        folder.mkdir(parents=True)
        (folder / f"{name}.tflite").write_bytes(CONTENT[name])
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: Spec())
    assert models.model_paths().mesh.read_bytes() == CONTENT["mesh"]


def test_fetches_once_and_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wheel = write_wheel(tmp_path / "some.whl", CONTENT)
    fake_pip(monkeypatch, f"import shutil, sys; shutil.copy({str(wheel)!r}, sys.argv[1])")
    fetched = models.model_paths()
    assert fetched.detector.read_bytes() == CONTENT["detector"]
    assert fetched.mesh.read_bytes() == CONTENT["mesh"]
    assert capsys.readouterr().err.count("fetching") == 1
    fake_pip(monkeypatch, "raise SystemExit('called twice')")
    assert models.model_paths() == fetched
    assert sorted(path.name for path in models.cache_directory().iterdir()) == ["detector.tflite", "mesh.tflite"]


def test_a_foreign_file_is_not_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # Guards against running whatever an index hands out under the right name.
    wheel = write_wheel(tmp_path / "some.whl", CONTENT | {"mesh": b"another mesh"})
    fake_pip(monkeypatch, f"import shutil, sys; shutil.copy({str(wheel)!r}, sys.argv[1])")
    with pytest.raises(FaceModelError, match="sha256"):
        models.model_paths()
    assert models.find_models() is None


def test_a_wheel_without_the_files_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    wheel = write_wheel(tmp_path / "some.whl", {})
    fake_pip(monkeypatch, f"import shutil, sys; shutil.copy({str(wheel)!r}, sys.argv[1])")
    with pytest.raises(FaceModelError, match="does not carry"):
        models.model_paths()


def test_no_network_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    # Guards against pip's own verdict, that no such package exists, being passed on for a broken line.
    fake_pip(
        monkeypatch,
        "print('WARNING: Retrying after connection broken by NewConnectionError'); "
        "print('ERROR: No matching distribution found'); raise SystemExit(1)",
    )
    with pytest.raises(FaceModelError, match="cannot reach") as caught:
        models.model_paths()
    text = str(caught.value)
    assert "\n" not in text and "[mediapipe]" in text and models.ENVIRONMENT in text


def test_other_failures_pass_on_what_pip_says(monkeypatch: pytest.MonkeyPatch) -> None:
    fake_pip(monkeypatch, "print('ERROR: one'); print('ERROR: the disk is full'); raise SystemExit(1)")
    with pytest.raises(FaceModelError, match="the disk is full"):
        models.model_paths()


def test_a_python_without_pip_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(FaceModelError, match="no pip"):
        models.model_paths()


def test_a_cache_that_cannot_be_written_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    wheel = write_wheel(tmp_path / "some.whl", CONTENT)
    fake_pip(monkeypatch, f"import shutil, sys; shutil.copy({str(wheel)!r}, sys.argv[1])")
    (tmp_path / "cache").write_text("a file where the folder should be")
    with pytest.raises(FaceModelError, match="could not be kept"):
        models.model_paths()


def test_two_processes_may_fetch_at_once(tmp_path: Path) -> None:
    wheel = write_wheel(tmp_path / "some.whl", CONTENT)
    cache = tmp_path / "both"
    cache.mkdir()
    first = models._extract(wheel, models.MESH, cache)
    assert models._extract(wheel, models.MESH, cache) == first
    assert [path.name for path in cache.iterdir()] == ["mesh.tflite"]


@pytest.mark.parametrize(
    ("environ", "platform", "tail"),
    [
        ({"XDG_CACHE_HOME": "/x"}, "darwin", "/x/clearcall/face"),
        ({}, "darwin", "Library/Caches/clearcall/face"),
        ({"LOCALAPPDATA": "/local"}, "win32", "/local/clearcall/face"),
        ({}, "win32", ".cache/clearcall/face"),
        ({}, "linux", ".cache/clearcall/face"),
    ],
)
def test_the_cache_is_where_the_platform_keeps_them(environ: dict[str, str], platform: str, tail: str) -> None:
    assert models.cache_directory(environ, platform).as_posix().endswith(tail)
