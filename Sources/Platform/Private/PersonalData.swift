/// What a column of a person's row holds, and so what is done with it.
package enum PersonalColumn: Sendable, Equatable {
    /// Exported as it is.
    case plain
    /// JSON, exported as such.
    case document
    /// Text that the cipher seals.
    case sealed
    /// JSON that the cipher seals.
    case sealedDocument
    /// Bytes that the cipher seals; JSON as a rule.
    case sealedBytes
    /// Hashes and salts of credentials: not exported, since they help nobody but a thief.
    case secret

    package var isSealed: Bool {
        switch self {
        case .sealed, .sealedDocument, .sealedBytes: true
        case .plain, .document, .secret: false
        }
    }

    var isDocument: Bool { self == .document || self == .sealedDocument || self == .sealedBytes }
}

/// How a table says whom a row is about.
package enum PersonalLink: Sendable, Equatable {
    /// The column holds the user's id.
    case user(String)
    /// The column holds the id of one of their sessions.
    case session(String)
    /// The column holds the id of a task that is theirs.
    case task(String)
    /// The column holds what one of these columns of their row in `students` holds; others may have the same.
    case student(String, marks: [String])
    /// The column holds the cipher's index of their address, as the index of the given column.
    case address(String, indexedAs: String)
    /// Any column may name them: a queue's payload, a kept reply.
    case mention
}

/// A table with what belongs to one person.
package struct PersonalTable: Sendable {
    /// What erasing somebody does to their rows.
    package enum Erasing: Sendable, Equatable {
        case delete
        /// The row is about something else and stays, without them.
        case clear(String)
        /// Their share is added to nobody's first, so that sums stay true.
        case fold(sql: String)
        /// The row is also that of everybody who gave the same, and goes with the last of them. `condition`, in which the
        /// one `?` is the person's id, holds where nobody else has it, be it theirs or left over from somebody.
        case deleteUnshared(condition: String)
    }

    package let name: String
    package let key: [String]
    /// A row is theirs where one of these says so.
    package let links: [PersonalLink]
    package let erasing: Erasing
    /// Every column that there is.
    package let columns: [(name: String, kind: PersonalColumn)]
    /// How a short name stands in a column that is neither a link nor a document.
    private let shortNames: [String: ShortNames]

    init(
        _ name: String, key: [String], links: [PersonalLink], erasing: Erasing = .delete,
        shortNames: [String: ShortNames] = [:], columns: KeyValuePairs<String, PersonalColumn>
    ) {
        self.name = name
        self.key = key
        self.links = links
        self.erasing = erasing
        self.shortNames = shortNames
        self.columns = columns.map { ($0.key, $0.value) }
    }

    package func kind(of column: String) -> PersonalColumn? { columns.first { $0.name == column }?.kind }

    /// How a name that may be a word of any text means somebody in a column; nil where it does not.
    package func shortNames(in column: String) -> ShortNames? {
        guard let kind = kind(of: column) else { return .all }
        if links.contains(.user(column)) { return .whole }
        return shortNames[column] ?? (kind.isDocument ? .fields : nil)
    }
}

/// One column that the cipher seals.
package struct SealedColumn: Sendable {
    package let table: String
    package let column: String
    package let key: [String]
    package let isBytes: Bool

    /// What the cipher knows it by.
    package var name: String { "\(table).\(column)" }
}

/// Where personal data is. A test holds it against the schema: a new table belongs either to `tables` or to
/// `withoutPersonalData`.
package enum PersonalData {
    /// What is about the catalogue, the index or the service itself.
    package static let withoutPersonalData: Set<String> = [
        "careers", "career_sources", "revisions", "embedding_spaces", "vectors", "generation_facts",
        "index_generations",
        "index_blocks", "settings", "schema_migrations", "column_keys", "schedules", "llm_budget_days",
        "llm_reservations", "mail_keys", "monitor_runs", "monitor_files", "removed_rows",
        "knowledge_bases", "knowledge_base_blocks",
    ]

    package static func table(_ name: String) -> PersonalTable? { tables.first { $0.name == name } }

    /// All that is sealed, in the order of `tables`.
    package static var sealedColumns: [SealedColumn] {
        tables.flatMap { table in
            table.columns.filter { $0.kind.isSealed }.map {
                SealedColumn(table: table.name, column: $0.name, key: table.key, isBytes: $0.kind == .sealedBytes)
            }
        }
    }

    /// The columns under which an address may be indexed somewhere.
    package static let addressIndexes = ["users.email", "mail_suppressions.address", "sign_in_attempts.subject"]
}
