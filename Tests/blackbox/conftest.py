import itertools
import os
import random

import pytest
from harness import BINARY, MODEL, MODELS, SHARED_DATA, Service


def pytest_configure(config):
    if not BINARY.is_file():
        pytest.exit(f"{BINARY} is missing: build it with `make build`", returncode=1)


def has_model():
    return (MODELS / MODEL / "model.safetensors").is_file()


needs_model = pytest.mark.skipif(not has_model(), reason="the model is not installed: run scripts/fetch-model")
needs_shared_data = pytest.mark.skipif(
    not SHARED_DATA.is_dir(), reason="reference data not found at ../shared/data or PATHLIGHT_SHARED_DATA")


@pytest.fixture
def start_service(tmp_path):
    """Starts services that end with the test: start_service(data=…, is_seeded=…, PATHLIGHT_…=…)."""
    started = []
    numbers = itertools.count(1)

    def start(data=None, is_seeded=None, **settings):
        number = next(numbers)
        is_seeded = has_model() if is_seeded is None else is_seeded
        service = Service(
            data or tmp_path / f"data-{number}", tmp_path / f"service-{number}.log", is_seeded=is_seeded, **settings)
        started.append(service)
        return service.start()

    yield start
    for service in started:
        service.stop()


@pytest.fixture(scope="session")
def service(tmp_path_factory):
    """One service for all tests that leave it as it was."""
    if not has_model():
        pytest.skip("the model is not installed: run scripts/fetch-model")
    folder = tmp_path_factory.mktemp("service")
    running = Service(folder / "data", folder / "service.log", is_seeded=True).start()
    yield running
    running.stop()


@pytest.fixture
def client(service):
    with service.client() as client:
        yield client


@pytest.fixture(scope="session")
def questions(service):
    with service.client() as client:
        return client.get("/api/quiz/questions/").expect(200)["items"]


@pytest.fixture
def generator():
    """Random numbers that a failing run can repeat: its seed is part of the report."""
    seed = int(os.environ.get("PATHLIGHT_TEST_SEED") or random.SystemRandom().getrandbits(32))
    print(f"PATHLIGHT_TEST_SEED={seed}")
    return random.Random(seed)
