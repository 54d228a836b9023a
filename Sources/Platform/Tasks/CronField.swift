/// One field of a cron expression, read.
struct CronField {
    typealias Problem = CronExpression.Problem

    private let field: CronExpression.Field
    /// Bit n is set where n is in the field.
    private(set) var numbers: UInt64 = 0

    /// - Throws: `Problem`, which names the field.
    init(_ field: CronExpression.Field, _ text: String) throws(Problem) {
        self.field = field
        for element in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard !element.isEmpty else { throw problem("“\(text)” has an empty element") }
            try add(element)
        }
        // 7 is another name of Sunday.
        if field == .dayOfWeek, numbers >> 7 & 1 == 1 { numbers = numbers & 0x7F | 1 }
    }

    private mutating func add(_ element: Substring) throws(Problem) {
        let parts = element.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let (range, isRange) = try range(parts[0])
        var step = 1
        if parts.count == 2 {
            guard isRange else {
                throw problem(
                    "“\(element)” has a step and no range: write \(parts[0])-\(field.range.upperBound)/\(parts[1])")
            }
            guard let number = Self.number(parts[1]), (1...field.range.upperBound).contains(number) else {
                throw problem("“\(parts[1])” is no step from 1 to \(field.range.upperBound)")
            }
            step = number
        }
        for number in stride(from: range.lowerBound, through: range.upperBound, by: step) { numbers |= 1 << number }
    }

    private func range(_ text: Substring) throws(Problem) -> (range: ClosedRange<Int>, isRange: Bool) {
        if text == "*" {
            // 7 would make Sunday fit a step that leaves it out.
            return (field == .dayOfWeek ? 0...6 : field.range, true)
        }
        let ends = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        let first = try value(ends[0])
        guard ends.count == 2 else { return (first...first, false) }
        var last = try value(ends[1])
        // A week may end on a Sunday: fri-sun.
        if field == .dayOfWeek, last == 0, first > 0 { last = 7 }
        guard first <= last else { throw problem("the range “\(text)” ends before it begins") }
        return (first...last, true)
    }

    private func value(_ text: Substring) throws(Problem) -> Int {
        if let place = field.names.firstIndex(of: text.lowercased()) { return field.range.lowerBound + place }
        guard let number = Self.number(text) else {
            let names = field.names.isEmpty ? "" : ", and no name such as \(field.names[1])"
            throw problem("“\(text)” is no number\(names)")
        }
        guard field.range.contains(number) else {
            throw problem("\(number) is not from \(field.range.lowerBound) to \(field.range.upperBound)")
        }
        return number
    }

    /// One or two digits and nothing else: `Int` would take signs.
    private static func number(_ text: Substring) -> Int? {
        guard (1...2).contains(text.utf8.count), text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        return Int(text)
    }

    private func problem(_ message: String) -> Problem { Problem(field: field, message: message) }
}
