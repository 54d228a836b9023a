/// The kinds of files that careers are read from and written to.
package enum CareerFileFormat: String, CaseIterable, Sendable {
    case json, jsonl, csv

    /// The format that a file's name stands for; nil for other endings.
    package init?(fileName: String) {
        let lower = fileName.lowercased()
        if lower.hasSuffix(".json") {
            self = .json
        } else if lower.hasSuffix(".jsonl") || lower.hasSuffix(".ndjson") {
            self = .jsonl
        } else if lower.hasSuffix(".csv") || lower.hasSuffix(".tsv") {
            self = .csv
        } else {
            return nil
        }
    }
}
