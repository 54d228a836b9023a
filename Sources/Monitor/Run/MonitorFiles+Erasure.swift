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
        }
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
