/// Files that another part of the program writes of the tables, and others beside them, which may name somebody.
package struct WrittenFiles: Sendable {
    /// What writing them anew gave.
    package struct Outcome: Sendable, Equatable {
        /// Written of the rows as they are now.
        package var written: [String] = []
        /// Those that stayed as they were, and why.
        package var doubts: [String: String] = [:]

        package init(written: [String] = [], doubts: [String: String] = [:]) {
            self.written = written
            self.doubts = doubts
        }
    }

    /// Writes those anew that are there.
    package let rewrite: @Sendable () async -> Outcome
    /// The files to look through afterwards, of whoever they are. Blocks.
    package let paths: @Sendable () throws -> [String]
    /// Whether one of them has somebody of that id, however short, where it has ids. Blocks.
    package let names: @Sendable (_ path: String, _ userID: String) throws -> Bool
    /// Where they lie, for messages.
    package let folder: String

    package init(
        folder: String, rewrite: @escaping @Sendable () async -> Outcome,
        paths: @escaping @Sendable () throws -> [String],
        names: @escaping @Sendable (_ path: String, _ userID: String) throws -> Bool
    ) {
        self.folder = folder
        self.rewrite = rewrite
        self.paths = paths
        self.names = names
    }
}
