import Foundation
import Platform
import Store
import TestSupport
import Testing

struct CronExpressionTests {
    private func time(_ text: String) throws -> Date { try #require(SQLTime.date(of: text + ":00.000Z")) }

    private func zone(_ name: String) throws -> TimeZone { try #require(TimeZone(identifier: name)) }

    private func times(_ expression: String, after start: String, zone name: String, count: Int) throws -> [String] {
        let (expression, zone) = (try CronExpression(expression), try zone(name))
        var found: [String] = []
        var date = try time(start)
        while found.count < count, let next = expression.next(after: date, in: zone) {
            found.append(String(SQLTime.text(of: next).prefix(16)))
            date = next
        }
        return found
    }

    // MARK: Reading

    @Test(arguments: [
        ("*/15 * * * *", "0,15,30,45 0-23 1-31 1-12 0-6"), ("5-20/5 1 1 1 1", "5,10,15,20 1 1 1 1"),
        ("0 0 * JAN-Mar mon-FRI", "0 0 1-31 1,2,3 1,2,3,4,5"), ("0 0 * * 7", "0 0 * * sun"),
        ("0 0 * * fri-sun", "0 0 * * 0,5,6"), ("0 0 * * 5-7", "0 0 * * 0,5,6"), ("0 0 * * sun-tue", "0 0 * * 0-2"),
        ("@hourly", "0 * * * *"), ("@Daily", "0 0 * * *"), ("@midnight", "0 0 * * *"), ("@weekly", "0 0 * * 0"),
        ("@monthly", "0 0 1 * *"), ("@yearly", "0 0 1 1 *"), ("@annually", "0 0 1 1 *"),
        ("  0\t0  1,1 *   * ", "0 0 1 * *"), ("59/1 0 1 1 0", nil), ("0 0 * * */7", "0 0 * * 0"),
    ])
    func `fields are read as cron reads them`(given: String, same: String?) throws {
        guard let same else {
            #expect(throws: CronExpression.Problem.self) { try CronExpression(given) }
            return
        }
        let (left, right) = (try CronExpression(given), try CronExpression(same))
        for field in CronExpression.Field.allCases {
            for number in 0..<64 {
                #expect(left.contains(number, in: field) == right.contains(number, in: field), "\(field) \(number)")
            }
        }
    }

    @Test(arguments: [
        ("60 * * * *", CronExpression.Field.minute, "60"), ("* 24 * * *", .hour, "24"), ("* * 0 * *", .dayOfMonth, "0"),
        ("* * 32 * *", .dayOfMonth, "32"), ("* * * 13 *", .month, "13"), ("* * * foo *", .month, "foo"),
        ("* * * * 8", .dayOfWeek, "8"), ("5-1 * * * *", .minute, "5-1"), ("*/0 * * * *", .minute, "0"),
        ("1,,2 * * * *", .minute, "empty"), ("-1 * * * *", .minute, "“”"), ("+1 * * * *", .minute, "+1"),
        ("1/5 * * * *", .minute, "write 1-59/5"), ("* jan * * *", .hour, "jan"), ("* * * jan/2 *", .month, "jan"),
        ("* * ? * *", .dayOfMonth, "?"), ("*-5 * * * *", .minute, "*"), ("1-2-3 * * * *", .minute, "2-3"),
        ("*/60 * * * *", .minute, "60"), ("٣ * * * *", .minute, "٣"), ("* * * * mon-", .dayOfWeek, "“”"),
    ])
    func `a mistake names its field`(given: String, field: CronExpression.Field, word: String) throws {
        let problem = try #require(throws: CronExpression.Problem.self) { try CronExpression(given) }
        #expect(problem.field == field)
        #expect(problem.description.hasPrefix(field.name) && problem.description.contains(word), "\(problem)")
    }

    @Test(arguments: [
        "", " ", "* * * *", "* * * * * *", "@reboot", "@daily 1", "@", String(repeating: "*", count: 300),
    ])
    func `what is no expression is refused as a whole`(given: String) throws {
        let problem = try #require(throws: CronExpression.Problem.self) { try CronExpression(given) }
        #expect(problem.field == nil && !problem.description.isEmpty)
    }

    @Test func `whatever is typed is read or refused`() throws {
        var generator = SeededGenerator(seed: 0x5EED_0C10)
        let alphabet = Array("0123456789*/,- \tjanmonSUN@?+.é")
        var accepted = 0
        for _ in 0..<5_000 {
            var text = String(
                (0..<Int.random(in: 0...14, using: &generator)).map { _ in
                    alphabet[Int.random(in: 0..<alphabet.count, using: &generator)]
                })
            if Bool.random(using: &generator) { text = RandomCron.text(using: &generator) + text.prefix(1) }
            guard let expression = try? CronExpression(text) else { continue }
            accepted += 1
            for (field, range) in zip(CronExpression.Field.allCases, [0...59, 0...23, 1...31, 1...12, 0...6]) {
                let numbers = (0..<64).filter { expression.contains($0, in: field) }
                guard numbers.isEmpty || !numbers.allSatisfy(range.contains) else { continue }
                Issue.record("\(text) has \(numbers) as its \(field.name) \(generator)")
            }
            let again = try CronExpression(expression.text)
            #expect(again == expression, "\(text) \(generator)")
        }
        #expect(accepted > 200)
    }

    // MARK: Times

    @Test func `next is after, not at, the given moment`() throws {
        #expect(
            try times("30 9 * * *", after: "2026-02-26T09:30", zone: "UTC", count: 2)
                == ["2026-02-27T09:30", "2026-02-28T09:30"])
        #expect(try times("30 9 * * *", after: "2026-02-26T09:29", zone: "UTC", count: 1) == ["2026-02-26T09:30"])
    }

    @Test func `a day meets one of two restricted day fields, and both where one begins with a star`() throws {
        // Friday the 13th or any Friday or any 13th.
        #expect(
            try times("0 0 13 * fri", after: "2026-03-01T00:00", zone: "UTC", count: 4)
                == ["2026-03-06T00:00", "2026-03-13T00:00", "2026-03-20T00:00", "2026-03-27T00:00"])
        #expect(
            try times("0 0 13 * sat", after: "2026-03-08T00:00", zone: "UTC", count: 2)
                == ["2026-03-13T00:00", "2026-03-14T00:00"])
        // Odd days that are Mondays.
        #expect(
            try times("0 0 */2 * mon", after: "2026-03-01T00:00", zone: "UTC", count: 3)
                == ["2026-03-09T00:00", "2026-03-23T00:00", "2026-04-13T00:00"])
    }

    @Test func `29 February is found across a century without one, 30 February never`() throws {
        #expect(try times("0 0 29 2 *", after: "2096-03-01T00:00", zone: "UTC", count: 1) == ["2104-02-29T00:00"])
        #expect(try times("0 0 30 2 *", after: "2026-01-01T00:00", zone: "Europe/Berlin", count: 1).isEmpty)
        #expect(try times("0 0 31 2,4,6,9,11 *", after: "2026-01-01T00:00", zone: "UTC", count: 1).isEmpty)
        let impossible = try CronExpression("0 0 30 2 *")
        #expect(impossible.last(upTo: try time("2026-01-01T00:00"), after: .distantPast, in: .gmt) == nil)
    }

    @Test func `a time that spring leaves out comes due at the next minute there is`() throws {
        // Berlin goes from 02:00 to 03:00 at 01:00 UTC.
        #expect(
            try times("30 2 * * *", after: "2026-03-28T12:00", zone: "Europe/Berlin", count: 2)
                == ["2026-03-29T01:00", "2026-03-30T00:30"])
        // Those of the hour that is left out come due together, and once with the hour after it.
        #expect(
            try times("*/20 2-3 * * *", after: "2026-03-29T00:30", zone: "Europe/Berlin", count: 4)
                == ["2026-03-29T01:00", "2026-03-29T01:20", "2026-03-29T01:40", "2026-03-30T00:00"])
        // Lord Howe's summer time is half an hour: 02:00 to 02:30 at 15:30 UTC.
        #expect(
            try times("10 2 * * *", after: "2026-10-03T00:00", zone: "Australia/Lord_Howe", count: 2)
                == ["2026-10-03T15:30", "2026-10-04T15:10"])
        // Samoa left out a day.
        #expect(
            try times("0 12 * * *", after: "2011-12-29T12:00", zone: "Pacific/Apia", count: 3)
                == ["2011-12-29T22:00", "2011-12-30T10:00", "2011-12-30T22:00"])
    }

    @Test func `a time that autumn brings twice comes due the first time`() throws {
        #expect(
            try times("30 2 * * *", after: "2026-10-24T12:00", zone: "Europe/Berlin", count: 2)
                == ["2026-10-25T00:30", "2026-10-26T01:30"])
        #expect(
            try times("30 1 1 11 *", after: "2026-10-31T00:00", zone: "America/New_York", count: 1)
                == ["2026-11-01T05:30"])
    }

    @Test func `days are those of the zone`() throws {
        #expect(
            try times("0 0 * * mon", after: "2026-03-01T00:00", zone: "Asia/Kolkata", count: 1)
                == ["2026-03-01T18:30"])
    }

    @Test func `the search ends for any moment`() throws {
        let expression = try CronExpression("0 0 29 2 *")
        for seconds in [-1e300, -1e18, 1e18, 1e300, .infinity, -.infinity, .nan] {
            let date = Date(timeIntervalSince1970: seconds)
            _ = expression.next(after: date, in: try zone("Europe/Berlin"))
            _ = expression.last(upTo: date, after: .distantPast, in: try zone("Europe/Berlin"))
        }
    }
}

