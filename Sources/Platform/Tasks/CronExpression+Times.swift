package import Foundation

/// From an expression to moments, in a time zone.
///
/// Where the clocks go forward, times that are left out come due at the next minute there is; where they go back, times
/// that come twice come due the first time. So each wall-clock time of a day comes due once, at times that never run
/// backwards, which is what lets the search go day by day.
extension CronExpression {
    /// Within so many days every expression that ever comes due does: 29 February may be eight years away (1896 to 1904,
    /// 2096 to 2104).
    private static let horizonDays = 8 * 366 + 2

    /// The first moment after `date` at which it comes due, or nil where it never does (30 February).
    ///
    /// - Complexity: O(horizon in days) at worst, whatever the expression.
    package func next(after date: Date, in zone: TimeZone) -> Date? {
        let clock = WallClock(zone)
        let start = clock.day(of: date)
        // The day before may have times that were moved into this one.
        for day in (start - 1)...(start + Self.horizonDays) where matches(day: day) {
            let wall = clock.wall(of: day)
            let place = countOfMinutes(upTo: date, on: wall)
            if place < minutesOfDay.count { return wall.moment(of: minutesOfDay[place]) }
        }
        return nil
    }

    /// The last moment up to and with `date`, but after `earliest`, at which it came due, or nil.
    ///
    /// - Complexity: as `next`, however far apart the two are.
    package func last(upTo date: Date, after earliest: Date, in zone: TimeZone) -> Date? {
        guard earliest < date else { return nil }
        let clock = WallClock(zone)
        // A clock that goes back over midnight shows the day before again, after the first times of the next.
        let end = clock.day(of: date) + 1
        let start = max(clock.day(of: earliest) - 1, end - Self.horizonDays)
        for day in stride(from: end, through: start, by: -1) where matches(day: day) {
            let wall = clock.wall(of: day)
            let count = countOfMinutes(upTo: date, on: wall)
            guard count > 0 else { continue }
            let found = wall.moment(of: minutesOfDay[count - 1])
            return found > earliest ? found : nil
        }
        return nil
    }

    /// How many of the day's times have come by a moment, by halving: each is a look into the zone's table.
    private func countOfMinutes(upTo date: Date, on wall: WallClock.Day) -> Int {
        var (low, high) = (0, minutesOfDay.count)
        while low < high {
            let middle = (low + high) / 2
            if wall.moment(of: minutesOfDay[middle]) <= date { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private func matches(day: Int) -> Bool {
        let (month, dayOfMonth) = CivilDay.monthAndDay(of: day)
        return matches(month: month, dayOfMonth: dayOfMonth, dayOfWeek: CivilDay.dayOfWeek(of: day))
    }
}

/// Days counted from 1970-01-01 in the Gregorian calendar.
enum CivilDay {
    /// Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`; years start in March.
    static func monthAndDay(of day: Int) -> (month: Int, day: Int) {
        let shifted = day + 719_468
        let ofEra = ((shifted % 146_097) + 146_097) % 146_097
        let yearOfEra = (ofEra - ofEra / 1460 + ofEra / 36_524 - ofEra / 146_096) / 365
        let dayOfYear = ofEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let dayOfMonth = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        return (monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9, dayOfMonth)
    }

    /// 0 for Sunday; 1970-01-01 was a Thursday.
    static func dayOfWeek(of day: Int) -> Int { ((day + 4) % 7 + 7) % 7 }
}

/// The clock on the wall in a time zone.
///
/// Own arithmetic over the zone's offsets: Foundation's Calendar takes microseconds for each step and has rules of its
/// own for times that are left out or come twice.
struct WallClock {
    private static let daySeconds = 86_400
    private let zone: TimeZone

    init(_ zone: TimeZone) { self.zone = zone }

    /// The day that the calendar shows at a moment.
    func day(of date: Date) -> Int {
        let given = date.timeIntervalSince1970
        // The years 0 to 9999, as the store holds them: Int has no room for every Double.
        let seconds = given.isNaN ? 0 : Int(min(max(given.rounded(.down), -62_167_219_200), 253_402_300_799))
        return Self.floorDivide(seconds + offset(at: seconds), Self.daySeconds)
    }

    /// What the clock shows on one day.
    struct Day {
        fileprivate let clock: WallClock
        /// Seconds as if the wall's clock were UTC.
        fileprivate let midnight: Int
        /// That of the whole day, where there is one.
        fileprivate let offset: Int?

        /// When a minute of the day comes, never earlier than the one before it.
        func moment(of minute: Int) -> Date {
            let wall = midnight + minute * 60
            return Date(timeIntervalSince1970: Double(offset.map { wall - $0 } ?? clock.moment(ofWall: wall)))
        }
    }

    func wall(of day: Int) -> Day {
        let midnight = day * Self.daySeconds
        // No zone changes its offset and back again within three days.
        let before = offset(at: midnight - Self.daySeconds)
        let isSteady = before == offset(at: midnight + 2 * Self.daySeconds)
        return Day(clock: self, midnight: midnight, offset: isSteady ? before : nil)
    }

    /// When the wall's clock shows `wall` (seconds as if it were UTC) for the first time, or the next thing it shows.
    fileprivate func moment(ofWall wall: Int) -> Int {
        // Offsets lie between -12 and +14 hours, so a day to either side is before and after any change around `wall`.
        let before = offset(at: wall - Self.daySeconds)
        let after = offset(at: wall + Self.daySeconds)
        for offset in [before, after].sorted(by: >) where self.offset(at: wall - offset) == offset {
            return wall - offset
        }
        return change(from: wall - Self.daySeconds, to: wall + Self.daySeconds, awayFrom: before)
    }

    /// The first second after `low` at which the offset is another than `offset`, which it is at `high`.
    private func change(from low: Int, to high: Int, awayFrom offset: Int) -> Int {
        var (low, high) = (low, high)
        while high - low > 1 {
            let middle = low + (high - low) / 2
            if self.offset(at: middle) == offset { low = middle } else { high = middle }
        }
        return high
    }

    private func offset(at seconds: Int) -> Int {
        zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(seconds)))
    }

    private static func floorDivide(_ value: Int, _ divisor: Int) -> Int {
        let quotient = value / divisor
        return value % divisor < 0 ? quotient - 1 : quotient
    }
}
