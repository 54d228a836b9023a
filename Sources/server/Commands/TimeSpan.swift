internal import ArgumentParser
internal import Foundation

/// A length of time as people write it: `90d`, `12h`, `30m`, `2w`, `1y`.
struct TimeSpan: ExpressibleByArgument, Equatable {
    let seconds: TimeInterval

    private static let units: [Character: TimeInterval] = [
        "m": 60, "h": 3_600, "d": 86_400, "w": 7 * 86_400, "y": 365 * 86_400,
    ]
    /// A hundred years; whoever wants more wants no end.
    private static let longest: TimeInterval = 100 * 365 * 86_400

    /// Reads a whole number above zero and one unit.
    init?(argument: String) {
        let digits = argument.dropLast()
        guard let unit = argument.last.flatMap({ Self.units[$0] }), (1...8).contains(digits.utf8.count),
            digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let count = TimeInterval(digits), count > 0,
            count * unit <= Self.longest
        else { return nil }
        seconds = count * unit
    }
}
