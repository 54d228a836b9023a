/// Counters that tell whether something changed since it was last read, across processes.
enum Revision {
    /// The revision of what `name` names; 0 before the first change.
    static func current(of name: String, in connection: any SQLConnection) throws -> Int64 {
        try connection.first("SELECT revision FROM revisions WHERE name = ?", [.text(name)])?.integer("revision") ?? 0
    }

    /// Counts one change.
    static func advance(_ name: String, in connection: any SQLConnection) throws {
        try connection.execute(
            """
            INSERT INTO revisions (name, revision) VALUES (?, 1)
            ON CONFLICT (name) DO UPDATE SET revision = revisions.revision + 1
            """, [.text(name)])
    }
}
