/// A batch of spans as OTLP/HTTP wants it in JSON: the body of `POST /v1/traces`.
///
/// Protobuf's JSON mapping with OTLP's exceptions (opentelemetry.io/docs/specs/otlp, "JSON Protobuf Encoding"): ids are
/// hexadecimal and not base64, enumerations are numbers, and 64-bit numbers are texts.
package enum OTLPTraces {
    package static func body(of spans: [TraceSpan], service: String, version: String) -> [UInt8] {
        var json = JSONWriter(capacity: 256 + spans.count * 480)
        json.object { json in
            json.name("resourceSpans")
            json.array { json in
                json.object { json in
                    json.name("resource")
                    json.object { json in
                        write(
                            [("service.name", .text(service)), ("service.version", .text(version))], to: &json)
                    }
                    json.name("scopeSpans")
                    json.array { json in
                        json.object { json in
                            json.name("scope")
                            json.object { json in json.field("name", service) }
                            json.name("spans")
                            json.array(of: spans) { json, span in write(span, to: &json) }
                        }
                    }
                }
            }
        }
        return json.finishBytes()
    }

    /// What a collector that took a batch says of spans that it did not take (OTLP's `ExportTracePartialSuccess`).
    ///
    /// - Returns: how many, 0 for a reply that says nothing of it or is none, and why in the collector's words.
    package static func rejection(in reply: [UInt8]) -> (count: Int, reason: String?) {
        guard case .object(let reply)? = try? JSONParser.parse(reply),
            case .object(let part)? = reply["partialSuccess"]
        else { return (0, nil) }
        let count =
            switch part["rejectedSpans"] {
            case .string(let text)?: Int(text) ?? 0
            case .integer(let number)?: Int(number)
            default: 0
            }
        guard count > 0 else { return (0, nil) }
        guard case .string(let reason)? = part["errorMessage"], !reason.isEmpty else { return (count, nil) }
        return (count, excerpt(of: reason, limit: 200))
    }

    private static func write(_ span: TraceSpan, to json: inout JSONWriter) {
        json.object { json in
            json.field("traceId", span.trace.text)
            json.field("spanId", TraceParent.digits(span.id))
            if let parent = span.parent { json.field("parentSpanId", TraceParent.digits(parent)) }
            json.field("name", span.name)
            json.field("kind", span.kind.rawValue)
            json.field("startTimeUnixNano", String(span.start))
            json.field("endTimeUnixNano", String(span.end))
            if !span.attributes.isEmpty { write(span.attributes, to: &json) }
            // STATUS_CODE_ERROR; what went well says nothing.
            if span.hasFailed {
                json.name("status")
                json.object { json in json.field("code", 2) }
            }
        }
    }

    private static func write(_ attributes: [(name: String, value: TraceSpan.Attribute)], to json: inout JSONWriter) {
        json.name("attributes")
        json.array(of: attributes) { json, attribute in
            json.object { json in
                json.field("key", attribute.name)
                json.name("value")
                json.object { json in
                    switch attribute.value {
                    case .text(let text): json.field("stringValue", text)
                    case .integer(let number): json.field("intValue", String(number))
                    case .bool(let flag): json.field("boolValue", flag)
                    }
                }
            }
        }
    }
}
