"""Starting, stopping and time limits."""

import json
import signal
import socket
import threading
import time

import pytest
from conftest import needs_model
from harness import run_command, seed

RECOMMEND = "/api/results/recommend/"
ABILITIES = {"abilities": [5] * 14 + [9]}


def half_a_request(service):
    """A connection on which a request has been sent up to the middle of its body, and the rest of the body."""
    body = json.dumps(ABILITIES).encode()
    connection = service.socket()
    connection.sendall(
        b"POST " + RECOMMEND.encode() + b" HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n" % len(body) + body[:20])
    return connection, body[20:]


def read_to_end(connection):
    received = b""
    while part := connection.recv(65536):
        received += part
    return received


def test_sigterm_ends_an_idle_service_with_success(start_service):
    service = start_service()
    with service.client() as client:
        assert client.get("/livez").status == 200
        assert service.terminate() == 0


def start_with_sighup(handler, start_service):
    """The tests may themselves run under nohup, and what they start inherits that."""
    before = signal.signal(signal.SIGHUP, handler)
    try:
        return start_service()
    finally:
        signal.signal(signal.SIGHUP, before)


def test_the_end_of_the_terminal_ends_a_service_as_sigterm_does(start_service):
    service = start_with_sighup(signal.SIG_DFL, start_service)
    service.process.send_signal(signal.SIGHUP)
    assert service.process.wait(15) == 0
    assert "stopped" in service.log.read_text()


def test_what_is_to_outlive_its_terminal_does(start_service):
    service = start_with_sighup(signal.SIG_IGN, start_service)  # As nohup starts what it is given.
    service.process.send_signal(signal.SIGHUP)
    time.sleep(0.5)
    with service.client() as client:
        assert client.get("/livez").status == 200
    assert service.terminate() == 0


def test_sigterm_finishes_the_request_in_flight(start_service):
    service = start_service()
    connection, rest = half_a_request(service)
    with connection:
        # The service has the first half once a later request on another connection has been answered.
        with service.client() as client:
            client.get("/livez")
        service.process.terminate()
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:  # It stops listening while the request is still under way.
            try:
                service.socket(timeout=1).close()
            except ConnectionRefusedError:
                break
            time.sleep(0.02)
        else:
            pytest.fail("the service still accepts connections 10 s after SIGTERM")
        connection.sendall(rest)
        assert read_to_end(connection).startswith(b"HTTP/1.1 200 ")
    assert service.process.wait(15) == 0


@needs_model
def test_sigterm_waits_for_work_under_way(start_service):
    service = start_service()
    texts = [f"a long description of work number {number} " * 20 for number in range(48)]
    replies = []

    def embed():
        with service.client(timeout=60) as client:
            replies.append(client.post("/v1/embeddings", {"model": "all-MiniLM-L6-v2", "input": texts}))

    thread = threading.Thread(target=embed)
    thread.start()
    with service.client() as client:  # Until the long request has arrived, or a moment has passed.
        for _ in range(20):
            client.get("/livez")
    assert service.terminate() == 0
    thread.join(60)
    assert [reply.status for reply in replies] == [200]


def test_a_second_service_says_that_the_port_is_taken(start_service, tmp_path):
    service = start_service()
    result = run_command("serve", "--port", service.port, "--data", seed(tmp_path / "other"))
    assert result.returncode != 0
    assert str(service.port) in result.stderr and result.stdout == ""


def test_a_data_folder_that_cannot_be_used_is_told(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    result = run_command("serve", "--port", "0", "--data", tmp_path / "file")
    assert result.returncode != 0
    assert str(tmp_path / "file") in result.stderr


def assert_dropped(connection, within):
    """The service closes the connection, with or without a 408, before `within` seconds have passed."""
    connection.settimeout(within)
    started = time.monotonic()
    try:
        received = read_to_end(connection)
    except ConnectionResetError:
        received = b""
    except socket.timeout:
        pytest.fail(f"the connection is still open after {within} s")
    assert received == b"" or received.startswith(b"HTTP/1.1 408 "), received[:200]
    return time.monotonic() - started


def test_slow_clients_are_dropped_and_do_not_hold_up_others(start_service):
    """Half a head, half a body, and a body that drips: each is dropped in time, while others are served."""
    service = start_service(PATHLIGHT_TIMEOUTS_HEADER_SECONDS="2", PATHLIGHT_TIMEOUTS_BODY_SECONDS="2")
    half_head = service.socket()
    half_head.sendall(b"POST /api/results/recommend/ HTTP/1.1\r\nHost: a\r\nContent-")
    half_body, _ = half_a_request(service)
    dripping, rest = half_a_request(service)
    stop = threading.Event()

    def drip():
        for byte in rest[:-1]:
            if stop.wait(0.5):
                return
            try:
                dripping.sendall(bytes([byte]))
            except OSError:
                return

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        with service.client() as client:
            client.post(RECOMMEND, ABILITIES).expect(200)
        for connection in (half_head, half_body, dripping):
            assert_dropped(connection, within=15)
    finally:
        stop.set()
        thread.join()
        for connection in (half_head, half_body, dripping):
            connection.close()
    with service.client() as client:
        client.post(RECOMMEND, ABILITIES).expect(200)


def test_who_sends_many_requests_at_once_and_reads_nothing_keeps_nobody_out(start_service):
    service = start_service(PATHLIGHT_LIMITS_CONCURRENT_REQUESTS="2")
    greedy = []
    try:
        for _ in range(12):
            connection = service.socket()
            connection.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n" * 40)
            greedy.append(connection)
        # What fits into the sockets is on the way; the rest has to wait for readers.
        time.sleep(3)
        with service.client() as client:
            for _ in range(20):
                client.get("/api/careers/").expect(200)
        # Who reads in the end gets all of them, in order.
        greedy[0].sendall(b"GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        received = b"".join(iter(lambda: greedy[0].recv(1 << 20), b""))
        assert received.count(b"HTTP/1.1 200 OK\r\n") + received.count(b"HTTP/1.1 429 ") == 41
        assert received.endswith(b"\r\n\r\nalive\n")
    finally:
        for connection in greedy:
            connection.close()


def test_requests_sent_together_are_answered_in_their_order(start_service):
    """By a client that says at once that it has no more, as `nc -N` does."""
    service = start_service()
    with service.socket() as connection:
        names = [b"/livez", b"/api/careers/?limit=1", b"/nothing", b"/livez"] * 5
        connection.sendall(b"".join(b"GET %s HTTP/1.1\r\nHost: a\r\nX-Request-ID: n%d\r\n\r\n" % (name, number)
                                    for number, name in enumerate(names)))
        connection.shutdown(socket.SHUT_WR)
        received = read_to_end(connection)
    ids = [line.split(b": ")[1] for line in received.split(b"\r\n") if line.lower().startswith(b"x-request-id: ")]
    assert ids == [b"n%d" % number for number in range(len(names))]


def test_a_restart_answers_as_before(start_service, tmp_path):
    request = {"abilities": [9, 3, 4, 8, 9, 2, 8, 3, 8, 1, 9, 4, 7, 2, 5]}
    lists = []
    for _ in range(2):
        service = start_service(data=tmp_path / "data")
        with service.client() as client:
            lists.append(client.post(RECOMMEND, request).expect(200)["recommendations"])
        assert service.terminate() == 0
    assert lists[0] == lists[1]
