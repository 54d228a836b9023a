internal import Foundation
package import Store

/// Takes in what sources say of students.
package struct Roster: Sendable {
    /// Rows of one transaction, and of a file that are in memory at a time.
    private static let chunk = 1_000

    private let students: StudentRepository
    private let marker: InputMarker

    package init(students: StudentRepository, marker: InputMarker) {
        self.students = students
        self.marker = marker
    }

    /// Stores what is new in one transaction; of equal ids the last one counts.
    ///
    /// - Throws: `StoreError`, `ColumnCipherError`
    package func take(_ inputs: [StudentInput], from source: StudentSource) async throws -> RosterChanges {
        try await students.upsert(inputs.map { ($0, marker.marks(of: $0)) }, source: source)
    }

    /// Takes in a whole file, or nothing of one that is damaged: it is read twice, first for its mistakes.
    ///
    /// - Parameter observe: told after each chunk how many rows were taken in.
    /// - Returns: what changed, and what was read.
    /// - Throws: `MonitorFileError`; `StoreError`, `ColumnCipherError` and `CancellationError` may leave a part taken in.
    package func read(
        _ path: String, as format: StudentFormat = .csv, from source: StudentSource = .file,
        observe: @Sendable (Int) async throws -> Void = { _ in }
    ) async throws -> (changes: RosterChanges, digest: FileDigest) {
        let checked = try await OwnThread.run {
            var reader = try StudentReader(path, format)
            while try !reader.next(Self.chunk).isEmpty {}
            return reader.digest
        }
        var reader = try await OwnThread.run { try StudentReader(path, format) }
        var changes = RosterChanges()
        var taken = 0
        while true {
            try Task.checkCancellation()
            let (next, students) = try await OwnThread.run { [reader] in
                var reader = reader
                let students = try reader.next(Self.chunk)
                return (reader, students)
            }
            reader = next
            guard !students.isEmpty else { break }
            changes = changes + (try await take(students, from: source))
            taken += students.count
            try await observe(taken)
        }
        guard let checked, reader.digest == checked else {
            throw MonitorFileError(.busy, file: path, "it changed while it was read; it is read again in the next run")
        }
        return (changes, checked)
    }
}
