/// When something comes due, as cron writes it: minute, hour, day of the month, month, day of the week.
///
/// Fields take `*`, numbers, ranges (`9-17`), lists (`1,15`), steps over a range or `*` (`*/5`, `8-18/2`), and names of
/// months and days (`jan`, `mon`). `@yearly`, `@annually`, `@monthly`, `@weekly`, `@daily`, `@midnight` and `@hourly`
/// stand for whole expressions. As in Vixie's cron, a day has to meet both of its fields where one begins with `*`, and
/// one of them where neither does.
///
/// Source: crontab(5), P. Vixie; the fields of POSIX.1-2017, crontab.
package struct CronExpression: Sendable, Equatable {
    /// A mistake in an expression.
    package struct Problem: Error, Sendable, Equatable, CustomStringConvertible {
        /// Nil where the expression as a whole is wrong.
        package let field: Field?
        package let message: String

        package var description: String { field.map { "\($0.name): \(message)" } ?? message }
    }

    /// The fields in the order of the text.
    package enum Field: Int, Sendable, CaseIterable {
        case minute, hour, dayOfMonth, month, dayOfWeek

        package var name: String {
            switch self {
            case .minute: "minute"
            case .hour: "hour"
            case .dayOfMonth: "day of the month"
            case .month: "month"
            case .dayOfWeek: "day of the week"
            }
        }

        /// 7 is Sunday, as 0 is.
        var range: ClosedRange<Int> {
            switch self {
            case .minute: 0...59
            case .hour: 0...23
            case .dayOfMonth: 1...31
            case .month: 1...12
            case .dayOfWeek: 0...7
            }
        }

        /// The name of the range's first number, and those after it.
        var names: [String] {
            switch self {
            case .minute, .hour, .dayOfMonth: []
            case .month: ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
            case .dayOfWeek: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
            }
        }
    }

    /// More than this is no schedule that a person wrote.
    static let maximumBytes = 256

    /// As it was given, with single spaces.
    package let text: String
    /// Bit n of each field is set where n is in it; of days of the week, bit 0 is Sunday and bit 7 is never set.
    private let sets: [UInt64]
    /// Whether a day that meets one of its two fields is enough.
    private let isEitherDay: Bool
    /// Minutes of the day at which it comes due on the days that fit, ascending.
    let minutesOfDay: [Int]

    /// - Throws: `Problem`, which names the field.
    package init(_ given: String) throws(Problem) {
        guard given.utf8.count <= Self.maximumBytes else {
            throw Problem(field: nil, message: "an expression has at most \(Self.maximumBytes) bytes")
        }
        let parts = given.split { $0 == " " || $0 == "\t" }.map(String.init)
        text = parts.joined(separator: " ")
        let fields = try Self.fields(parts)
        var sets: [UInt64] = []
        for field in Field.allCases { sets.append(try CronField(field, fields[field.rawValue]).numbers) }
        self.sets = sets
        isEitherDay =
            !fields[Field.dayOfMonth.rawValue].hasPrefix("*") && !fields[Field.dayOfWeek.rawValue].hasPrefix("*")
        let minutes = (0..<60).filter { sets[Field.minute.rawValue] >> UInt64($0) & 1 == 1 }
        let hours = (0..<24).filter { sets[Field.hour.rawValue] >> UInt64($0) & 1 == 1 }
        minutesOfDay = hours.flatMap { hour in minutes.map { hour * 60 + $0 } }
    }

    private static let shorthands = [
        "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0",
        "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
    ]

    private static func fields(_ parts: [String]) throws(Problem) -> [String] {
        if let first = parts.first, first.hasPrefix("@") {
            guard parts.count == 1, let long = shorthands[first.lowercased()] else {
                let known = shorthands.keys.sorted().joined(separator: ", ")
                throw Problem(field: nil, message: "“\(parts.joined(separator: " "))” is none of \(known)")
            }
            return long.split(separator: " ").map(String.init)
        }
        guard parts.count == Field.allCases.count else {
            throw Problem(
                field: nil,
                message: "an expression has five fields (minute, hour, day of the month, month, day of the week), not "
                    + "\(parts.count)")
        }
        return parts
    }

    /// Whether `number` is in a field's set.
    package func contains(_ number: Int, in field: Field) -> Bool {
        (0..<64).contains(number) && sets[field.rawValue] >> UInt64(number) & 1 == 1
    }

    /// Whether it comes due at any time of a day.
    ///
    /// - Parameter dayOfWeek: 0 for Sunday.
    package func matches(month: Int, dayOfMonth: Int, dayOfWeek: Int) -> Bool {
        guard contains(month, in: .month) else { return false }
        let isDay = contains(dayOfMonth, in: .dayOfMonth)
        let isWeekday = contains(dayOfWeek, in: .dayOfWeek)
        return isEitherDay ? isDay || isWeekday : isDay && isWeekday
    }
}

extension CronExpression: CustomStringConvertible {
    package var description: String { text }
}
