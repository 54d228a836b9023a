package import Foundation
package import Store

/// Everything about one person as one JSON document, without what signs in as them: hashes of credentials, and the secrets
/// of links in messages to them.
package struct PersonExport: Sendable {
    private let database: any SQLDatabase
    private let opener: ColumnOpener
    private let files: PersonFiles
    private let clock: @Sendable () -> Date

    /// - Parameter mailFolder: where messages lie as files, if any do.
    package init(
        _ database: any SQLDatabase, cipher: any ColumnCipher, mailFolder: String? = nil,
        clock: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.database = database
        opener = ColumnOpener(cipher: cipher)
        files = PersonFiles(database: database.location, mailFolder: mailFolder)
        self.clock = clock
    }

    /// The document, one row a line, or nil where there is nothing about anybody of that id.
    ///
    /// - Throws: `ColumnCipherError` where something cannot be opened: an export that leaves something out would be
    ///   no answer; what the system says of a folder for mail, or a message in it, that cannot be read.
    package func document(of id: String) async throws -> String? {
        let person = try await PersonFinder(database: database, opener: opener).find(id)
        let rows = try await database.read { [opener] connection in
            let schema = try SchemaCatalogue.read(connection)
            // Parents first, as people read: the account, then what was done with it.
            return try PersonalData.tables.reversed().compactMap { table -> (table: String, rows: [String])? in
                guard let columns = schema.tables[table.name] else { return nil }
                let names = columns.map(\.name)
                let rows = try Self.rows(of: table, person, connection).map { row in
                    try Self.object(row, names: names, table: table, opener: opener)
                }
                return rows.isEmpty ? nil : (table.name, rows)
            }
        }
        let messages = try files.messages(to: person.addresses)
        guard !rows.isEmpty || !messages.isEmpty else { return nil }
        return Self.document(id, at: clock(), tables: rows, messages: messages)
    }

    /// A person's rows, each once, in the order of its key.
    private static func rows(
        of table: PersonalTable, _ person: Person, _ connection: any SQLConnection
    ) throws -> [SQLRow] {
        var seen: Set<[SQLValue]> = []
        var rows: [SQLRow] = []
        let order = table.key.joined(separator: ", ")
        for (sql, lists) in PersonFinder.conditions(table, person) {
            for arguments in lists {
                for row in try connection.query(
                    "SELECT * FROM \(table.name) WHERE \(sql) ORDER BY \(order)", arguments)
                where seen.insert(try table.key.map { try row.value($0) }).inserted {
                    rows.append(row)
                }
            }
        }
        return rows
    }

    private static func object(
        _ row: SQLRow, names: [String], table: PersonalTable, opener: ColumnOpener
    ) throws -> String {
        let fields = try names.compactMap { name -> String? in
            // A column that the registry does not know is shown: too much is no harm to whom it belongs to.
            let kind = table.kind(of: name) ?? .plain
            if kind == .secret { return nil }
            let value = try opener.open(try row.value(name), table: table, column: name)
            return "\(JSONText.string(name)): \(JSONText.value(value, isDocument: kind.isDocument))"
        }
        return "{\(fields.joined(separator: ", "))}"
    }

    private static func document(
        _ id: String, at date: Date, tables: [(table: String, rows: [String])], messages: [PersonFiles.Message]
    ) -> String {
        let leftOut = PersonalData.tables.flatMap { table in
            table.columns.filter { $0.kind == .secret }.map { JSONText.string("\(table.name).\($0.name)") }
        }
        let parts = tables.map { table, rows in
            "    \(JSONText.string(table)): [\n      \(rows.joined(separator: ",\n      "))\n    ]"
        }
        let mail = messages.map { message in
            let name = URL(fileURLWithPath: message.path).lastPathComponent
            // Others may read the document than the one to whom the message was sent.
            let text = JSONText.value(.blob(MailedSecrets.blanked(message.content)), isDocument: false)
            return "    {\"file\": \(JSONText.string(name)), \"text\": \(text)}"
        }
        return """
            {
              "format": "pathlight person 1",
              "id": \(JSONText.string(id)),
              "exported_at": \(JSONText.string(SQLTime.text(of: date))),
              "left_out": [\(leftOut.joined(separator: ", "))],
              "messages": [
            \(mail.joined(separator: ",\n"))
              ],
              "tables": {
            \(parts.joined(separator: ",\n"))
              }
            }
            """
    }
}

/// Values as JSON (RFC 8259).
enum JSONText {
    static func value(_ value: SQLValue, isDocument: Bool) -> String {
        switch value {
        case .null: "null"
        case .integer(let number): String(number)
        case .real(let number): number.isFinite ? "\(number)" : string("\(number)")
        case .text(let text): isDocument && isJSON(Array(text.utf8)) ? text : string(text)
        case .blob(let bytes):
            switch String(validating: bytes, as: UTF8.self) {
            case let text? where isDocument && isJSON(bytes): text
            case let text?: string(text)
            case nil: string("base64:" + Data(bytes).base64EncodedString())
            }
        }
    }

    static func string(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where scalar.value < 0x20 || scalar.value == 0x7F:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }

    /// Embedded as it stands, so that no number changes on its way.
    private static func isJSON(_ bytes: [UInt8]) -> Bool {
        (try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)) != nil
    }
}
