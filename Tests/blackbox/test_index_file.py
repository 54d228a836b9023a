"""The file that an index is kept in between starts: it spares memory and work, and decides nothing."""

import stat

import pytest
from conftest import needs_model
from harness import run_command, seed

RECOMMEND = "/api/results/recommend/"
REQUESTS = [
    {"abilities": [5] * 14 + [9], "top_n": 20},
    {"text": "mending bicycles and small engines", "top_n": 20},
    {"text": "teaching children to read", "abilities": [3] * 7 + [8] * 8, "alpha": 0.4, "diversity": False, "top_n": 20},
]
WARNING = "the index file was not used as it was"


def answers(service):
    """What is recommended, with every figure."""
    with service.client() as client:
        replies = [client.post(RECOMMEND, request).expect(200) for request in REQUESTS]
    return [reply["recommendations"] for reply in replies]


@pytest.fixture(scope="module")
def expected(service):
    return answers(service)


@needs_model
def test_a_lean_service_answers_as_a_full_one(start_service, expected):
    service = start_service(PATHLIGHT_INDEX_MEMORY="lean")
    assert answers(service) == expected
    file = service.data / "careers.index"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not file.with_name("careers.index.new").exists()
    assert service.terminate() == 0
    before = file.stat().st_ino
    again = start_service(data=service.data, PATHLIGHT_INDEX_MEMORY="lean")
    assert answers(again) == expected
    assert file.stat().st_ino == before, "the file was written anew although nothing had changed"
    assert WARNING not in again.log.read_text()


@needs_model
def test_a_small_full_service_has_no_file(start_service):
    service = start_service()
    assert not (service.data / "careers.index").exists()


@needs_model
def test_a_damaged_file_is_told_of_and_made_anew(start_service, expected, generator):
    service = start_service(PATHLIGHT_INDEX_MEMORY="lean")
    assert service.terminate() == 0
    file = service.data / "careers.index"
    whole = file.read_bytes()
    flipped = bytearray(whole)
    flipped[-1 - generator.randrange(1000)] ^= 1 << generator.randrange(8)
    for damaged in (bytes(flipped), whole[:generator.randrange(len(whole))], b"", whole + b"\0"):
        file.write_bytes(damaged)
        service = start_service(data=service.data, PATHLIGHT_INDEX_MEMORY="lean")
        assert answers(service) == expected
        assert WARNING in service.log.read_text()
        assert service.terminate() == 0
        assert file.stat().st_size == len(whole)
    service = start_service(data=service.data, PATHLIGHT_INDEX_MEMORY="lean")
    assert answers(service) == expected
    assert WARNING not in service.log.read_text()


@needs_model
def test_a_file_that_cannot_be_written_stops_nothing(start_service, expected, tmp_path):
    data = seed(tmp_path / "data")
    (data / "careers.index.new").mkdir()
    service = start_service(data=data, PATHLIGHT_INDEX_MEMORY="lean")
    assert answers(service) == expected
    assert WARNING in service.log.read_text()


@needs_model
def test_the_file_may_be_taken_away_from_a_running_service(start_service, expected):
    service = start_service(PATHLIGHT_INDEX_MEMORY="lean")
    (service.data / "careers.index").unlink()
    assert answers(service) == expected


@needs_model
def test_an_evaluation_leaves_the_file_as_it_is(start_service):
    service = start_service(PATHLIGHT_INDEX_MEMORY="lean")
    assert service.terminate() == 0
    file = service.data / "careers.index"
    before = (file.stat().st_ino, file.read_bytes())
    result = run_command(
        "evaluate", "variety", "--sheets", "20", "--data", service.data, PATHLIGHT_INDEX_MEMORY="lean")
    assert result.returncode == 0, result.stderr
    assert (file.stat().st_ino, file.read_bytes()) == before
