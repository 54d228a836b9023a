package import Foundation

extension ISO8601 {
    /// Reads a moment with its zone: `2027-01-31T12:00:00Z`, `2027-01-31T14:00:00.500+02:00`; nil for anything else.
    package static func date(from text: String) -> Date? {
        for hasFraction in [false, true] {
            let style = Date.ISO8601FormatStyle(includingFractionalSeconds: hasFraction)
            if let date = try? style.parse(text) { return date }
        }
        return nil
    }
}
