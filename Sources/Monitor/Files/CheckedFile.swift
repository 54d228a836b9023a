/// What is known of a file that was read from its first byte to its last without an objection.
package struct CheckedFile: Sendable, Equatable {
    package let digest: FileDigest
    package let rows: Int
    /// Whether it has the columns that we write, not those of the input alone.
    package let hasAllColumns: Bool

    package init(digest: FileDigest, rows: Int, hasAllColumns: Bool) {
        self.digest = digest
        self.rows = rows
        self.hasAllColumns = hasAllColumns
    }
}
