/// Counts since the start, for whoever publishes them.
package struct OutboundStatistics: Sendable, Equatable {
    /// Transfers that ended, by `ok` or the code of the error. A redirect is a transfer of its own.
    package fileprivate(set) var transfers: [String: Int] = [:]
    /// Bytes of bodies and messages on the wire, without heads.
    package fileprivate(set) var sentBytes = 0
    package fileprivate(set) var receivedBytes = 0
    /// Transfers under way, and those that wait for their turn.
    package internal(set) var underWay = 0
    package internal(set) var waiting = 0

    package init() {}

    mutating func count(_ failure: OutboundError.Code?, sentBytes: Int = 0, receivedBytes: Int = 0) {
        transfers[failure?.rawValue ?? "ok", default: 0] += 1
        self.sentBytes += sentBytes
        self.receivedBytes += receivedBytes
    }
}
