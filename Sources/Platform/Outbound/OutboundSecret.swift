/// A password or key that appears in no description, log or dump.
package struct OutboundSecret: Sendable, Equatable {
    /// The secret itself, for the one place that sends it.
    package let exposed: String

    package init(_ text: String) { exposed = text }
}

extension OutboundSecret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "(secret)" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
