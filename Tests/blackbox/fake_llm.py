"""Fake Gemini and OpenAI servers on loopback. They speak the protocols as far as a client can tell, and misbehave on order.

    with FakeOpenAI([Answer("Hello")]) as server:
        …OPENAI_BASE_URL=server.url…

A script is a list of behaviours, one for each request; after its end the last one repeats."""

import http.server
import json
import random
import re
import socket
import ssl
import subprocess
import threading
import time


class Behaviour:
    """What is done with one request. `handle` gets the request's handler and the server."""

    def handle(self, handler, server):
        raise NotImplementedError


class Answer(Behaviour):
    """Answers properly with a text (a dict is written as JSON), which took tokens in, out and, at Gemini, for thoughts."""

    def __init__(self, text, finish=None, tokens=(100, 10)):
        self.text = text if isinstance(text, str) else json.dumps(text)
        self.finish = finish
        self.tokens = tokens

    def handle(self, handler, server):
        handler.reply(200, json.dumps(server.completion(self.text, self.finish, self.tokens)))


class Status(Behaviour):
    """Answers with an error."""

    def __init__(self, status, code="error", message="No.", **headers):
        self.status, self.code, self.message, self.headers = status, code, message, headers

    def handle(self, handler, server):
        headers = {name.replace("_", "-"): value for name, value in self.headers.items()}
        handler.reply(self.status, json.dumps(server.problem(self.status, self.code, self.message)), headers)


class Vectors(Behaviour):
    """Embeds properly: a word has a few fixed places among 768, a text those of its words; texts that share words are near.

    Another `model` gives other places. `change` alters what is sent, `after` is waited for first."""

    places = {}

    def __init__(self, model="words", change=lambda vectors: vectors, after=0):
        self.model, self.change, self.after = model, change, after

    def handle(self, handler, server):
        if server.stopping.wait(self.after):
            return
        texts = server.texts(handler.document)
        body = server.embeddings(self.change([self.vector(text) for text in texts]), texts)
        handler.reply(200, json.dumps(body))

    def vector(self, text):
        vector = [0] * 768
        for word in re.findall(r"\w{4,}", text.lower()):
            if (self.model, word) not in self.places:
                chance = random.Random(f"{self.model} {word}")
                self.places[self.model, word] = [(chance.randrange(768), chance.choice((-1, 1))) for _ in range(12)]
            for place, sign in self.places[self.model, word]:
                vector[place] += sign
        if not any(vector):
            vector[0] = 1
        return vector


class Together(Vectors):
    """Embeds once so many requests are there, which they never are for who asks in turn."""

    def __init__(self, count):
        super().__init__()
        self.barrier = threading.Barrier(count, timeout=60)

    def handle(self, handler, server):
        try:
            self.barrier.wait()
        except threading.BrokenBarrierError:
            handler.close_connection = True
            return
        super().handle(handler, server)


class Held(Vectors):
    """Embeds once it is let."""

    def __init__(self):
        super().__init__()
        self.gate = threading.Event()

    def handle(self, handler, server):
        if self.gate.wait(60):
            super().handle(handler, server)


class Choosy(Vectors):
    """Embeds, and refuses every request that has a text with this word in it, as servers do that cut nothing."""

    def __init__(self, word):
        super().__init__()
        self.word = word

    def handle(self, handler, server):
        if any(self.word in text for text in server.texts(handler.document)):
            Status(400, "invalid_request", "The input is too long.").handle(handler, server)
        else:
            super().handle(handler, server)


class Raw(Behaviour):
    """Answers 200 with these bytes, whatever they are."""

    def __init__(self, body):
        self.body = body

    def handle(self, handler, server):
        handler.reply(200, self.body)


class Empty(Behaviour):
    """Answers properly, for so many tokens, with no answer in it."""

    def __init__(self, tokens):
        self.tokens = tokens

    def handle(self, handler, server):
        document = server.completion("", None, self.tokens)
        handler.reply(200, json.dumps({name: [] if isinstance(value, list) else value for name, value in document.items()}))


class Slow(Behaviour):
    """Says nothing for so long, or sends the body a byte at a time for so long."""

    def __init__(self, seconds, drips=False):
        self.seconds, self.drips = seconds, drips

    def handle(self, handler, server):
        if not self.drips:
            server.stopping.wait(self.seconds)
            handler.close_connection = True
            return
        handler.head(200, {"Content-Length": "100000"})
        end = time.monotonic() + self.seconds
        while time.monotonic() < end and not server.stopping.wait(0.05):
            handler.wfile.write(b" ")
            handler.wfile.flush()
        handler.close_connection = True


