"""A mail server on loopback that speaks SMTP as real ones do, and fails as they do, where it is told to."""

import base64
import re
import socket
import ssl
import subprocess
import threading
import time

SECONDS = 20
# The head of a server's first TLS record, which would have 122 bytes, and the first of them.
BROKEN_HANDSHAKE = b"\x16\x03\x03\x00\x7a\x02"


def make_certificate(folder, name="localhost"):
    """A self-signed certificate for a name and 127.0.0.1: the files of certificate and key."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-keyout", str(key), "-out", str(certificate), "-subj", f"/CN={name}",
         "-addext", f"subjectAltName=DNS:{name},IP:127.0.0.1"], check=True, capture_output=True, timeout=60)
    return certificate, key


class Gone(Exception):
    """The client closed the connection, or a rule did."""


class Dialogue:
    """What one client said, and the messages that it handed over."""

    def __init__(self):
        self.commands = []
        self.authenticated = None
        self.is_encrypted = False
        self.was_encrypted_at_login = None


class FakeSMTP:
    """`with FakeSMTP(replies={"RCPT": "550 5.1.1 no such user"}) as server: …`

    security: `plain`, `starttls` (offered and wanted before anything else) or `tls` (from the first byte).
    login: (user, password) that is wanted, by AUTH PLAIN or LOGIN.
    mechanisms: what AUTH offers.
    replies: the reply at a stage: GREETING, EHLO, STARTTLS, AUTH, MAIL, RCPT, DATA, MESSAGE; a list is used up in turn.
        Bytes are sent as they are.
    cut: the stage before whose reply the connection is cut off; HANDSHAKE is where TLS would begin.
    cut_inside: the stage inside of whose reply's line it is.
    flood: the stage at which something like these bytes is sent without an end, `sent` bytes of it.
    hang: the stage at which nothing more is ever said; HANDSHAKE as well.
    drip: seconds between the bytes of every reply.
    size: the greatest message, announced by SIZE.
    """

    def __init__(self, security="plain", certificate=None, login=None, mechanisms="PLAIN LOGIN", replies=None, cut=None,
                 hang=None, drip=0, size=1 << 24, offers_starttls=True, cut_inside=None, flood=None):
        self.security = security
        self.login = login
        self.mechanisms = mechanisms
        self.replies = {
            stage: [text] if isinstance(text, (str, bytes)) else list(text) for stage, text in (replies or {}).items()}
        self.cut = cut
        self.cut_inside = cut_inside
        self.flood = flood
        self.sent = 0
        self.hang = hang
        self.drip = drip
        self.size = size
        self.offers_starttls = offers_starttls
        self.dialogues = []
        # (sender, recipients, bytes as they came, without the dots that SMTP doubles)
        self.messages = []
        self.failures = []
        self.context = None
        if certificate is not None:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(*map(str, certificate))
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.closed = threading.Event()
        self.connections = []
        self.thread = threading.Thread(target=self.accept, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.closed.set()
        for connection in [self.listener, *self.connections]:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            connection.close()
        self.thread.join(SECONDS)

    def accept(self):
        while not self.closed.is_set():
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            connection.settimeout(SECONDS)
            self.connections.append(connection)
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        dialogue = Dialogue()
        self.dialogues.append(dialogue)
        session = Session(self, connection, dialogue)
        try:
            if self.security == "tls":
                session.connection = self.encrypt(connection, dialogue)
            session.run()
        except Exception as error:  # pylint: disable=broad-except
            # A client that refuses the certificate ends here, as it should; so does one that breaks the protocol.
            self.failures.append(error)
        finally:
            # TLS took the first socket over.
            session.connection.close()
            connection.close()

    def fail(self, connection, stage, said):
        """Cuts off or falls silent, where that is the stage to; `said` is what breaks off."""
        if self.hang == stage:
            self.closed.wait(SECONDS * 3)
            raise Gone(stage)
        if stage not in (self.cut, self.cut_inside):
            return
        if self.cut_inside == stage:
            connection.sendall(said)
        # The client sees the end of the stream, not a reset.
        connection.shutdown(socket.SHUT_RDWR)
        raise Gone(stage)

    def encrypt(self, connection, dialogue):
        self.fail(connection, "HANDSHAKE", BROKEN_HANDSHAKE)
        connection = self.context.wrap_socket(connection, server_side=True)
        self.connections.append(connection)
        dialogue.is_encrypted = True
        return connection


class Session:
    """One connection, from the greeting to QUIT."""

    def __init__(self, server, connection, dialogue):
        self.server = server
        self.connection = connection
        self.dialogue = dialogue
        self.buffer = b""
        self.sender = None
        self.recipients = []

    # What is said

    def reply(self, stage, usual):
        """The stage's own reply, or the usual one; whether it is a positive one."""
        server = self.server
        told = server.replies.get(stage)
        text = (told.pop(0) if len(told) > 1 else told[0]) if told else usual
        last = text if isinstance(text, bytes) else text.split("\n")[-1].encode()
        server.fail(self.connection, stage, last[:-3])
        if server.flood and server.flood[0] == stage:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 16)
            chunk = server.flood[1] * (1 + (1 << 16) // len(server.flood[1]))
            while not server.closed.is_set():
                self.connection.sendall(chunk)
                server.sent += len(chunk)
        if isinstance(text, bytes):
            self.connection.sendall(text)
            return re.match(rb"[23][0-9]{2}[ -]", text) is not None
        self.say(text)
        return text.startswith(("2", "3"))

    def say(self, text):
        data = text.replace("\n", "\r\n").encode() + b"\r\n"
        if not self.server.drip:
            self.connection.sendall(data)
            return
        for byte in data:
            self.connection.sendall(bytes([byte]))
            time.sleep(self.server.drip)

    def line(self):
        while b"\n" not in self.buffer:
            data = self.connection.recv(65536)
            if not data:
                raise Gone("the client hung up")
            self.buffer += data
        line, self.buffer = self.buffer.split(b"\n", 1)
        assert line.endswith(b"\r"), f"a line ends in LF alone: {line[:80]!r}"
        return line[:-1]

    # What is heard

    def run(self):
        if not self.reply("GREETING", "220 localhost ESMTP ready"):
            raise Gone("greeting")
        while True:
            command = self.line().decode("ascii")
            self.dialogue.commands.append(command)
            verb = command.split(" ")[0].upper()
            if verb == "QUIT":
                self.say("221 2.0.0 bye")
                return
            handler = getattr(self, verb.lower(), None) if verb in (
                "EHLO", "HELO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "RSET", "NOOP") else None
            if handler is None:
                self.say("502 5.5.2 command not known")
            else:
                handler(command)

    def ehlo(self, _):
        lines = ["localhost greets you", f"SIZE {self.server.size}", "ENHANCEDSTATUSCODES"]
        may_log_in = self.server.security != "starttls" or self.dialogue.is_encrypted
        if self.server.security == "starttls" and not self.dialogue.is_encrypted and self.server.offers_starttls:
            lines.append("STARTTLS")
        if self.server.login and may_log_in:
            lines.append(f"AUTH {self.server.mechanisms}")
        text = "\n".join(f"250{'-' if line is not lines[-1] else ' '}{line}" for line in lines)
        self.reply("EHLO", text)

    def helo(self, _):
        self.reply("EHLO", "250 localhost")

    def noop(self, _):
        self.say("250 2.0.0 OK")

    def rset(self, _):
        self.sender, self.recipients = None, []
        self.say("250 2.0.0 OK")

    def starttls(self, _):
        if not self.reply("STARTTLS", "220 2.0.0 go ahead"):
            return
        # What came in the same packet must not count as said under TLS.
        assert not self.buffer, "the client spoke before TLS began"
        self.connection = self.server.encrypt(self.connection, self.dialogue)

    def auth(self, command):
        words = command.split(" ")
        mechanism = words[1].upper()
        if mechanism == "PLAIN":
            given = words[2] if len(words) > 2 else self.ask("")
            _, user, password = base64.b64decode(given).decode().split("\0")
        else:
            given = words[2] if len(words) > 2 else self.ask("VXNlcm5hbWU6")
            user = base64.b64decode(given).decode()
            password = base64.b64decode(self.ask("UGFzc3dvcmQ6")).decode()
        self.dialogue.was_encrypted_at_login = self.dialogue.is_encrypted
        if (user, password) != self.server.login:
            self.say("535 5.7.8 user or password is wrong")
            return
        if self.reply("AUTH", "235 2.7.0 welcome"):
            self.dialogue.authenticated = user

    def ask(self, challenge):
        self.say(f"334 {challenge}")
        return self.line().decode("ascii")

    def mail(self, command):
        if self.server.security == "starttls" and not self.dialogue.is_encrypted:
            self.say("530 5.7.0 must issue a STARTTLS command first")
            return
        if self.server.login and self.dialogue.authenticated is None:
            self.say("530 5.7.0 authentication required")
            return
        sizes = [int(word[5:]) for word in command.upper().split(" ") if word.startswith("SIZE=")]
        if sizes and sizes[0] > self.server.size:
            self.say("552 5.3.4 the message is too large")
            return
        if self.reply("MAIL", "250 2.1.0 sender OK"):
            self.sender = command[command.index("<") + 1:command.index(">")]

    def rcpt(self, command):
        if self.sender is None:
            self.say("503 5.5.1 MAIL first")
            return
        if self.reply("RCPT", "250 2.1.5 recipient OK"):
            self.recipients.append(command[command.index("<") + 1:command.index(">")])

    def data(self, _):
        if not self.recipients:
            self.say("503 5.5.1 RCPT first")
            return
        if not self.reply("DATA", "354 go ahead"):
            return
        lines = []
        while (line := self.line()) != b".":
            assert len(line) <= 998, f"a line of {len(line)} bytes"
            lines.append(line[1:] if line.startswith(b".") else line)
        message = b"".join(line + b"\r\n" for line in lines)
        if self.reply("MESSAGE", "250 2.0.0 queued as 4711"):
            self.server.messages.append((self.sender, list(self.recipients), message))
        self.sender, self.recipients = None, []
