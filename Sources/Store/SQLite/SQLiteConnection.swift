import Foundation
import GRDB

/// The portable face of one GRDB connection, for the length of one transaction.
///
/// Not Sendable: it belongs to the queue of its connection.
final class SQLiteConnection: SQLConnection {
    private let database: Database
    private let location: String
    /// Set by a failed statement, until the savepoint around it is left. SQLite would go on after a failure
    /// where PostgreSQL does not; doing as PostgreSQL keeps bodies from depending on either.
    private(set) var isAborted = false
    private var isIterating = false

    var dialect: SQLDialect { .sqlite }

    init(_ database: Database, location: String) {
        self.database = database
        self.location = location
    }

    func forEachRow(_ sql: String, _ arguments: [SQLValue], _ body: (SQLRow) throws -> Void) throws {
        try run {
            let statement = try database.cachedStatement(sql: sql)
            let cursor = try Row.fetchCursor(statement, arguments: try bindings(arguments))
            let columns = SQLColumns(statement.columnNames)
            isIterating = true
            defer { isIterating = false }
            while let row = try cursor.next() {
                let values = (0..<columns.names.count).map { SQLValue(row[$0] as DatabaseValue) }
                try body(SQLRow(columns: columns, values: values))
            }
        }
    }

    func execute(_ sql: String, _ arguments: [SQLValue]) throws -> Int {
        try executeMany(sql, CollectionOfOne(arguments))
    }

    func executeMany(_ sql: String, _ arguments: some Sequence<[SQLValue]>) throws -> Int {
        try run {
            let statement = try database.cachedStatement(sql: sql)
            var changed = 0
            for list in arguments {
                let before = database.totalChangesCount
                try statement.execute(arguments: try bindings(list))
                // What `changesCount` says after a statement that is no insert, update or delete is stale.
                if database.totalChangesCount != before { changed += database.changesCount }
            }
            return changed
        }
    }

    func savepoint<T>(_ body: () throws -> T) throws -> T {
        try run { try database.cachedStatement(sql: "SAVEPOINT pathlight").execute() }
        do {
            let result = try body()
            // A failure that `body` caught but did not confine: its work cannot be kept.
            try refuseIfAborted()
            try run { try database.cachedStatement(sql: "RELEASE SAVEPOINT pathlight").execute() }
            return result
        } catch {
            do {
                try undoSavepoint()
            } catch let undoing as StoreError where undoing.code == .transactionAborted {
                // The connection stays aborted, so that nothing goes on; what the caller hears is the reason.
                if let reason = error as? StoreError, reason.code != .transactionAborted { throw reason }
                throw undoing
            }
            throw error
        }
    }

    /// Rolls the innermost savepoint back and leaves it.
    ///
    /// - Throws: where SQLite has already undone the whole transaction, so that nothing around it goes on.
    private func undoSavepoint() throws {
        isAborted = true
        guard database.isInsideTransaction else {
            throw StoreError(
                .transactionAborted, "a failure has undone the whole transaction", location: location,
                mend: "See the failure before this one; a full disk is the usual reason.")
        }
        do {
            try database.execute(sql: "ROLLBACK TRANSACTION TO SAVEPOINT pathlight")
            try database.execute(sql: "RELEASE SAVEPOINT pathlight")
        } catch let error as DatabaseError {
            throw StoreError(error, at: location)
        }
        isAborted = false
    }

    private func run<T>(_ body: () throws -> T) throws -> T {
        precondition(!isIterating, "a statement cannot run while the rows of another are handed out")
        try refuseIfAborted()
        do {
            return try body()
        } catch let error as DatabaseError {
            isAborted = true
            throw StoreError(error, at: location)
        } catch let error as StoreError {
            throw error.at(location)
        }
    }

    private func refuseIfAborted() throws {
        guard isAborted else { return }
        throw StoreError(
            .transactionAborted, "an earlier statement of this transaction failed", location: location)
    }

    private func bindings(_ arguments: [SQLValue]) throws -> StatementArguments {
        StatementArguments(
            try arguments.map { value in
                try value.validate()
                return value.databaseValue
            })
    }
}

extension SQLValue {
    fileprivate var databaseValue: DatabaseValue {
        switch self {
        case .null: .null
        case .integer(let value): value.databaseValue
        case .real(let value): value.databaseValue
        case .text(let value): value.databaseValue
        case .blob(let value): Data(value).databaseValue
        }
    }

    fileprivate init(_ value: DatabaseValue) {
        switch value.storage {
        case .null: self = .null
        case .int64(let value): self = .integer(value)
        case .double(let value): self = .real(value)
        case .string(let value): self = .text(value)
        case .blob(let value): self = .blob([UInt8](value))
        }
    }
}