class CutOff(Behaviour):
    """Promises a whole answer and closes in its middle."""

    def handle(self, handler, server):
        body = json.dumps(server.completion("Hello", None, (1, 1))).encode()
        handler.head(200, {"Content-Length": str(len(body))})
        handler.wfile.write(body[:len(body) // 2])
        handler.wfile.flush()
        handler.connection.shutdown(socket.SHUT_RDWR)
        handler.close_connection = True


class Huge(Behaviour):
    """An answer without an end."""

    def handle(self, handler, server):
        # What is sent is what is read, but for little that lies in between.
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 16)
        handler.head(200, {"Transfer-Encoding": "chunked"})
        chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
        server.sent = 0
        while not server.stopping.is_set():
            handler.wfile.write(chunk)
            server.sent += 0x10000


class Redirect(Behaviour):
    def __init__(self, url, status=307):
        self.url, self.status = url, status

    def handle(self, handler, server):
        handler.reply(self.status, "", {"Location": self.url})


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.do_POST()

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        server = self.server.fake
        self.document = json.loads(body) if body else None
        behaviour = server.record(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
        try:
            behaviour.handle(self, server)
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError, OSError):
            self.close_connection = True  # The client had enough, which is what most tests are about.

    def head(self, status, headers):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def reply(self, status, body, headers=None):
        body = body if isinstance(body, bytes) else body.encode()
        self.head(status, {**(headers or {}), "Content-Length": str(len(body))})
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # A refused handshake, a client that went away.


class FakeProvider:
    path = ""

    def __init__(self, script, certificate=None, host="127.0.0.1"):
        self.script = list(script)
        self.requests = []
        self.sent = 0
        self.stopping = threading.Event()
        self.lock = threading.Lock()
        self.server = Server((host, 0), Handler)
        self.server.fake = self
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.server.socket = context.wrap_socket(
                self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self.server.server_address[1]
        self.url = f"http{'s' if certificate else ''}://{host}:{self.port}{self.path}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.server.shutdown()
        self.server.server_close()

    def now(self, *script):
        """Behaves otherwise from the next request on."""
        with self.lock:
            self.script = list(script)

    def record(self, path, headers, body):
        with self.lock:
            self.requests.append({"path": path, "headers": headers, "body": json.loads(body) if body else None})
            return self.script.pop(0) if len(self.script) > 1 else self.script[0]


class FakeOpenAI(FakeProvider):
    path = "/v1"

    def completion(self, text, finish, tokens):
        return {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "gpt-4o-mini",
                "choices": [{"index": 0, "finish_reason": finish or "stop", "logprobs": None,
                             "message": {"role": "assistant", "content": text, "refusal": None}}],
                "usage": {"prompt_tokens": tokens[0], "completion_tokens": tokens[1], "total_tokens": sum(tokens)}}

    def texts(self, document):
        return document["input"]

    def embeddings(self, vectors, texts):
        tokens = sum(len(text) // 4 + 1 for text in texts)
        return {"object": "list", "model": "text-embedding-3-small",
                "data": [{"object": "embedding", "index": index, "embedding": vector}
                         for index, vector in enumerate(vectors)],
                "usage": {"prompt_tokens": tokens, "total_tokens": tokens}}

    def problem(self, status, code, message):
        return {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": code}}

    def settings(self, key="sk-test-secret-0123456789"):
        return {"PATHLIGHT_LLM_PROVIDER": "openai", "OPENAI_API_KEY": key, "OPENAI_BASE_URL": self.url}


class FakeGemini(FakeProvider):
    path = "/v1beta"

    def completion(self, text, finish, tokens):
        return {"candidates": [{"content": {"parts": [{"text": text}], "role": "model"},
                                "finishReason": finish or "STOP", "index": 0}],
                "usageMetadata": {"promptTokenCount": tokens[0], "candidatesTokenCount": tokens[1],
                                  **({"thoughtsTokenCount": tokens[2]} if len(tokens) > 2 else {}),
                                  "totalTokenCount": sum(tokens)},
                "modelVersion": "gemini-2.5-flash"}

    def texts(self, document):
        return [request["content"]["parts"][0]["text"] for request in document["requests"]]

    def embeddings(self, vectors, texts):
        return {"embeddings": [{"values": vector} for vector in vectors]}

    def problem(self, status, code, message):
        return {"error": {"code": status, "message": message, "status": code}}

    def settings(self, key="AIzaTestSecret0123456789"):
        return {"PATHLIGHT_LLM_PROVIDER": "gemini", "GEMINI_API_KEY": key, "GEMINI_BASE_URL": self.url}


def self_signed_certificate(folder):
    """A certificate that nobody trusts, and its key."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out",
         str(certificate)], check=True, capture_output=True)
    return str(certificate), str(key)
