import os
import random
import sys
from pathlib import Path

import pytest

# What starts and asks the built program is shared with the other tests that do.
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "blackbox"))

from harness import BINARY, MODEL, MODELS  # noqa: E402


def pytest_configure(config):
    if not BINARY.is_file():
        pytest.exit(f"{BINARY} is missing: build it with `make build`", returncode=1)


def pytest_collection_modifyitems(items):
    if not (MODELS / MODEL / "model.safetensors").is_file():
        for item in items:
            item.add_marker(pytest.mark.skip(reason="the model is not installed: run scripts/fetch-model"))


@pytest.fixture
def generator():
    """Random numbers that a failing run can repeat: its seed is part of the report."""
    seed = int(os.environ.get("PATHLIGHT_TEST_SEED") or random.SystemRandom().getrandbits(32))
    print(f"PATHLIGHT_TEST_SEED={seed}")
    return random.Random(seed)
