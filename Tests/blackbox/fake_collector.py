"""A fake trace collector on loopback: takes OTLP/HTTP in JSON, looks closely at what comes, and misbehaves on order.

    with FakeCollector([Taken()]) as collector:
        …PATHLIGHT_TRACING_URL=collector.url…"""

import json
import re

from fake_llm import Behaviour, FakeProvider

# Everything that may stand in a span, and what it may say.
WORD = r"[a-z][a-z0-9_]{0,40}"
ATTRIBUTES = {
    "http.request.method": ("stringValue", r"GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|OTHER"),
    "http.route": ("stringValue", r"unmatched|/[a-z0-9_./{}*-]*"),
    "http.response.status_code": ("intValue", r"[1-5][0-9][0-9]"),
    "pathlight.request_id": ("stringValue", r"[0-9A-Fa-f-]{32,36}"),
    "pathlight.access": ("stringValue", r"read|write"),
    "pathlight.waited_us": ("intValue", r"[0-9]{1,9}"),
    "pathlight.texts": ("intValue", r"[0-9]{1,6}"),
    "pathlight.tokens": ("intValue", r"[0-9]{1,8}"),
    "pathlight.rows": ("intValue", r"[0-9]{1,9}"),
    "pathlight.exact": ("boolValue", r"True|False"),
    "pathlight.omitted_spans": ("intValue", r"[0-9]{1,6}"),
    "pathlight.outcome": ("stringValue", WORD),
    "gen_ai.provider.name": ("stringValue", WORD),
    "gen_ai.usage.input_tokens": ("intValue", r"[0-9]{1,8}"),
    "gen_ai.usage.output_tokens": ("intValue", r"[0-9]{1,8}"),
}
SERVER, CLIENT, INSIDE = 2, 3, 1
CHILDREN = {"embed": INSIDE, "search": INSIDE, "sql": INSIDE, "llm": CLIENT}


class Taken(Behaviour):
    """Takes the batch, but for so many of its spans."""

    def __init__(self, rejected=0, message=""):
        self.rejected, self.message = rejected, message

    def handle(self, handler, server):
        part = {"rejectedSpans": str(self.rejected), "errorMessage": self.message} if self.rejected else None
        handler.reply(200, json.dumps({"partialSuccess": part} if part else {}))


class Span:
    def __init__(self, document):
        assert set(document) <= {"traceId", "spanId", "parentSpanId", "name", "kind", "startTimeUnixNano",
                                 "endTimeUnixNano", "attributes", "status"}, document
        assert re.fullmatch(r"[0-9a-f]{32}", document["traceId"]) and int(document["traceId"], 16), document
        assert re.fullmatch(r"[0-9a-f]{16}", document["spanId"]) and int(document["spanId"], 16), document
        self.trace, self.id, self.parent = document["traceId"], document["spanId"], document.get("parentSpanId")
        assert self.parent is None or re.fullmatch(r"[0-9a-f]{16}", self.parent) and int(self.parent, 16), document
        for name in ("startTimeUnixNano", "endTimeUnixNano"):
            assert isinstance(document[name], str) and re.fullmatch(r"[1-9][0-9]{18}", document[name]), document
        self.start, self.end = int(document["startTimeUnixNano"]), int(document["endTimeUnixNano"])
        assert self.start <= self.end, document
        self.name, self.kind = document["name"], document["kind"]
        assert document.get("status", {"code": 2}) == {"code": 2}, document
        self.has_failed = "status" in document
        self.attributes = {}
        for attribute in document.get("attributes", []):
            kind, pattern = ATTRIBUTES[attribute["key"]]
            assert set(attribute) == {"key", "value"} and list(attribute["value"]) == [kind], attribute
            value = attribute["value"][kind]
            assert isinstance(value, bool if kind == "boolValue" else str), attribute
            assert re.fullmatch(pattern, str(value)), attribute
            assert attribute["key"] not in self.attributes, document
            self.attributes[attribute["key"]] = value
        if self.kind == SERVER:
            route = self.attributes["http.route"]
            assert self.name == f"{self.attributes['http.request.method']} {route}", document
        else:
            assert self.kind == CHILDREN[self.name], document


def spans_of(request):
    """The spans of a batch, after a look at everything around them."""
    assert request["path"] == "/v1/traces", request["path"]
    assert request["headers"]["content-type"] == "application/json", request["headers"]
    (resource,) = request["body"]["resourceSpans"]
    attributes = {entry["key"]: entry["value"] for entry in resource["resource"]["attributes"]}
    assert attributes["service.name"] == {"stringValue": "pathlight"}
    assert re.fullmatch(r"[0-9]+\.[0-9]+\.[0-9]+.*", attributes["service.version"]["stringValue"])
    (scope,) = resource["scopeSpans"]
    assert scope["scope"] == {"name": "pathlight"}
    return [Span(document) for document in scope["spans"]]


class FakeCollector(FakeProvider):
    def problem(self, status, code, message):
        return {"code": status, "message": message}

    @property
    def raw(self):
        """All that came, as text."""
        with self.lock:
            return json.dumps(self.requests, ensure_ascii=False)

    @property
    def spans(self):
        with self.lock:
            requests = list(self.requests)
        return [span for request in requests for span in spans_of(request)]

    def traces(self, route=None):
        """Each request that came whole, with the spans below it: every span's parent is the request of its trace."""
        spans = self.spans
        found = []
        for root in (span for span in spans if span.kind == SERVER):
            below = [span for span in spans if span.trace == root.trace and span is not root]
            for span in below:
                assert span.parent == root.id, f"{span.name} belongs to {span.parent}, its request is {root.id}"
                assert root.start <= span.start and span.end <= root.end, f"{span.name} lies outside its request"
            if route is None or root.attributes["http.route"] == route:
                found.append((root, below))
        ids = [span.id for span in spans]
        assert len(set(ids)) == len(ids), "two spans have one id"
        return found

    def settings(self, **more):
        return {"PATHLIGHT_TRACING_URL": self.url, "PATHLIGHT_TRACING_EVERY": "1", **more}