/// The search against a walk from minute to minute.
struct CronOracleTests {
    private static let zones: [(name: String, moments: [String])] = [
        ("UTC", []),
        ("Europe/Berlin", ["2026-03-29T01:00", "2026-10-25T01:00"]),
        ("America/New_York", ["2026-03-08T07:00", "2026-11-01T06:00"]),
        ("Asia/Kolkata", []),
        ("Australia/Lord_Howe", ["2026-10-03T15:30", "2026-04-04T15:00"]),
        // Goes back at one minute past midnight, into the day before.
        ("America/St_Johns", ["2008-11-02T02:31", "2008-03-09T03:31"]),
        // Left out a whole day.
        ("Pacific/Apia", ["2011-12-30T10:00"]),
    ]

    /// Where an expression comes due in a stretch of minutes, found the slow way.
    private static func walk(_ expression: CronExpression, from start: Int, minutes: Int, zone: TimeZone) -> [Int] {
        /// The wall's minutes, as if they were UTC.
        func wall(_ minute: Int) -> Int {
            minute + zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(minute * 60))) / 60
        }
        // Foundation's calendar is slow: it is asked once for each day.
        var days: [Int: Bool] = [:]
        func isDay(_ day: Int) -> Bool {
            if let known = days[day] { return known }
            let fields = Calendar.utc.dateComponents(
                [.day, .month, .weekday], from: Date(timeIntervalSince1970: Double(day * 86_400)))
            guard let month = fields.month, let dayOfMonth = fields.day, let weekday = fields.weekday else {
                return false
            }
            days[day] = expression.matches(month: month, dayOfMonth: dayOfMonth, dayOfWeek: weekday - 1)
            return days[day] ?? false
        }
        func isDue(_ wall: Int) -> Bool {
            expression.contains(wall % 60, in: .minute) && expression.contains(wall / 60 % 24, in: .hour)
                && isDay(wall / 1440)
        }
        // Long enough before to know what the wall has shown already.
        var latest = (start - 1_600..<start).map(wall).max() ?? 0
        var due: [Int] = []
        for minute in start..<(start + minutes) {
            let shown = wall(minute)
            // What is new on the wall, with all that was left out before it.
            if shown > latest, ((latest + 1)...shown).contains(where: isDue) { due.append(minute) }
            latest = max(latest, shown)
        }
        return due
    }

    @Test(arguments: 0..<7)
    func `times are those of a walk from minute to minute`(place: Int) throws {
        let (name, changes) = Self.zones[place]
        let zone = try #require(TimeZone(identifier: name))
        var generator = SeededGenerator(seed: 0xC120_0000 + UInt64(place))
        var compared = 0
        for round in 0..<40 {
            let expression = try CronExpression(RandomCron.text(using: &generator))
            var start = Int.random(in: 26_000_000..<31_000_000, using: &generator)
            if !changes.isEmpty, round % 4 != 0 {
                let change = try #require(SQLTime.date(of: changes[round % changes.count] + ":00.000Z"))
                start = Int(change.timeIntervalSince1970) / 60 - Int.random(in: 0..<2_000, using: &generator)
            }
            let minutes = 3_000
            let expected = Self.walk(expression, from: start, minutes: minutes, zone: zone)
            let begin = Date(timeIntervalSince1970: Double(start * 60) - 0.5)
            let end = Date(timeIntervalSince1970: Double((start + minutes) * 60) - 0.5)
            var found: [Int] = []
            var date = begin
            while let next = expression.next(after: date, in: zone), next < end {
                found.append(Int(next.timeIntervalSince1970) / 60)
                date = next
            }
            #expect(found == expected, "\(expression) \(name) from minute \(start) \(generator)")
            for _ in 0..<8 {
                let low = Date(timeInterval: .random(in: 0..<200_000, using: &generator), since: begin)
                let high = Date(timeInterval: .random(in: 1..<200_000, using: &generator), since: low)
                guard high < end else { continue }
                let last = expected.map { Date(timeIntervalSince1970: Double($0 * 60)) }.last { $0 > low && $0 <= high }
                #expect(
                    expression.last(upTo: high, after: low, in: zone) == last,
                    "\(expression) \(name) up to \(high) after \(low) \(generator)")
            }
            compared += expected.count
        }
        #expect(compared > 100)
    }
}

