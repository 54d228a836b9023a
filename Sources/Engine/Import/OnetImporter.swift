package import Foundation

/// Reads an O*NET text release as careers (docs/onet.md).
package enum OnetImporter {
    /// What careers of a release name as their source.
    package static let sourceName = "onet"

    /// The careers of a release: one for each occupation, in ascending order of code, the same for the same files.
    ///
    /// - Parameters:
    ///   - directory: the folder of the release's text files.
    ///   - wages: BLS national wages as CSV.
    ///   - projections: BLS employment projections as CSV.
    ///   - progress: told what is read, a line at a time.
    /// - Throws: `ImportError` where a required file or column is missing or no occupation is good.
    package static func read(
        directory: URL, wages: URL?, projections: URL?, progress: (String) -> Void
    ) throws(ImportError) -> ImportedCareers {
        var release = try OnetRelease(directory: directory, progress: progress)
        try release.readAll(progress: progress)
        var problems = release.problems
        var joined = OnetJoin()
        if let wages {
            progress("Reading \(wages.lastPathComponent)")
            let rows = try BLSRows(
                wages, columns: ["OCC_CODE", "OCC_TITLE", "O_GROUP", "A_PCT25", "A_PCT75"], problems: &problems)
            joined.wages = try BLSWages(rows, problems: &problems)
        }
        if let projections {
            progress("Reading \(projections.lastPathComponent)")
            let rows = try BLSRows(projections, columns: ["occupation"], problems: &problems)
            joined.projections = try BLSProjections(rows, problems: &problems)
        }
        progress("Describing \(release.occupations.count) occupations")
        return try OnetCareers(release: release, join: joined).imported(problems: problems)
    }
}
