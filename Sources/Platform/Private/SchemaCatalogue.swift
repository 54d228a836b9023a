package import Store

/// The tables and columns that a database really has, by its own account.
package struct SchemaCatalogue: Sendable {
    package struct Column: Sendable, Equatable {
        package let name: String
        /// Numbers name nobody and are not looked through.
        package let isTextOrBytes: Bool
    }

    /// Columns in the table's own order.
    package let tables: [String: [Column]]

    var names: Set<String> { Set(tables.keys) }

    func has(_ table: String) -> Bool { tables[table] != nil }

    func has(_ column: String, in table: String) -> Bool { tables[table]?.contains { $0.name == column } ?? false }

    package static func read(_ connection: any SQLConnection) throws -> SchemaCatalogue {
        var tables: [String: [Column]] = [:]
        for row in try connection.query(try statement(for: connection.dialect)) {
            let type = try row.text("column_type").lowercased()
            let isNumber = ["int", "double", "real", "numeric"].contains { type.contains($0) }
            let column = Column(name: try row.text("column_name"), isTextOrBytes: !isNumber)
            tables[try row.text("table_name"), default: []].append(column)
        }
        return SchemaCatalogue(tables: tables)
    }

    private static func statement(for dialect: SQLDialect) throws -> String {
        switch dialect.name {
        case "sqlite":
            """
            SELECT m.name AS table_name, p.name AS column_name, p.type AS column_type
            FROM sqlite_master AS m JOIN pragma_table_info(m.name) AS p
            WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY m.name, p.cid
            """
        case "postgresql":
            """
            SELECT table_name, column_name, data_type AS column_type FROM information_schema.columns
            WHERE table_schema = current_schema() ORDER BY table_name, ordinal_position
            """
        default:
            throw StoreError(
                .invalidStatement, "how to list the tables of a \(dialect.name) database is not known here")
        }
    }
}