/// Expressions of every form.
enum RandomCron {
    static func text(using generator: inout SeededGenerator) -> String {
        let fields: [(ClosedRange<Int>, [String])] = [
            (0...59, []), (0...23, []), (1...31, []),
            (1...12, ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]),
            (0...7, ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]),
        ]
        return fields.enumerated().map { place, field in
            // Months are mostly left open, or hardly anything would come due in a few days.
            let isOpen = Int.random(in: 0..<100, using: &generator) < (place >= 3 ? 80 : place == 2 ? 65 : 25)
            if isOpen { return "*" }
            return (0..<Int.random(in: 1...3, using: &generator))
                .map { _ in element(field.0, names: field.1, using: &generator) }.joined(separator: ",")
        }.joined(separator: " ")
    }

    private static func element(
        _ range: ClosedRange<Int>, names: [String], using generator: inout SeededGenerator
    ) -> String {
        func number(_ value: Int) -> String {
            let name = value - range.lowerBound
            return names.indices.contains(name) && Bool.random(using: &generator) ? names[name] : String(value)
        }
        let step = "/\(Int.random(in: 1...range.upperBound, using: &generator))"
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: return "*" + step
        case 1:
            let first = Int.random(in: range, using: &generator)
            let last = Int.random(in: first...range.upperBound, using: &generator)
            return "\(number(first))-\(number(last))" + (Bool.random(using: &generator) ? step : "")
        default: return number(Int.random(in: range, using: &generator))
        }
    }
}

extension Calendar {
    fileprivate static let utc: Calendar = {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        return calendar
    }()
}
