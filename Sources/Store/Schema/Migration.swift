/// One step of the schema, applied once and never altered afterwards.
package struct Migration: Sendable {
    /// From 1, without gaps.
    package let version: Int
    package let name: String
    /// Portable SQL, one statement each, with the types of the dialect.
    package let statements: @Sendable (SQLDialect) -> [String]

    package init(version: Int, name: String, statements: @escaping @Sendable (SQLDialect) -> [String]) {
        self.version = version
        self.name = name
        self.statements = statements
    }

    /// Tells whether what was applied is what this says.
    func checksum(for dialect: SQLDialect) -> String {
        var hash = ContentHash()
        hash.update(name)
        for statement in statements(dialect) { hash.update(statement) }
        return hash.text
    }
}
