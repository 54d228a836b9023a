"""Mutated bodies, paths and queries to every route: never a mistake of the service's own, and the connection goes on."""

import json
import re
from urllib.parse import quote_from_bytes

import pytest
from test_api_contract import DOCUMENT, operations, resolved

ROUTES = [path for path, method, operation in operations()
          if method == "post" and "application/json" in operation.get("requestBody", {}).get("content", {})]
BODIES = 250
VALUES = [None, True, False, 0, -1, 1e308, -1e-308, 2**53 + 1, 10**30, "", " ", "\u0000", "😀" * 50, "a" * 20_000, [],
          [[]], {}, {"": None}, [None] * 300, "5f0c2a9e71d84b36a1c0de59b7e4f283", [1] * 15, {"min": 1, "max": 0}]
SYNTAX = [b"{", b"}", b"[", b"]", b'"', b"\\", b",", b":", b"\xff", b"\xf0\x9f"]


def seeds(path):
    content = DOCUMENT["paths"][path]["post"]["requestBody"]["content"]["application/json"]
    return [example["value"] for example in content["examples"].values()]


def places(value, at=()):
    """Every part of a document, as the way to it."""
    yield at
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, child in children:
        yield from places(child, (*at, name))


def changed(value, way, change):
    if not way:
        return change(value)
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[way[0]] = changed(value[way[0]], way[1:], change)
    return copy


def mutated(document, names, generator):
    """A body like `document`: first parts of it are changed, then perhaps bytes of its text."""
    def change(value):
        kind = generator.randrange(4)
        if kind == 0 and isinstance(value, dict):
            return {**value, generator.choice(names): generator.choice(VALUES)}
        if kind == 1 and isinstance(value, list):
            return value * generator.randint(0, 4)
        if kind == 2 and isinstance(value, int) and not isinstance(value, bool):
            return value * generator.choice([-1, 2, 10**6, 10**300])
        return generator.choice(VALUES)

    for _ in range(generator.randint(0, 3)):
        document = changed(document, generator.choice(list(places(document))), change)
    body = bytearray(json.dumps(document, ensure_ascii=generator.random() < 0.5).encode("utf-8"))
    if generator.random() < 0.5:
        for _ in range(generator.randint(1, 6)):
            at = generator.randrange(len(body) + 1)
            kind = generator.randrange(4)
            if kind == 0:
                del body[at:at + generator.randint(1, 8)]
            elif kind == 1:
                body[at:at] = generator.choice(SYNTAX)
            elif kind == 2 and at < len(body):
                body[at] ^= 1 << generator.randrange(8)
            else:
                body[at:at] = bytes(body[:generator.randint(0, 40)])
    return bytes(body)


@pytest.mark.parametrize("path", ROUTES)
def test_mutated_bodies_are_answered_or_refused(client, generator, path):
    schema = DOCUMENT["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]
    fields = resolved(schema).get("properties", {})
    names = [*fields, "no_such_field", ""]
    client.get("/livez")
    before = client.connection.sock
    statuses = {}
    for number in range(BODIES):
        body = mutated(generator.choice(seeds(path)), names, generator)
        reply = client.post_text(path, body)
        statuses[reply.status] = statuses.get(reply.status, 0) + 1
        if reply.status >= 300:
            problem = reply.expect_problem()
            assert problem["status"] < 500 or problem["status"] == 503, (number, body[:500], problem)
        else:
            assert isinstance(reply.json, dict)
        assert client.connection.sock is before, (number, body[:500], reply.status)
    assert client.get("/livez").status == 200
    assert any(400 <= status < 500 for status in statuses), statuses


READS = [(path, operation) for path, method, operation in operations() if method == "get"]
PIECES = [b"", b"chef", b"\x00", b"/", b"..", b" ", b"%", b"+", "ü".encode(), b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"&", b"=",
          b"1", b"-1", b"1e3", b"99999999999999999999", b"Health Care", b",", b"a" * 300, "😀".encode(), b"\r\n", b"'", b'"']


def coded(generator):
    """Some bytes, most of them percent-encoded as they should be, some escapes damaged."""
    text = quote_from_bytes(b"".join(generator.choices(PIECES, k=generator.randint(0, 4))), safe="")
    if generator.random() < 0.2:
        at = generator.randrange(len(text) + 1)
        text = text[:at] + generator.choice(["%", "%0", "%zz", "%00", "%2"]) + text[at:]
    return text


@pytest.mark.parametrize("path, operation", READS, ids=[path for path, _ in READS])
def test_mutated_paths_and_queries_are_answered_or_refused(client, generator, path, operation):
    names = [each["name"] for each in map(resolved, operation.get("parameters", [])) if each["in"] == "query"]
    client.get("/livez")
    before = client.connection.sock
    for _ in range(BODIES if "parameters" in operation else 20):
        target = re.sub(r"\{\w+\}", lambda _: coded(generator) if generator.random() < 0.7 else "chef", path)
        query = "&".join(
            f"{generator.choice([*names, coded(generator)])}={coded(generator)}" for _ in range(generator.randint(0, 3)))
        reply = client.get(f"{target}?{query}" if query else target)
        if reply.status >= 400 and reply.media_type == "text/html":
            # A page for people says in words what is wrong.
            kinds = operation["responses"].get(str(reply.status), {}).get("content", {})
            assert any(kind.startswith("text/html") for kind in kinds) and reply.status < 500, (target, query, reply.status)
        elif reply.status >= 400:
            assert reply.expect_problem()["status"] < 500, (target, query, reply.body)
        assert client.connection.sock is before, (target, query, reply.status)
    assert client.get("/livez").status == 200
