"""The face models, fetched at most once for the whole run."""

from __future__ import annotations

import pytest

from stream.face.models import FaceModelError, FaceModels, model_paths


@pytest.fixture(scope="session")
def face_models() -> FaceModels:
    try:
        return model_paths()
    except FaceModelError as error:
        pytest.skip(str(error))
