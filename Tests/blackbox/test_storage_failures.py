"""What the service says when its disk is full or read-only, and when what it stored is damaged."""

import resource
import signal
import sqlite3
import subprocess

import pytest
from conftest import needs_model
from harness import BINARY, EMPTY_FOLDER, Service, clean_environment, free_port, make_database

pytestmark = needs_model
RECOMMEND = "/api/results/recommend/"
GOOD = {"text": "I like to bake bread.", "top_n": 3}


class SmallDisk(Service):
    """A service that finds no room behind the first bytes of any file, as on a disk that is full."""

    room = None

    def launch(self):
        self.port = free_port()

        def limit():
            if self.room is not None:
                # The signal would end the process; ignored, the write fails with EFBIG instead.
                signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
                resource.setrlimit(resource.RLIMIT_FSIZE, (self.room, self.room))

        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [str(BINARY), "serve", "--host", "127.0.0.1", "--port", str(self.port), "--data", str(self.data)],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log, cwd=EMPTY_FOLDER.name,
                preexec_fn=limit, env=clean_environment(**self.settings))


@pytest.fixture
def small_disk(tmp_path):
    service = SmallDisk(tmp_path / "data", tmp_path / "service.log", is_seeded=True)
    service.start()
    service.terminate()
    files = [file.stat().st_size for file in service.data.iterdir()]
    service.room = max(files) + (256 << 10)
    service.start()
    yield service
    service.stop()


def test_a_full_disk_is_told_and_nothing_confirmed_is_lost(small_disk):
    confirmed = []
    with small_disk.client() as client:
        for number in range(400):
            reply = client.post(RECOMMEND, {**GOOD, "text": f"I like to bake bread {number}. " + "x" * 8_000})
            if reply.status != 200:
                break
            confirmed.append(reply.json["session_id"])
        problem = reply.expect_problem(503, "store_unavailable")
        assert "nothing was kept" in problem["detail"]
        assert str(small_disk.data) not in reply.body.decode(), "the client need not know where the data lies"
        ready = client.get("/readyz").expect(200)
        assert ready["status"] == "degraded"
        [trouble] = [trouble for trouble in ready["degraded"] if trouble["part"] == "store"]
        assert trouble["reason"] in ("disk_full", "input_output") and "doctor" in trouble["detail"]
        assert 'pathlight_degraded{reason="store"} 1' in client.get("/metrics").body.decode()
        # What needs no writing goes on, on the same connection.
        assert client.get("/api/careers/?limit=1").status == 200
        assert client.post("/api/recommend/batch/", {"requests": [GOOD]}).status == 200
        headers = {"Content-Type": "application/json", "Idempotency-Key": "full"}
        client.request("POST", RECOMMEND, b'{"text": "I like bread."}', headers).expect_problem(503, "store_unavailable")
        for session in confirmed:
            assert client.get(f"/api/results/{session}/").status == 200
    assert small_disk.process.poll() is None
    assert confirmed
    small_disk.terminate()
    small_disk.room = None
    small_disk.start()
    with small_disk.client() as client:
        for session in confirmed:
            assert client.get(f"/api/results/{session}/").status == 200
        client.request("POST", RECOMMEND, b'{"text": "I like bread."}', headers).expect(200)
        assert all(trouble["part"] != "store" for trouble in client.get("/readyz").expect(200)["degraded"])


@pytest.fixture(scope="module")
def damaged(tmp_path_factory):
    """One service for all that is damaged in its database."""
    folder = tmp_path_factory.mktemp("damaged")
    service = Service(folder / "data", folder / "service.log", is_seeded=True).start()
    yield service
    service.stop()


@pytest.mark.parametrize("column", ["reply", "answers"])
@pytest.mark.parametrize("damage", ['{"recommendations": [', "", "\u0001", "[" * 5_000])
def test_a_damaged_session_is_told_as_such(damaged, column, damage):
    with damaged.client() as client:
        session = client.post(RECOMMEND, {**GOOD, "answers": {"1": "a"}}).expect(200)["session_id"]
        other = client.post(RECOMMEND, GOOD).expect(200)["session_id"]
        connection = sqlite3.connect(damaged.data / "pathlight.db", timeout=10)
        with connection:
            connection.execute(f"UPDATE sessions SET {column} = ? WHERE id = ?", (damage, session))
        connection.close()
        problem = client.get(f"/api/results/{session}/").expect_problem(500, "internal_error")
        assert "damaged" in problem["detail"]
        assert client.get(f"/api/results/{other}/").status == 200
        if column == "answers":
            problem = client.post(RECOMMEND, {"session_id": session}).expect_problem(500, "internal_error")
            assert "damaged" in problem["detail"]
    assert problem["request_id"] in damaged.log_tail(400)


# A file system that may only be read

def read_only(place, *arguments):
    """Runs a command that sees `place` mounted for reading alone, in mounts of its own."""
    script = (f"mount --bind '{place}' '{place}' && mount -o remount,ro,bind '{place}' || exit 99; "
              f"exec '{BINARY}' \"$@\"")
    try:
        result = subprocess.run(
            ["unshare", "--mount", "sh", "-c", script, "sh", *map(str, arguments)], capture_output=True, text=True,
            stdin=subprocess.DEVNULL, timeout=60, cwd=EMPTY_FOLDER.name, env=clean_environment(), check=False)
    except FileNotFoundError:
        pytest.skip("there is no unshare")
    if result.returncode == 99 or result.stderr.startswith("unshare"):
        pytest.skip(f"nothing may be mounted here: {result.stderr.strip()}")
    return result


def test_a_read_only_file_system_is_named_and_not_its_rights(tmp_path):
    data = make_database(tmp_path / "data")
    for command in (["users", "list"], ["serve", "--port", "0"], ["keys", "create", "--role", "admin"]):
        result = read_only(tmp_path, *command, "--data", data)
        assert result.returncode == 1 and "mounted read-only" in result.stderr, result.stderr
        assert "remount,rw" in result.stderr and "chmod" not in result.stderr
    new = read_only(tmp_path, "keys", "create", "--role", "admin", "--data", tmp_path / "new")
    assert new.returncode == 1 and "mounted read-only" in new.stderr
    found = read_only(tmp_path, "doctor", "--data", data).stdout
    lines = {line[9:].split(": ", 1)[0]: line for line in found.splitlines()}
    for subject in ("database", "folder", "disk", "mail"):
        assert "mounted read-only" in lines[subject] and "chmod" not in lines[subject], lines[subject]
    assert "free some" not in found
