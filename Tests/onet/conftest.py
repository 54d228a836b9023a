import sys
from pathlib import Path

import pytest

# What starts and asks the built program is shared with the other tests that do.
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "blackbox"))

from harness import BINARY, MODEL, MODELS, SHARED_DATA  # noqa: E402


def pytest_configure(config):
    if not BINARY.is_file():
        pytest.exit(f"{BINARY} is missing: build it with `make build`", returncode=1)


def pytest_collection_modifyitems(items):
    missing = []
    if not (MODELS / MODEL / "model.safetensors").is_file():
        missing.append("the model is not installed: run scripts/fetch-model")
    if not (SHARED_DATA / "onet").is_dir():
        missing.append("O*NET's release not found at ../shared/data/onet or PATHLIGHT_SHARED_DATA")
    for item in items:
        for reason in missing:
            item.add_marker(pytest.mark.skip(reason=reason))
