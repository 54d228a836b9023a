internal import Dispatch
internal import Foundation
internal import Store

/// What erasing does to files.
extension PersonErasure {
    private static let inUse =
        "somebody reads an older state of the database, a backup for example; erase again once that has ended"

    /// Removes the messages to the person; then looks for them in all files that may name them.
    func cleanFiles(_ person: Person, _ report: inout ErasureReport) async {
        await cleanMail(person, &report)
        guard let database = database as? SQLiteDatabase else { return }
        await cleanDatabase(database, person.search, &report)
        do {
            let others = try files.setAside()
            report.files += await found(person.search, in: others, of: database, &report)
        } catch {
            report.doubts["files that a restore set aside"] = error.localizedDescription
        }
    }

    private func cleanMail(_ person: Person, _ report: inout ErasureReport) async {
        guard let folder = files.mailFolder else { return }
        do {
            for message in try await Self.onQueue({ [files] in try files.messages(to: person.addresses) }) {
                try FileManager.default.removeItem(atPath: message.path)
                report.removedMessages.append(message.path)
            }
            report.files += try await Self.onQueue { [files] in try files.messages(naming: person.search) }
        } catch {
            report.doubts[folder] = error.localizedDescription
        }
    }

    /// Deleted rows still lie in the write-ahead log until it begins anew, and rows that moved between pages in what
    /// they left. So the log is emptied and the files are read; a file that still names the person is rewritten. So is
    /// one in which nobody knows what to look for: of who has been erased before only the id is left.
    private func cleanDatabase(
        _ database: SQLiteDatabase, _ search: MarkSearch, _ report: inout ErasureReport
    ) async {
        var remaining: [String] = []
        do {
            try await database.emptyLog()
            remaining = await found(search, in: files.ofDatabase, of: database, &report)
            if !remaining.isEmpty || report.isOfIDAlone {
                try await database.rewrite()
                report.isRewritten = true
                remaining = await found(search, in: files.ofDatabase, of: database, &report)
            }
        } catch {
            // The rows have gone all the same.
            let reason = (error as? StoreError)?.code == .busy ? Self.inUse : "\(error)"
            remaining = await found(search, in: files.ofDatabase, of: database, &report)
            for path in files.ofDatabase where FileManager.default.fileExists(atPath: path) {
                report.doubts[path] = reason
            }
        }
        report.files += remaining
    }

    /// The files of `paths` that name the person; those that cannot be read become doubts.
    private func found(
        _ search: MarkSearch, in paths: [String], of database: SQLiteDatabase, _ report: inout ErasureReport
    ) async -> [String] {
        var found: [String] = []
        for path in paths {
            do {
                let isFound = try await Self.onQueue { try RemainsScan.isFound(search, in: path, of: database) }
                if isFound { found.append(path) }
            } catch {
                report.doubts[path] = "\(error)"
            }
        }
        return found
    }

    /// Reading a whole file blocks; not on the cooperative pool.
    private static func onQueue<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(with: Result(catching: body)) }
        }
    }
}
