"""A stored block of vectors that is flipped, cut or missing: found at the start, named, embedded anew; nothing is lost.

What every single byte does to a block is the index's own tests' matter; this is the whole program, on samples.
"""

import shutil
import sqlite3
import struct

import pytest
from catalogue import DEPTH, QUERIES, ask, brief, exported, import_arguments, write_versions
from harness import Service, run_command

FLIPS = 8
SET_ASIDE = "a stored vector was damaged and set aside"


def crc32c(data):
    """CRC-32C as in RFC 3720, bit by bit."""
    value = 0xFFFFFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
    return value ^ 0xFFFFFFFF


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """A catalogue with its vectors, which tests copy, and what it answers."""
    folder = tmp_path_factory.mktemp("stored")
    data = folder / "data"
    run = run_command(*import_arguments(write_versions(folder)["A"], data))
    assert run.returncode == 0, run.stderr
    service = Service(data, folder / "service.log").start()
    with service.client() as client:
        answers = [brief(ask(client, number, DEPTH)) for number in range(len(QUERIES))]
    assert service.terminate() == 0
    return data, answers, exported(data)


@pytest.fixture
def damaged(stored, tmp_path):
    """Copies the data and runs a statement on it: damaged("UPDATE …", …)."""
    def change(statement, *values):
        data = tmp_path / "data"
        shutil.rmtree(data, ignore_errors=True)
        shutil.copytree(stored[0], data)
        with sqlite3.connect(data / "pathlight.db") as database:
            assert database.execute(statement, values).rowcount == 1
        database.close()
        return data
    return change


def blocks(data):
    """Number and bytes of each block in use."""
    with sqlite3.connect(data / "pathlight.db") as database:
        rows = database.execute(
            "SELECT number, bytes FROM index_blocks JOIN index_generations ON id = generation_id "
            "WHERE state = 'current' ORDER BY number").fetchall()
    database.close()
    return rows


REPLACE = ("UPDATE index_blocks SET bytes = ? WHERE number = ? AND generation_id = "
           "(SELECT id FROM index_generations WHERE state = 'current')")
DELETE = ("DELETE FROM index_blocks WHERE number = ? AND generation_id = "
          "(SELECT id FROM index_generations WHERE state = 'current')")


def require_mended(data, stored, log):
    """Starts on damaged data: the log names it, answers and careers are as they were, and the next start has no word."""
    _, answers, careers = stored
    for attempt in range(2):
        before = len(log.read_text()) if log.exists() else 0
        service = Service(data, log).start()
        try:
            with service.client() as client:
                for number, wanted in enumerate(answers):
                    given = brief(ask(client, number, DEPTH))
                    assert [item[::2] for item in given] == [item[::2] for item in wanted]
                    assert all(abs(a[1] - b[1]) < 0.11 for a, b in zip(given, wanted))
        finally:
            service.stop()
        told = log.read_text()[before:]
        assert (SET_ASIDE in told) == (attempt == 0), told
    assert exported(data) == careers
    return log.read_text()


def test_flipped_bytes_are_found_and_mended(stored, damaged, tmp_path, generator):
    found = blocks(stored[0])
    assert len(found) >= 2
    for flip in range(FLIPS):
        number, content = generator.choice(found)
        # Half of them where header and keys are, which are few bytes beside the numbers.
        place = generator.randrange(4_096 if flip % 2 else len(content))
        changed = bytearray(content)
        changed[place] ^= 1 << generator.randrange(8)
        data = damaged(REPLACE, bytes(changed), number)
        print(f"flip {flip}: block {number}, byte {place}")
        require_mended(data, stored, tmp_path / f"flip-{flip}.log")


def test_missing_and_cut_blocks_are_found_and_mended(stored, damaged, tmp_path, generator):
    number, content = blocks(stored[0])[-1]
    for name, statement, values in (
        ("missing", DELETE, (number,)),
        ("first missing", DELETE, (0,)),
        ("empty", REPLACE, (b"", number)),
        ("cut", REPLACE, (content[:generator.randrange(1, len(content))], number)),
        ("longer", REPLACE, (content + b"\0", number)),
        ("of another number", REPLACE, (content, 0)),
    ):
        print(name)
        require_mended(damaged(statement, *values), stored, tmp_path / f"{name}.log")


def test_all_blocks_missing_are_made_anew(stored, damaged, tmp_path):
    data = damaged(DELETE, 0)
    assert blocks(data)
    with sqlite3.connect(data / "pathlight.db") as database:
        database.execute("DELETE FROM index_blocks")
    database.close()
    require_mended(data, stored, tmp_path / "service.log")


def test_a_newer_format_is_refused_and_left_alone(stored, damaged, tmp_path):
    number, content = blocks(stored[0])[0]
    changed = bytearray(content)
    assert struct.unpack_from("<I", content, 12)[0] == crc32c(content[:12])
    struct.pack_into("<I", changed, 8, struct.unpack_from("<I", content, 8)[0] + 1)
    struct.pack_into("<I", changed, 12, crc32c(changed[:12]))
    data = damaged(REPLACE, bytes(changed), number)
    service = Service(data, tmp_path / "service.log")
    service.launch()
    assert service.process.wait(60) not in (0, -6, -11)
    told = service.log_tail()
    assert "newer" in told and len(told) < 2_000, told
    for command in (["reembed"], ["reembed", "--force"]):
        run = run_command(*command, "--data", data)
        assert run.returncode != 0 and "newer" in run.stderr, run.stdout + run.stderr
    assert blocks(data)[0] == (number, bytes(changed)), "what a newer version wrote was changed"
    assert exported(data) == stored[2]


def test_the_service_notices_damage_while_it_runs_at_the_latest_at_its_next_start(stored, damaged, tmp_path):
    """Blocks are read at a start and at a change; in between the service answers from memory."""
    number, content = blocks(stored[0])[0]
    data = damaged(REPLACE, content, number)
    service = Service(data, tmp_path / "service.log").start()
    try:
        with sqlite3.connect(data / "pathlight.db", timeout=30) as database:
            database.execute(REPLACE, (content[:-4] + b"\0\0\0\1", number))
        database.close()
        with service.client() as client:
            assert brief(ask(client, 0, DEPTH)) == stored[1][0]
    finally:
        service.stop()
    require_mended(data, stored, tmp_path / "service-2.log")
