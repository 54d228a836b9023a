internal import Foundation
package import Platform
internal import Store

/// The files when somebody is erased: written anew without them, and what cannot be is named.
extension MonitorFiles {
    /// - Parameter studentsFile: a file of students that somebody else writes, which is looked through.
    package func written(studentsFile: String?) -> WrittenFiles {
        WrittenFiles(folder: folder) {
            await rewrite()
        } paths: {
            try paths() + (studentsFile.map { [$0] } ?? [])
        } names: { path, id in
            // Courses have no ids.
            try !(path as NSString).lastPathComponent.contains(CourseFile.name) && Self.names(id, in: path)
        }
    }

    /// Whether a row of a file of students is of that id; of a damaged one, whether a cell may be.
    static func names(_ id: String, in path: String) throws -> Bool {
        let wanted = Array(id.utf8)
        do {
            var reader = try StudentReader(path, StudentFormat(fileName: path) ?? .csv)
            while true {
                let rows = try reader.next(1_000)
                if rows.isEmpty { return false }
                if rows.contains(where: { Array($0.row.input.userID.utf8) == wanted }) { return true }
            }
        } catch let error as MonitorFileError where error.code == .missing {
            return false
        } catch let error as MonitorFileError where error.isDamage {
            return try hasCell(SpreadsheetCell.guarded(id), in: path) || hasCell(id, in: path)
        }
    }

    /// Whether a text stands between separators, line ends or quotes.
    private static func hasCell(_ text: String, in path: String) throws -> Bool {
        let content = try Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped)
        let wanted = Data(text.utf8)
        let edges = Set("\",;\t\r\n".utf8)
        var start = content.startIndex
        while let found = content.range(of: wanted, in: start..<content.endIndex) {
            let before = found.lowerBound == content.startIndex || edges.contains(content[found.lowerBound - 1])
            let after = found.upperBound == content.endIndex || edges.contains(content[found.upperBound])
            if before, after { return true }
            start = found.lowerBound + 1
        }
        return false
    }

    /// Writes those files anew that are there and ours, where rows have changed since they were written.
    private func rewrite() async -> WrittenFiles.Outcome {
        var outcome = WrittenFiles.Outcome()
        for file in [students, courses] {
            do {
                if let aside = try await tidy(file) { outcome.doubts[aside] = Written.changedMeanwhile }
                switch try await finding(file) {
                case .missing: continue
                case .ours: break
                case .foreign:
                    outcome.doubts[file.path] =
                        "somebody changed it since the monitor wrote it; run the monitor, or remove the file, and erase "
                        + "again"
                    continue
                }
                guard try await isStale(file) else { continue }
                let written = try await write(file)
                outcome.written.append(file.path)
                if let aside = written.setAside { outcome.doubts[aside] = Written.changedMeanwhile }
            } catch {
                outcome.doubts[file.path] = (error as? MonitorFileError)?.message ?? "\(error)"
            }
        }
        return outcome
    }

    /// The two files, what was set aside of them, and what is being written.
    private func paths() throws -> [String] {
        guard FileManager.default.fileExists(atPath: folder) else { return [] }
        return try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
            .filter { name in
                [students.name, courses.name].contains { own in
                    name == own || name == ".\(own).part" || name.hasPrefix(".\(own).swap")
                        || name.hasPrefix("\(own).set-aside-")
                }
            }
            .map { "\(folder)/\($0)" }
    }

    private var folder: String { students.folder }
}
