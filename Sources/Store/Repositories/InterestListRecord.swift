package import Foundation

/// What made a list, from the best to the last resort.
package enum ListOrigin: String, Sendable, CaseIterable {
    /// The engine alone.
    case engine
    /// The engine, with the wording and additions of a language model.
    case model
    /// Predefined: nothing else could be had. Outdated at once.
    case fallback
}

/// The careers for one input, shared by all students who gave it.
package struct InterestListRecord: Sendable, Equatable {
    /// Of the input.
    package let mark: String
    package let origin: ListOrigin
    /// A JSON array; sealed in the table, since its reasons tell what somebody said.
    package let document: String
    /// Careers in it.
    package let count: Int
    /// Of the index, where one was asked.
    package let generation: Int64?
    /// What models outside took for it.
    package let costNanodollars: Int64
    package let madeAt: Date
    /// The market that a model was told of when it answered; nil where none has.
    package let askedMarket: String?

    static let columns =
        "input_mark, origin, career_count, generation, cost_nanodollars, made_at, document, asked_market"

    package init(
        mark: String, origin: ListOrigin, document: String, count: Int, generation: Int64?, costNanodollars: Int64,
        madeAt: Date, askedMarket: String? = nil
    ) {
        self.mark = mark
        self.origin = origin
        self.document = document
        self.count = count
        self.generation = generation
        self.costNanodollars = costNanodollars
        self.madeAt = madeAt
        self.askedMarket = askedMarket
    }

    /// - Throws: `ColumnCipherError` where the document cannot be opened.
    init(_ row: SQLRow, cipher: any ColumnCipher) throws {
        mark = try row.text("input_mark")
        origin = try ListOrigin(column: "origin", of: row)
        document = try cipher.open(try row.text("document"), column: StudentRepository.listColumn)
        count = try row.int("career_count")
        generation = try row.generation("generation")
        costNanodollars = try row.integer("cost_nanodollars")
        madeAt = try row.time("made_at")
        askedMarket = try row.optionalText("asked_market")
    }
}

extension InterestListRecord: CustomStringConvertible, CustomReflectable {
    /// Without the document: a record may end in a message.
    package var description: String { "list of \(count) careers (\(origin.rawValue))" }
    package var customMirror: Mirror { Mirror(self, children: ["mark": mark, "origin": origin, "count": count]) }
}

/// Where one course leads.
package struct CoursePathsRecord: Sendable, Equatable {
    package let mark: String
    /// As it was written first; other cases and spacings have the same mark.
    package let course: String
    package let origin: ListOrigin
    /// A JSON array.
    package let document: String
    /// Paths in it.
    package let count: Int
    /// Of the index, where one was asked.
    package let generation: Int64?
    /// What models outside took for it.
    package let costNanodollars: Int64
    package let madeAt: Date
    /// As of a list.
    package let askedMarket: String?

    static let columns =
        "course_mark, course, origin, path_count, generation, cost_nanodollars, made_at, document, asked_market"

    package init(
        mark: String, course: String, origin: ListOrigin, document: String, count: Int, generation: Int64?,
        costNanodollars: Int64,
        madeAt: Date, askedMarket: String? = nil
    ) {
        self.mark = mark
        self.course = course
        self.origin = origin
        self.document = document
        self.count = count
        self.generation = generation
        self.costNanodollars = costNanodollars
        self.madeAt = madeAt
        self.askedMarket = askedMarket
    }

    init(_ row: SQLRow) throws {
        mark = try row.text("course_mark")
        course = try row.text("course")
        origin = try ListOrigin(column: "origin", of: row)
        document = try row.text("document")
        count = try row.int("path_count")
        generation = try row.generation("generation")
        costNanodollars = try row.integer("cost_nanodollars")
        madeAt = try row.time("made_at")
        askedMarket = try row.optionalText("asked_market")
    }
}

extension ListOrigin {
    /// - Throws: `StoreError` of code `unexpectedValue` for any other text.
    init(column: String, of row: SQLRow) throws {
        let text = try row.text(column)
        guard let origin = ListOrigin(rawValue: text) else {
            throw StoreError(.unexpectedValue, "the origin of a list is “\(text)”, which is none")
        }
        self = origin
    }
}

extension SQLRow {
    /// The number of a generation, or nil for null.
    fileprivate func generation(_ name: String) throws -> Int64? {
        if case .null = try value(name) { return nil }
        return try integer(name)
    }
}

extension SQLValue {
    /// An integer, or null for nil.
    static func optionalInteger(_ value: Int64?) -> SQLValue { value.map(SQLValue.integer) ?? .null }
}
