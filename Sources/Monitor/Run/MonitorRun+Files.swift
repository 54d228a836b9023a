internal import Foundation
internal import Store

/// What a run reads and writes in files.
extension MonitorRun {
    /// What may be written over, by path: what we wrote, and of others what was taken in. Nothing else is.
    typealias Settled = [String: FileDigest?]

    func takeIn(_ report: inout MonitorReport) async throws -> Settled {
        for file in [files.students, files.courses] {
            do {
                if let aside = try await files.tidy(file) {
                    report.setAside[aside] = MonitorFiles.Written.changedMeanwhile
                }
            } catch let error as MonitorFileError {
                report.fileProblems[error.file] = error.message
            }
        }
        if let path = settings.studentsFile { try await takeInStudents(path, &report) }
        var settled: Settled = [:]
        for file in [files.students, files.courses] {
            do {
                settled[file.path] = .some(try await settle(file, &report))
            } catch let error as MonitorFileError {
                // What cannot be read, or changes while it is, must not be written over.
                report.fileProblems[file.path] = error.description
            }
        }
        return settled
    }

    private func takeInStudents(_ path: String, _ report: inout MonitorReport) async throws {
        let name = "read \(path)"
        do {
            guard let digest = try await OwnThread.run({ try MonitorFile(path).digest() }) else {
                throw MonitorFileError(.missing, file: path, "there is no such file; `monitor.students_file` names it")
            }
            if let known = try await notes.state(of: name), known == (digest.sha256, digest.bytes) { return }
            let read = try await roster.read(path, as: StudentFormat(fileName: path) ?? .csv, rule: .sinceRead)
            report.roster = report.roster + read.changes
            try await notes.set(name, sha256: read.digest.sha256, bytes: read.digest.bytes)
        } catch let error as MonitorFileError {
            report.fileProblems[path] = error.description
        }
    }

    /// Sees to a file that somebody else may have written: its rows are taken in, or it is set aside; and both where some
    /// of its rows could not be taken in.
    ///
    /// - Returns: what was taken in; nil where there was nothing to take.
    private func settle(_ file: MonitorFile, _ report: inout MonitorReport) async throws -> FileDigest? {
        guard case .foreign = try await files.finding(file) else { return nil }
        do {
            guard file == files.students else {
                // Somebody's changes to the paths are no input, and are kept for them.
                throw MonitorFileError(
                    .header, file: file.path, "somebody changed it, and the monitor alone writes it")
            }
            // One that was there before we ever wrote it comes from elsewhere, and is taken as it is.
            let rule: RosterRule = try await files.wasWritten(file) ? .sinceWritten : .everything
            let read = try await roster.read(file.path, rule: rule)
            report.roster = report.roster + read.changes
            if let doubt = Self.doubt(read) { throw MonitorFileError(.doubtful, file: file.path, doubt) }
            return read.digest
        } catch let error as MonitorFileError where error.isDamage {
            let time = clock()
            if let path = try await OwnThread.run({ try file.setAside(at: time) }) {
                report.setAside[path] = error.description
            }
            return nil
        }
    }

    /// What was not taken in of a file, and what to do about it.
    private static func doubt(_ read: RosterReading) -> String? {
        var parts: [String] = []
        if !read.conflicts.isEmpty {
            parts.append("\(lines(read.conflicts)): changed there, and since it was written here as well")
        }
        if !read.unknown.isEmpty {
            parts.append(
                "\(lines(read.unknown)): recommendations with a user_id that is not known, since they were removed, or a "
                    + "spreadsheet altered it (0012 to 12)")
        }
        if read.missing > 0 {
            parts.append(
                "\(read.missing) students who were in it are not any more, and stay: who is to go is removed by "
                    + "“DELETE /api/monitor/students/{user_id}/”")
        }
        guard !parts.isEmpty else { return nil }
        return
            "not all of it was taken in. \(parts.joined(separator: "; ")). What is to count all the same, its ids looked "
            + "through, is taken in by “pathlight import students --format csv”"
    }

    private static func lines(_ lines: [Int]) -> String {
        let first = lines.prefix(5).map { String($0) }.joined(separator: ", ")
        let rest = lines.count > 5 ? " and \(lines.count - 5) more" : ""
        return "\(lines.count == 1 ? "line" : "lines") \(first)\(rest)"
    }

    /// - Returns: the marks of lists that are damaged.
    func writeFiles(_ settled: Settled, _ report: inout MonitorReport) async throws -> [String] {
        var damaged: [String] = []
        for file in [files.students, files.courses] {
            guard let taken = settled[file.path] else { continue }
            do {
                guard try await isDue(file, taken) else { continue }
                let written = try await files.write(file, taken: taken)
                if !report.written.contains(file.name) { report.written.append(file.name) }
                damaged += written.damagedLists
                if let aside = written.setAside { report.setAside[aside] = MonitorFiles.Written.changedMeanwhile }
                if written.unreadable > 0 {
                    report.fileProblems[file.path] =
                        "\(written.unreadable) students are not in it, since what is stored of them is damaged; "
                        + "“pathlight export recommendations” names them, and removing them and sending them again mends it"
                }
            } catch let error as MonitorFileError {
                report.fileProblems[file.path] = error.description
            }
        }
        return damaged
    }

    private func isDue(_ file: MonitorFile, _ taken: FileDigest?) async throws -> Bool {
        switch try await files.finding(file) {
        case .missing: return true
        case .ours: return try await files.isStale(file)
        case .foreign(let digest):
            if digest == taken { return true }
            throw MonitorFileError(
                .busy, file: file.path, "somebody changed it during the run; it is read and written in the next one")
        }
    }
}
