import GRDB

extension StoreError {
    /// The typed form of what SQLite reports.
    init(_ error: DatabaseError, at location: String) {
        let cause = "SQLite \(error.extendedResultCode.rawValue): \(error.message ?? "no message")"
        let (code, message, mend) = Self.meaning(of: error.extendedResultCode)
        self.init(code, message, location: location, mend: mend, cause: cause)
    }

    private static func meaning(of code: ResultCode) -> (Code, String, String?) {
        switch code {
        case .SQLITE_CONSTRAINT_UNIQUE, .SQLITE_CONSTRAINT_PRIMARYKEY, .SQLITE_CONSTRAINT_ROWID:
            (.uniqueViolation, "a row with this key exists", nil)
        case .SQLITE_CONSTRAINT_FOREIGNKEY:
            (.foreignKeyViolation, "a row that this one refers to does not exist, or is still referred to", nil)
        case .SQLITE_CONSTRAINT_NOTNULL:
            (.notNullViolation, "a value is missing that must be there", nil)
        case .SQLITE_CONSTRAINT_CHECK:
            (.checkViolation, "a value is outside what its column allows", nil)
        // SQLITE_CONSTRAINT_DATATYPE, of strict tables; GRDB has no name for it.
        case ResultCode(rawValue: 19 | 12 << 8), .SQLITE_MISMATCH:
            (.typeMismatch, "a value is of another type than its column", nil)
        case .SQLITE_CONSTRAINT:
            (.checkViolation, "a constraint does not hold", nil)
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            (.busy, "another process holds the database", "Try again, or stop what runs beside it.")
        case .SQLITE_FULL:
            (.diskFull, "the disk is full", "Free space on it; what was confirmed is kept.")
        case .SQLITE_CORRUPT:
            (
                .damaged, "the database file is damaged",
                "Restore it from a backup, or move it away and start anew; `sqlite3 FILE .recover` saves what it can."
            )
        case .SQLITE_NOTADB:
            (
                .notADatabase, "the file is not an SQLite database",
                "Name another data folder, or move the file away."
            )
        case .SQLITE_READONLY:
            (.readOnly, "the database may only be read here", nil)
        case .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_AUTH:
            (
                .cannotOpen, "the database cannot be opened",
                "See that its folder exists and may be written by this user."
            )
        case .SQLITE_IOERR:
            (.inputOutput, "reading or writing the disk failed", "See the system's log for faults of the disk.")
        case .SQLITE_MISUSE, .SQLITE_ERROR, .SQLITE_RANGE:
            (.invalidStatement, "a statement is wrong", nil)
        case .SQLITE_TOOBIG:
            (.invalidValue, "a value is too large for the database", nil)
        default:
            (.other, "the database reported a failure", nil)
        }
    }
}
