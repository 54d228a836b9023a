"""What the other tests rest on: a service that says it has started is the one that was started."""

import http.server
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from harness import Service, free_port

TAKE = "import harness; print(*(harness.free_port() for _ in range(40)), flush=True); input()"


def test_runs_beside_each_other_take_different_ports():
    taken = [{str(free_port())}]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_XDIST")}
    runs = [subprocess.Popen([sys.executable, "-c", TAKE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                             cwd=Path(__file__).parent, env=environment) for _ in range(3)]
    try:
        taken += [set(run.stdout.readline().split()) for run in runs]
    finally:
        for run in runs:
            run.communicate("\n", timeout=30)
    assert len(set.union(*taken)) == 1 + 3 * 40, taken


class Stranger(http.server.BaseHTTPRequestHandler):
    """Somebody else's service, which is ready."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Late(Service):
    """A service that finds its port taken."""

    def launch(self):
        self.process = subprocess.Popen(["sleep", "0.3"])
        self.log.touch()


def test_another_s_answer_is_no_start(tmp_path):
    with http.server.ThreadingHTTPServer(("127.0.0.1", free_port()), Stranger) as stranger:
        threading.Thread(target=stranger.serve_forever).start()
        service = Late(tmp_path / "data", tmp_path / "service.log")
        service.port = stranger.server_port
        try:
            assert service.is_ready()
            with pytest.raises(AssertionError, match="the service ended with 0"):
                service.start()
        finally:
            stranger.shutdown()
