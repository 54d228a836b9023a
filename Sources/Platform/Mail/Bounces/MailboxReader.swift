/// Splits what is read into messages: one message by itself, or a mailbox of many (mbox, RFC 4155).
///
/// A mailbox begins with a line `From …`, and so does each further message in it, after an empty line. Of a message, the
/// first part is kept up to a bound: in a report, what matters comes before the message that it returns.
package struct MailboxReader: Sendable {
    /// Of one message, in bytes.
    package static let maximumBytes = 1 << 20
    /// Of a line that is looked at as a whole; a longer one is taken in pieces.
    private static let maximumLine = 64 << 10
    private static let separator = Array("From ".utf8)

    private var done: [[UInt8]] = []
    private var message: [UInt8] = []
    private var line: [UInt8] = []
    private var isFirst = true
    private var isMailbox = false
    private var isAfterEmptyLine = false
    /// Whether `line` goes on a line whose beginning was taken already.
    private var isMidLine = false

    package init() {}

    /// Takes what comes next, cut anywhere.
    ///
    /// - Returns: the messages that are whole by now.
    package mutating func read(_ bytes: some Sequence<UInt8>) -> [[UInt8]] {
        for byte in bytes {
            line.append(byte)
            if byte == UInt8(ascii: "\n") {
                endLine()
            } else if line.count >= Self.maximumLine {
                keep()
                isMidLine = true
            }
        }
        return handOver()
    }

    /// The end of the input.
    ///
    /// - Returns: the last message, unless nothing is left.
    package mutating func finish() -> [[UInt8]] {
        if !line.isEmpty { endLine() }
        endMessage()
        return handOver()
    }

    private mutating func handOver() -> [[UInt8]] {
        defer { done.removeAll() }
        return done
    }

    private mutating func endLine() {
        let mayBegin = !isMidLine && (isFirst || isMailbox && isAfterEmptyLine)
        if mayBegin, line.starts(with: Self.separator) {
            endMessage()
            isMailbox = true
            isAfterEmptyLine = false
            line.removeAll(keepingCapacity: true)
        } else {
            isAfterEmptyLine = !isMidLine && (line == [0x0A] || line == [0x0D, 0x0A])
            keep()
        }
        isMidLine = false
        isFirst = false
    }

    private mutating func keep() {
        message += line.prefix(max(0, Self.maximumBytes - message.count))
        line.removeAll(keepingCapacity: true)
    }

    private mutating func endMessage() {
        // Empty lines between two messages are none.
        if message.contains(where: { $0 > 0x20 }) { done.append(message) }
        message.removeAll(keepingCapacity: true)
    }
}
