"""The built service, started for a measurement, and a client that costs little itself."""

import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("PATHLIGHT_BENCH_SERVICE") or str(ROOT / ".build/release/pathlight")
WAIT_SECONDS = 180
# The caller's settings of the product say something about another service.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("PATHLIGHT_")}


def run_program(*arguments):
    """Runs a command of the program to its end; its standard output."""
    done = subprocess.run(
        [PROGRAM, *map(str, arguments)], cwd=ROOT, capture_output=True, text=True, env=ENVIRONMENT, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, arguments))} ended with {done.returncode}: {done.stderr}")
    return done.stdout


class Process:
    """A service as a process of its own; it says on its output where it listens, or listens at a port given."""

    def __init__(self, command, log, port=0, environment=None):
        self.log = Path(log)
        self.port = port
        with open(log, "wb") as output:
            self.process = subprocess.Popen(
                list(map(str, command)), cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                env=environment or ENVIRONMENT)
        end = time.monotonic() + WAIT_SECONDS
        while not self.listens():
            if self.process.poll() is not None or time.monotonic() > end:
                self.stop()
                sys.exit(f"the service did not start:\n{self.log.read_text('utf-8', 'replace')[-3000:]}")
            time.sleep(0.05)

    def listens(self):
        if not self.port:
            found = re.search(r"http://127\.0\.0\.1:(\d+)/", self.log.read_text("utf-8", "replace"))
            if not found:
                return False
            self.port = int(found.group(1))
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(30)


def pathlight(data, log, port=0):
    return Process([PROGRAM, "serve", "--port", port, "--data", data, "--log-level", "notice"], log)


class Connection:
    """HTTP/1.1 over one socket, and nothing that an answer's end can be found without."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=120)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def post(self, path, body):
        """The status and the body of the answer."""
        head = (f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(body)}\r\n\r\n")
        self.socket.sendall(head.encode() + body)
        received = b""
        while b"\r\n\r\n" not in received:
            received += self.more()
        head, _, content = received.partition(b"\r\n\r\n")
        length = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
        if not length:
            raise OSError(f"no Content-Length in {head!r}")
        while len(content) < int(length.group(1)):
            content += self.more()
        return int(head[9:12]), content

    def more(self):
        part = self.socket.recv(1 << 16)
        if not part:
            raise OSError("the connection ended before the answer did")
        return part

    def close(self):
        self.socket.close()
