package import Foundation

/// Where a generation of an index stands.
package enum GenerationState: String, Sendable {
    /// Being filled; nobody searches it.
    case building
    /// The one that is searched.
    case current
    /// The one before it, kept for a rollback.
    case previous
}

/// One generation of the index of a kind of item.
package struct GenerationRecord: Sendable, Equatable {
    package let id: Int64
    /// Of the items: `careers`, …
    package let kind: String
    package let spaceID: String
    package let state: GenerationState
    /// Of its blocks.
    package let format: Int
    /// Of what it is to hold; another hash means another content.
    package let planHash: String
    /// 0 until it is finished.
    package let rowCount: Int
    /// The report of the checks as JSON, once it is finished.
    package let document: String?
    package let createdAt: Date
    package let finishedAt: Date?

    static let columns =
        "id, kind, space_id, state, format, plan_hash, row_count, document, created_at, finished_at"

    /// - Throws: `StoreError` of code `unexpectedValue` for a row that no version of this program writes.
    init(_ row: SQLRow) throws {
        id = try row.integer("id")
        kind = try row.text("kind")
        spaceID = try row.text("space_id")
        let stateName = try row.text("state")
        guard let state = GenerationState(rawValue: stateName) else {
            throw StoreError(.unexpectedValue, "index generation \(id) is in the unknown state “\(stateName)”")
        }
        self.state = state
        format = try row.int("format")
        planHash = try row.text("plan_hash")
        rowCount = try row.int("row_count")
        guard rowCount >= 0 else {
            throw StoreError(.unexpectedValue, "index generation \(id) claims \(rowCount) rows")
        }
        document = try row.optionalText("document")
        createdAt = try row.time("created_at")
        finishedAt = try row.optionalTime("finished_at")
    }
}

/// A block of a generation as it is stored; what its bytes say is for the index to read and to check.
package struct StoredBlock: Sendable, Equatable {
    /// From 0.
    package let number: Int
    /// Index rows in it, by the words of the table.
    package let rowCount: Int
    /// Empty where the row could not be read.
    package let bytes: [UInt8]

    package init(number: Int, rowCount: Int, bytes: [UInt8]) {
        self.number = number
        self.rowCount = rowCount
        self.bytes = bytes
    }

    /// A damaged row stops nobody from reading the others: its block has no bytes, and −1 for a lost number.
    init(_ row: SQLRow) {
        let number = try? row.int("number")
        let rowCount = try? row.int("row_count")
        self.number = number ?? -1
        self.rowCount = max(0, rowCount ?? 0)
        let isSound = number != nil && self.rowCount == rowCount
        bytes = isSound ? (try? row.blob("bytes")) ?? [] : []
    }
}
