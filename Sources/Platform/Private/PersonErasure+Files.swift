internal import Foundation
internal import Store

/// What erasing does to files.
extension PersonErasure {
    private static let inUse =
        "somebody reads an older state of the database, a backup for example; erase again once that has ended"

    /// Removes the messages that were sent to the person, each by itself: one that stays keeps no other.
    func removeMessages(_ person: Person, _ report: inout ErasureReport) async {
        guard let folder = files.mailFolder else { return }
        do {
            let look = try await OwnThread.run { [files] in try files.removeMessages(to: person.addresses) }
            report.removedMessages += look.found
            report.doubts.merge(look.doubts) { $1 }
        } catch {
            report.doubts[folder] = error.localizedDescription
        }
    }

    /// Removes the messages that came while rows went; then looks for the person in all files that may name them.
    func cleanFiles(_ person: Person, _ report: inout ErasureReport) async {
        // Before the database: it notes what was written.
        await cleanWritten(person, &report)
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

    /// Has the files that are written of the tables written anew, and looks through all that lie there.
    private func cleanWritten(_ person: Person, _ report: inout ErasureReport) async {
        guard let written else { return }
        let outcome = await written.rewrite()
        report.writtenAnew = outcome.written
        report.doubts.merge(outcome.doubts) { first, _ in first }
        do {
            for path in try await OwnThread.run(written.paths) {
                do {
                    let (search, id) = (person.search, person.id)
                    let isFound = try await OwnThread.run {
                        try written.names(path, id) || PersonFiles.isFound(search, in: path)
                    }
                    // What nobody knows already needs no second word.
                    if isFound, report.doubts[path] == nil { report.files.append(path) }
                } catch {
                    report.doubts[path] = "\(error)"
                }
            }
        } catch {
            report.doubts[written.folder] = error.localizedDescription
        }
    }

    private func cleanMail(_ person: Person, _ report: inout ErasureReport) async {
        guard let folder = files.mailFolder else { return }
        await removeMessages(person, &report)
        do {
            let look = try await OwnThread.run { [files] in try files.messages(naming: person.search) }
            let doubts = report.doubts.merging(look.doubts) { first, _ in first }
            report.doubts = doubts
            report.files += look.found.filter { doubts[$0] == nil }
            if !person.isAddressKnown, look.count > 0 {
                report.doubts[folder] =
                    "nobody knows any address of theirs to look for in the messages there (\(look.count)); remove those that "
                    + "are not needed, and erase again"
            }
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
                let isFound = try await OwnThread.run { try RemainsScan.isFound(search, in: path, of: database) }
                if isFound { found.append(path) }
            } catch {
                report.doubts[path] = "\(error)"
            }
        }
        return found
    }
}
