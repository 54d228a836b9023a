/// What went wrong in the database, in a form that callers can act on and people can read.
package struct StoreError: Error, Sendable, Equatable {
    /// The bounded set of reasons; raw values serve as metric labels.
    package enum Code: String, Sendable, CaseIterable {
        /// Somebody else held the write lock for longer than the time allowed.
        case busy
        /// More writes wait than the driver accepts.
        case overloaded
        case uniqueViolation = "unique_violation"
        case foreignKeyViolation = "foreign_key_violation"
        case notNullViolation = "not_null_violation"
        case checkViolation = "check_violation"
        /// A value of another type than its column.
        case typeMismatch = "type_mismatch"
        /// A value that cannot be stored faithfully: NaN, text with U+0000, a vector of the wrong length.
        case invalidValue = "invalid_value"
        /// A stored value is not of the kind that was asked for.
        case unexpectedValue = "unexpected_value"
        /// What is stored is not in the state that the change needs.
        case conflict
        /// The SQL is wrong or its arguments do not fit it.
        case invalidStatement = "invalid_statement"
        /// An earlier statement of the transaction failed; nothing more runs until its savepoint is left.
        case transactionAborted = "transaction_aborted"
        /// A write was asked of a reader, or of a database that may only be read.
        case readOnly = "read_only"
        /// The file is no database of the driver's kind.
        case notADatabase = "not_a_database"
        /// A database, but another program's.
        case foreignDatabase = "foreign_database"
        case damaged
        /// A later version of the program wrote the schema.
        case newerSchema = "newer_schema"
        /// A migration was altered after it had been applied.
        case changedMigration = "changed_migration"
        case cannotOpen = "cannot_open"
        case notWritable = "not_writable"
        case diskFull = "disk_full"
        case inputOutput = "input_output"
        case closed
        case other
    }

    package let code: Code
    /// What happened, in one clause, without the place.
    package let message: String
    /// The database file (or server and name) concerned, where known.
    package let location: String?
    /// How to mend it, as an instruction, where there is one.
    package let mend: String?
    /// The driver's own words, where it had any.
    package let cause: String?

    package init(
        _ code: Code, _ message: String, location: String? = nil, mend: String? = nil, cause: String? = nil
    ) {
        self.code = code
        self.message = message
        self.location = location
        self.mend = mend
        self.cause = cause
    }

    /// The same error, saying where, unless it already does.
    package func at(_ location: String) -> StoreError {
        StoreError(code, message, location: self.location ?? location, mend: mend, cause: cause)
    }

    /// Whether the same call may succeed later without anybody mending anything.
    package var isTransient: Bool { code == .busy || code == .overloaded }

    /// Whether the database is there and cannot take what it is given, whatever that is: an operator must act.
    package var saysNothingIsStored: Bool {
        switch code {
        case .diskFull, .inputOutput, .readOnly, .notWritable, .cannotOpen, .damaged, .notADatabase, .closed: true
        default: false
        }
    }
}

extension StoreError.Code {
    /// Whether the file itself is broken: what is stored in another part of it mends nothing.
    package var isLasting: Bool { self == .damaged || self == .notADatabase }
}

extension StoreError: CustomStringConvertible {
    package var description: String {
        var text = location.map { "\($0): \(message)" } ?? message
        if let cause { text += " (\(cause))" }
        if let mend { text += ". \(mend)" }
        return text
    }
}
