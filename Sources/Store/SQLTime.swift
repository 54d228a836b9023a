package import Foundation

/// Times as the database holds them: `2026-02-26T09:30:00.125Z`, whose order as text is their order in time.
///
/// Written by hand because Foundation's formatters cut, not round, to milliseconds, and because text of one
/// fixed length is what makes the two orders agree.
package enum SQLTime {
    /// Milliseconds from 1970 to the first moment of the years 0 and 10000, between which the text has its length.
    private static let range = -62_167_219_200_000...253_402_300_799_999

    /// ISO 8601 in UTC, rounded to the nearest millisecond and held within the years 0 to 9999.
    package static func text(of date: Date) -> String {
        let exact = (date.timeIntervalSince1970 * 1000).rounded()
        let bounded = min(max(exact, Double(range.lowerBound)), Double(range.upperBound))
        let milliseconds = Int(bounded)
        let (days, ofDay) = floorDivide(milliseconds, 86_400_000)
        let (year, month, day) = civil(days: days)
        let (seconds, fraction) = ofDay.quotientAndRemainder(dividingBy: 1000)
        var digits = Array("0000-00-00T00:00:00.000Z".utf8)
        write(year, into: &digits, endingAt: 4)
        write(month, into: &digits, endingAt: 7)
        write(day, into: &digits, endingAt: 10)
        write(seconds / 3600, into: &digits, endingAt: 13)
        write(seconds / 60 % 60, into: &digits, endingAt: 16)
        write(seconds % 60, into: &digits, endingAt: 19)
        write(fraction, into: &digits, endingAt: 23)
        return String(decoding: digits, as: UTF8.self)
    }

    /// The time that `text(of:)` wrote, or nil for any other form.
    package static func date(of text: String) -> Date? {
        let bytes = Array(text.utf8)
        guard bytes.count == 24, bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-"),
            bytes[10] == UInt8(ascii: "T"), bytes[13] == UInt8(ascii: ":"), bytes[16] == UInt8(ascii: ":"),
            bytes[19] == UInt8(ascii: "."), bytes[23] == UInt8(ascii: "Z")
        else { return nil }
        guard let year = number(bytes[0..<4]), let month = number(bytes[5..<7]), let day = number(bytes[8..<10]),
            let hour = number(bytes[11..<13]), let minute = number(bytes[14..<16]),
            let second = number(bytes[17..<19]), let fraction = number(bytes[20..<23]),
            (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second < 60
        else { return nil }
        let days = self.days(year: year, month: month, day: day)
        // A day that its month lacks (30 February) comes back as another one.
        guard civil(days: days) == (year, month, day) else { return nil }
        let milliseconds = ((days * 24 + hour) * 60 + minute) * 60_000 + second * 1000 + fraction
        return Date(timeIntervalSince1970: Double(milliseconds) / 1000)
    }

    // Both conversions: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms"; years start in March.

    private static func civil(days: Int) -> (year: Int, month: Int, day: Int) {
        let (era, ofEra) = floorDivide(days + 719_468, 146_097)
        let yearOfEra = (ofEra - ofEra / 1460 + ofEra / 36_524 - ofEra / 146_096) / 365
        let dayOfYear = ofEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }

    private static func days(year: Int, month: Int, day: Int) -> Int {
        let (era, yearOfEra) = floorDivide(month <= 2 ? year - 1 : year, 400)
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static func floorDivide(_ value: Int, _ divisor: Int) -> (quotient: Int, remainder: Int) {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }

    /// Writes a number that is not negative over zeros, its last digit before `end`.
    private static func write(_ value: Int, into digits: inout [UInt8], endingAt end: Int) {
        var (rest, place) = (value, end)
        while rest > 0 {
            place -= 1
            digits[place] = UInt8(ascii: "0") + UInt8(rest % 10)
            rest /= 10
        }
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
        var value = 0
        for digit in digits {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
            value = value * 10 + Int(digit - UInt8(ascii: "0"))
        }
        return value
    }
}
