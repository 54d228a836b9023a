package import Foundation

/// The header field `Retry-After` (RFC 9110, section 10.2.3): seconds, or a date in one of three forms (5.6.7).
package enum RetryAfter {
    /// How long to wait, at least zero; nil for what is neither.
    package static func duration(_ value: String, now: Date) -> Duration? {
        let text = value.filter { $0 != "\t" }.split(separator: " ").joined(separator: " ")
        guard !text.isEmpty, text.utf8.count <= 64 else { return nil }
        if text.utf8.allSatisfy(isDigit) {
            // More than a day is never waited for; so many digits need not be read.
            return .seconds(min(Int64(text.prefix(9)) ?? 0, 999_999_999))
        }
        guard let date = date(of: text, now: now) else { return nil }
        let milliseconds = (date.timeIntervalSince(now) * 1000).rounded(.up)
        return .milliseconds(Int64(max(0, min(milliseconds, 1e12))))
    }

    /// `Sun, 06 Nov 1994 08:49:37 GMT`, `Sunday, 06-Nov-94 08:49:37 GMT` or `Sun Nov  6 08:49:37 1994`.
    static func date(of text: String, now: Date) -> Date? {
        let words = text.split(whereSeparator: { $0 == " " || $0 == "," || $0 == "-" })
        switch words.count {
        case 6 where words[5] == "GMT":
            guard let year = number(words[3], digits: 2...4) else { return nil }
            let full = words[3].utf8.count == 2 ? self.full(year, now: now) : year
            return date(day: words[1], month: words[2], year: full, time: words[4])
        case 5:
            guard let year = number(words[4], digits: 4...4) else { return nil }
            return date(day: words[2], month: words[1], year: year, time: words[3])
        default: return nil
        }
    }

    /// The year that two digits mean: the latest one with them that is not more than 50 years ahead.
    private static func full(_ digits: Int, now: Date) -> Int {
        let latest = calendar.component(.year, from: now) + 50
        return latest - (latest - digits) % 100
    }

    private static func date(day: Substring, month: Substring, year: Int, time: Substring) -> Date? {
        let clock = time.split(separator: ":", omittingEmptySubsequences: false).map { number($0, digits: 2...2) }
        guard let day = number(day, digits: 1...2), let place = months.firstIndex(of: month), clock.count == 3,
            let hour = clock[0], let minute = clock[1], let second = clock[2], year >= 1970, hour < 24, minute < 60,
            // 60 is a leap second.
            second <= 60
        else { return nil }
        var parts = DateComponents()
        (parts.year, parts.month, parts.day) = (year, place + 1, day)
        (parts.hour, parts.minute, parts.second) = (hour, minute, min(second, 59))
        guard let date = calendar.date(from: parts), calendar.component(.day, from: date) == day else { return nil }
        return date
    }

    private static let months: [Substring] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    private static let calendar: Calendar = {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        return calendar
    }()

    private static func number(_ text: Substring, digits: ClosedRange<Int>) -> Int? {
        guard digits.contains(text.utf8.count), text.utf8.allSatisfy(isDigit) else { return nil }
        return Int(text)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}
