internal import Foundation

/// Where the text format of the log goes: standard error, one line an event whatever is in it.
///
/// A line break inside an event would pose as the next one, and an escape sequence would reach the terminal of whoever
/// reads the log. Both are written out, as `\n` and `\u{1B}`; JSON cannot hold them raw.
package struct TextLogStream: TextOutputStream, Sendable {
    private let output: @Sendable (String) -> Void

    /// - Parameter write: takes each line with its line break; standard error where nil.
    package init(write: (@Sendable (String) -> Void)? = nil) {
        // One call a line: lines of different threads do not mix.
        output = write ?? { line in try? FileHandle.standardError.write(contentsOf: Data(line.utf8)) }
    }

    /// - Parameter event: whole, with its line break, as `StreamLogHandler` hands it over.
    package mutating func write(_ event: String) { output(Self.line(of: event)) }

    static func line(of event: String) -> String {
        var scalars = event.unicodeScalars[...]
        if scalars.last == "\n" { scalars.removeLast() }
        var line = ""
        for scalar in scalars {
            if breaks(scalar) {
                line += scalar.escaped(asASCII: true)
            } else {
                line.unicodeScalars.append(scalar)
            }
        }
        return line + "\n"
    }

    /// Whether a reader may take it for the end of a line or a command to the terminal.
    private static func breaks(_ scalar: Unicode.Scalar) -> Bool {
        // Most are neither, and told fast.
        if scalar.isASCII { return scalar.value < 0x20 || scalar.value == 0x7F }
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: return true
        default: return false
        }
    }
}
