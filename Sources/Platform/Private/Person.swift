import Store

/// One person's names in the database: what their rows are found by.
struct Person: Sendable, Equatable {
    let id: String
    /// Whether there is an account of that id.
    var hasAccount = false
    /// Whether all is known of their address that there is: it can be opened, or their account has none.
    var isAddressKnown = false
    /// As stored, opened.
    var addresses: Set<String> = []
    /// The cipher's indexes of each address, by the column that they are made for.
    var indexes: [String: Set<String>] = [:]
    var sessions: Set<String> = []
    var recommendations: Set<String> = []
    var keys: Set<String> = []
    var tasks: Set<String> = []
    /// Keys of the rows that name them somewhere, by table.
    var mentions: [String: [[SQLValue]]] = [:]

    /// All that may stand in a row or a file and mean them.
    ///
    /// - Complexity: O(number of their sessions and recommendations).
    var search: MarkSearch {
        let ids = [id] + indexes.values.flatMap { $0 } + sessions + recommendations + keys
        return MarkSearch(ids: ids, addresses: addresses)
    }

    /// Adds what another look found; what is erased already stays known, since it is what is looked for afterwards.
    mutating func merge(_ other: Person) {
        hasAccount = hasAccount || other.hasAccount
        isAddressKnown = isAddressKnown || other.isAddressKnown
        addresses.formUnion(other.addresses)
        indexes.merge(other.indexes) { $0.union($1) }
        sessions.formUnion(other.sessions)
        recommendations.formUnion(other.recommendations)
        keys.formUnion(other.keys)
        tasks.formUnion(other.tasks)
        mentions = other.mentions
    }
}

/// A value with its seal taken off.
struct ColumnOpener: Sendable {
    let cipher: any ColumnCipher

    /// - Throws: `ColumnCipherError`
    func open(_ value: SQLValue, table: PersonalTable?, column: String) throws -> SQLValue {
        guard let table, let kind = table.kind(of: column), kind.isSealed else { return value }
        let name = "\(table.name).\(column)"
        return switch value {
        case .text(let text): .text(try cipher.open(text, column: name))
        case .blob(let bytes): .blob(try cipher.open(bytes, column: name))
        case .null, .integer, .real: value
        }
    }

    /// The bytes in which to look for names.
    static func bytes(_ value: SQLValue) -> [UInt8]? {
        switch value {
        case .text(let text): Array(text.utf8)
        case .blob(let bytes): bytes
        case .null, .integer, .real: nil
        }
    }
}

/// Finds a person's rows.
struct PersonFinder: Sendable {
    let database: any SQLDatabase
    let opener: ColumnOpener

    /// Everything that the person is known by, and the rows that only name them.
    ///
    /// - Complexity: O(bytes) of the tables that may name anybody, which are opened and read.
    func find(_ id: String, known: Person? = nil) async throws -> Person {
        var person = try await database.read { connection in
            var person = Person(id: id)
            let schema = try SchemaCatalogue.read(connection)
            person.sessions = try Self.ids("sessions", "id", of: "owner", id, schema, connection)
            person.keys = try Self.ids("api_keys", "id", of: "user_id", id, schema, connection)
            if schema.has("recommendations") {
                for row in try connection.query(
                    """
                    SELECT recommendations.id AS id FROM recommendations
                    JOIN sessions ON sessions.id = recommendations.session_id WHERE sessions.owner = ?
                    """, [.text(id)])
                {
                    person.recommendations.insert(try row.text("id"))
                }
            }
            if schema.has("users"),
                let row = try connection.first("SELECT email, email_index FROM users WHERE id = ?", [.text(id)])
            {
                person.hasAccount = true
                // One that cannot be opened keeps nobody from being erased; the export says so.
                let sealed = try row.optionalText("email")
                let email = try? opener.cipher.open(sealed, column: "users.email")
                if let email { person.addresses = [email, email.lowercased()] }
                person.isAddressKnown = sealed == nil || email != nil
                if let index = try row.optionalText("email_index") { person.indexes["users.email"] = [index] }
            }
            return person
        }
        for column in PersonalData.addressIndexes {
            // What was indexed before there was a key, and was nobody's account then, stands under the plain index.
            let indexes = person.addresses.flatMap { address in
                [opener.cipher.index(address, column: column), PlainColumns().index(address, column: column)]
            }
            person.indexes[column, default: []].formUnion(indexes)
        }
        if var known {
            known.merge(person)
            person = known
        }
        person.mentions = try await mentions(of: person)
        person.tasks = Set(
            (person.mentions["tasks"] ?? []).compactMap { key in
                guard case .text(let id)? = key.first else { return nil }
                return id
            })
        return person
    }

    private static func ids(
        _ table: String, _ column: String, of owner: String, _ id: String, _ schema: SchemaCatalogue,
        _ connection: any SQLConnection
    ) throws -> Set<String> {
        guard schema.has(table), schema.has(owner, in: table) else { return [] }
        let rows = try connection.query("SELECT \(column) FROM \(table) WHERE \(owner) = ?", [.text(id)])
        return Set(try rows.map { try $0.text(column) })
    }

    /// The keys of the rows that name the person in any column.
    private func mentions(of person: Person) async throws -> [String: [[SQLValue]]] {
        let search = person.search
        return try await database.read { connection in
            let schema = try SchemaCatalogue.read(connection)
            var found: [String: [[SQLValue]]] = [:]
            for table in PersonalData.tables where table.links.contains(.mention) {
                guard let columns = schema.tables[table.name] else { continue }
                let names = Set(table.key + columns.filter(\.isTextOrBytes).map(\.name)).sorted()
                let shorts = names.map(table.shortNames(in:))
                try connection.forEachRow("SELECT \(names.joined(separator: ", ")) FROM \(table.name)", []) { row in
                    let isTheirs = zip(zip(names, shorts), row.values).contains { column, value in
                        let (name, short) = column
                        // A row that cannot be opened names nobody that could be told.
                        guard let opened = try? opener.open(value, table: table, column: name),
                            let bytes = ColumnOpener.bytes(opened)
                        else { return false }
                        return search.matches(bytes, short: short)
                    }
                    if isTheirs { found[table.name, default: []].append(try table.key.map { try row.value($0) }) }
                }
            }
            return found
        }
    }

    /// The conditions that select a person's rows of a table, each with its argument. Ids come one by one: a list of
    /// any length is no statement.
    static func conditions(_ table: PersonalTable, _ person: Person) -> [(sql: String, arguments: [[SQLValue]])] {
        table.links.map { link in
            switch link {
            case .user(let column): ("\(column) = ?", [[.text(person.id)]])
            case .session(let column): ("\(column) = ?", person.sessions.sorted().map { [.text($0)] })
            case .task(let column): ("\(column) = ?", person.tasks.sorted().map { [.text($0)] })
            case .student(let column, let marks):
                (
                    marks.map { "\(column) IN (SELECT \($0) FROM students WHERE user_id = ?)" }
                        .joined(separator: " OR "), [marks.map { _ in .text(person.id) }]
                )
            case .address(let column, let indexed):
                ("\(column) = ?", (person.indexes[indexed] ?? []).sorted().map { [.text($0)] })
            case .mention:
                (table.key.map { "\($0) = ?" }.joined(separator: " AND "), person.mentions[table.name] ?? [])
            }
        }
    }
}
