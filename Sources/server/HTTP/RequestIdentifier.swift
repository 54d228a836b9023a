import Synchronization

/// The ids that tie a reply to its log lines.
package enum RequestIdentifier {
    package static let maxBytes = 128

    /// The client's id, if it is 1 to 128 visible ASCII characters and so safe in a header and a log line.
    package static func accepted(_ candidate: String?) -> String? {
        guard let candidate, !candidate.isEmpty, candidate.utf8.count <= maxBytes,
            candidate.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        else { return nil }
        return candidate
    }

    private static let process = UInt64.random(in: .min ... .max)
    private static let counter = Atomic<UInt64>(0)

    /// A new id: 32 hexadecimal digits, unique within the process and, by its random half, among replicas.
    package static func make() -> String {
        let serial = counter.add(1, ordering: .relaxed).newValue
        return hexadecimal(process) + hexadecimal(serial)
    }

    private static func hexadecimal(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
