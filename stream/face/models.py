"""Where MediaPipe's two face models are: a directory of the user's, the cache, an installed package, or one fetch."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from engines.errors import ClearcallError
from engines.user_cache import user_cache
from engines.whole_file import replace_file
from stream.face.fetch import FetchError, download_wheel

ENVIRONMENT = "CLEARCALL_FACE_MODELS"
PACKAGE = "mediapipe==0.10.21"
"""The newest release whose wheels still carry the models as files."""

WHEEL_TAGS = (
    ("--platform", "manylinux_2_28_x86_64", "--python-version", "3.11", "--implementation", "cp", "--abi", "cp311"),
    ("--platform", "win_amd64", "--python-version", "3.11", "--implementation", "cp", "--abi", "cp311"),
)
"""Wheels that will do, tried in turn: only data files are taken out, so any platform's wheel serves any machine."""

NOTICE = "fetching MediaPipe's face models (one time, about 35 MB)"
HELP = f"install the extra clearcall[mediapipe], or put the two files into a directory and name it in {ENVIRONMENT}"


@dataclass(slots=True, frozen=True)
class ModelFile:
    """One of the two files: its place in the package and its sha256."""

    member: str
    sha256: str

    @property
    def name(self) -> str:
        """File name without the folders."""
        return self.member.rsplit("/", 1)[1]


DETECTOR = ModelFile(
    "mediapipe/modules/face_detection/face_detection_short_range.tflite",
    "bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8",
)
MESH = ModelFile(
    "mediapipe/modules/face_landmark/face_landmark.tflite",
    "1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814",
)


class FaceModelError(ClearcallError):
    """The face models could not be found, fetched or trusted."""


@dataclass(slots=True, frozen=True)
class FaceModels:
    """The two model files, both there and both of the known sha256."""

    detector: Path
    mesh: Path


def cache_directory(environ: Mapping[str, str] = os.environ, platform: str = sys.platform) -> Path:
    """The user's cache folder for the models; it need not exist."""
    return user_cache("face", environ, platform)


def find_models() -> FaceModels | None:
    """The models that are on this machine already, or None: what `doctor` shows.

    Raises:
        FaceModelError: The environment variable names a directory without the right files.
    """
    named = os.environ.get(ENVIRONMENT)
    if named:
        models = _checked(Path(named) / DETECTOR.name, Path(named) / MESH.name)
        if models is None:
            raise FaceModelError(
                f"{ENVIRONMENT}={named} does not hold {DETECTOR.name} and {MESH.name} as {PACKAGE} carries them"
            )
        return models
    cache = cache_directory()
    return _checked(cache / DETECTOR.name, cache / MESH.name) or _from_package()


def model_paths() -> FaceModels:
    """The models, fetched once into the user's cache where the machine has none.

    Raises:
        FaceModelError: They are nowhere and cannot be fetched; the text says what to do.
    """
    return find_models() or _fetch(cache_directory())


def _checked(detector: Path, mesh: Path) -> FaceModels | None:
    good = _is_file(detector, DETECTOR) and _is_file(mesh, MESH)
    return FaceModels(detector, mesh) if good else None


def _is_file(path: Path, wanted: ModelFile) -> bool:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest() == wanted.sha256
    except OSError:
        return False


def _from_package() -> FaceModels | None:
    # Only located, never imported: the import alone takes seconds and a different numpy.
    spec = importlib.util.find_spec("mediapipe")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        root = Path(folder).parent
        models = _checked(root / DETECTOR.member, root / MESH.member)
        if models is not None:
            return models
    return None


def _fetch(cache: Path) -> FaceModels:
    try:
        with tempfile.TemporaryDirectory(prefix="clearcall-") as work:
            wheel = download_wheel(PACKAGE, WHEEL_TAGS, Path(work), NOTICE)
            return FaceModels(_extract(wheel, DETECTOR, cache), _extract(wheel, MESH, cache))
    except FetchError as error:
        raise FaceModelError(f"MediaPipe's face models could not be fetched ({error}): {HELP}") from error
    except OSError as error:
        raise FaceModelError(f"MediaPipe's face models could not be kept in {cache} ({error}): {HELP}") from error


def _extract(wheel: Path, wanted: ModelFile, cache: Path) -> Path:
    """Write one file of the wheel into the cache in one step, so that two processes at once cannot harm each other."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            content = archive.read(wanted.member)
    except (zipfile.BadZipFile, KeyError) as error:
        raise FaceModelError(f"{wheel.name} does not carry {wanted.member}: {HELP}") from error
    if hashlib.sha256(content).hexdigest() != wanted.sha256:
        raise FaceModelError(f"{wanted.name} in {wheel.name} is not the file expected (its sha256 differs): {HELP}")
    try:
        replace_file(cache / wanted.name, content)
    except OSError:
        # Windows refuses to replace a file that another process, just as far as we are, has open: then it is there.
        if not _is_file(cache / wanted.name, wanted):
            raise
    return cache / wanted.name
