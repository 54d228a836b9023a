package import Foundation

/// The column names of a result, shared by its rows.
package final class SQLColumns: Sendable {
    package let names: [String]
    private let positions: [String: Int]

    package init(_ names: [String]) {
        self.names = names
        positions = Dictionary(zip(names, names.indices), uniquingKeysWith: { first, _ in first })
    }

    /// The position of a column by its exact name.
    package func position(of name: String) -> Int? { positions[name] }
}

/// One row of a result, read by column name with typed getters that throw instead of guessing.
package struct SQLRow: Sendable {
    package let columns: SQLColumns
    package let values: [SQLValue]

    package init(columns: SQLColumns, values: [SQLValue]) {
        precondition(columns.names.count == values.count, "a row has one value for each column")
        self.columns = columns
        self.values = values
    }

    /// The value of a column, of whatever kind.
    ///
    /// - Throws: `StoreError` of code `unexpectedValue` where the result has no such column.
    package func value(_ name: String) throws -> SQLValue {
        guard let position = columns.position(of: name) else {
            throw StoreError(
                .unexpectedValue, "the result has no column \(name), only \(columns.names.joined(separator: ", "))")
        }
        return values[position]
    }

    /// - Throws: `StoreError` of code `unexpectedValue` unless the column holds an integer.
    package func integer(_ name: String) throws -> Int64 {
        guard case .integer(let value) = try value(name) else { throw try mismatch(name, "an integer") }
        return value
    }

    /// An integer that fits `Int`.
    ///
    /// - Throws: as `integer`.
    package func int(_ name: String) throws -> Int {
        guard let value = Int(exactly: try integer(name)) else {
            throw try mismatch(name, "an integer that this machine can hold")
        }
        return value
    }

    /// - Throws: `StoreError` of code `unexpectedValue` unless the column holds 0 or 1.
    package func bool(_ name: String) throws -> Bool {
        switch try value(name) {
        case .integer(0): false
        case .integer(1): true
        default: throw try mismatch(name, "0 or 1")
        }
    }

    /// A real number, or an integer that a Double holds exactly (an aggregate may give either).
    ///
    /// - Throws: `StoreError` of code `unexpectedValue` for anything else.
    package func real(_ name: String) throws -> Double {
        switch try value(name) {
        case .real(let value): return value
        case .integer(let value):
            guard let real = Double(exactly: value) else { throw try mismatch(name, "a real number") }
            return real
        default: throw try mismatch(name, "a real number")
        }
    }

    /// - Throws: `StoreError` of code `unexpectedValue` unless the column holds text.
    package func text(_ name: String) throws -> String {
        guard case .text(let value) = try value(name) else { throw try mismatch(name, "text") }
        return value
    }

    /// Text, or nil for null.
    ///
    /// - Throws: `StoreError` of code `unexpectedValue` for any other kind.
    package func optionalText(_ name: String) throws -> String? {
        if case .null = try value(name) { return nil }
        return try text(name)
    }

    /// - Throws: `StoreError` of code `unexpectedValue` unless the column holds bytes.
    package func blob(_ name: String) throws -> [UInt8] {
        guard case .blob(let value) = try value(name) else { throw try mismatch(name, "bytes") }
        return value
    }

    /// - Throws: `StoreError` of code `unexpectedValue` unless the column holds text as `SQLTime` writes it.
    package func time(_ name: String) throws -> Date {
        guard let date = SQLTime.date(of: try text(name)) else { throw try mismatch(name, "an ISO 8601 time in UTC") }
        return date
    }

    /// A time, or nil for null.
    ///
    /// - Throws: as `time` for any other kind.
    package func optionalTime(_ name: String) throws -> Date? {
        if case .null = try value(name) { return nil }
        return try time(name)
    }

    private func mismatch(_ name: String, _ expected: String) throws -> StoreError {
        StoreError(.unexpectedValue, "column \(name) holds \(try value(name).kind), which is not \(expected)")
    }
}
