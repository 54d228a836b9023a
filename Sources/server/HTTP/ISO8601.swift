package import Foundation

/// Times as the API writes them: ISO 8601 in UTC with milliseconds, `2026-03-01T09:30:00.000Z`.
package enum ISO8601 {
    /// Formats a moment between the years 0 and 9999, rounded down to its millisecond; others are clamped.
    ///
    /// Foundation's formatters take microseconds to set up and lock inside; the civil calendar is twenty lines
    /// (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`).
    package static func string(from date: Date) -> String {
        let seconds = date.timeIntervalSince1970
        let bounded = seconds.isNaN ? 0 : min(max(seconds, -62_167_219_200), 253_402_300_799.999)
        // Rounding to the microsecond first keeps 0.123 from becoming 0.122999… and then .122.
        let milliseconds = Int((bounded * 1_000_000).rounded()).flooredDivision(by: 1000)
        let days = milliseconds.flooredDivision(by: 86_400_000)
        let time = milliseconds - days * 86_400_000
        let (year, month, day) = civil(fromDays: days)
        var text = ""
        text.reserveCapacity(24)
        text.append("\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))T")
        text.append("\(padded(time / 3_600_000, 2)):\(padded(time / 60_000 % 60, 2)):")
        text.append("\(padded(time / 1000 % 60, 2)).\(padded(time % 1000, 3))Z")
        return text
    }

    /// Year, month and day of a count of days since 1970-01-01 in the proleptic Gregorian calendar.
    private static func civil(fromDays days: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = days + 719_468
        let era = shifted.flooredDivision(by: 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }

    private static func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}

extension Int {
    /// Division that rounds towards minus infinity, for moments before 1970.
    fileprivate func flooredDivision(by divisor: Int) -> Int {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}
