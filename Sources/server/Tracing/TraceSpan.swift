/// One piece of work that has ended.
package struct TraceSpan: Sendable, Equatable {
    /// Whose work it is, as OTLP numbers it.
    package enum Kind: Int, Sendable {
        case inside = 1
        /// Answers somebody.
        case server = 2
        /// Asks somebody.
        case client = 3
    }

    /// Numbers and words of a bounded set; never what people said.
    package enum Attribute: Sendable, Equatable {
        case text(String)
        case integer(Int)
        case bool(Bool)
    }

    package var trace: TraceParent.TraceID
    package var id: UInt64
    /// Nil at the root of the trace.
    package var parent: UInt64?
    package var name: String
    package var kind: Kind
    /// Nanoseconds since 1970.
    package var start: UInt64
    package var end: UInt64
    package var hasFailed: Bool
    package var attributes: [(name: String, value: Attribute)]

    package init(
        trace: TraceParent.TraceID, id: UInt64, parent: UInt64?, name: String, kind: Kind, start: UInt64, end: UInt64,
        hasFailed: Bool = false, attributes: [(name: String, value: Attribute)] = []
    ) {
        self.trace = trace
        self.id = id
        self.parent = parent
        self.name = name
        self.kind = kind
        self.start = start
        self.end = end
        self.hasFailed = hasFailed
        self.attributes = attributes
    }

    package static func == (left: TraceSpan, right: TraceSpan) -> Bool {
        left.trace == right.trace && left.id == right.id && left.parent == right.parent && left.name == right.name
            && left.kind == right.kind && left.start == right.start && left.end == right.end
            && left.hasFailed == right.hasFailed
            && left.attributes.elementsEqual(right.attributes) { $0.name == $1.name && $0.value == $1.value }
    }
}
