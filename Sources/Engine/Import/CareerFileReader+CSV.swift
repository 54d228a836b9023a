extension CareerFileReader {
    /// Reads a header and one career a record.
    static func readCSV(_ bytes: [UInt8], into collection: inout CareerCollection) throws(ImportError) {
        var records = CSVRecords(bytes)
        var first = records.next()
        while first?.isBlank == true { first = records.next() }
        let file = collection.file
        guard let first else {
            throw .malformed(ImportProblem(file: file, line: 1, message: "the file is empty; a header was expected"))
        }
        if let complaint = first.complaint {
            throw .malformed(ImportProblem(file: file, line: complaint.line, message: complaint.message))
        }
        let header = first.cells.map(ImportText.trimmed)
        if let objection = CSVColumns.objection(to: header) {
            throw .malformed(ImportProblem(file: file, line: first.line, message: objection))
        }
        while let record = records.next() {
            if record.isBlank { continue }
            if collection.isHopeless(line: record.line) { return }
            if let complaint = record.complaint {
                collection.refuse([complaint.message], line: complaint.line)
            } else if record.cells.count != header.count {
                collection.refuse(
                    [
                        "the row has \(record.cells.count) cells, the header \(header.count); "
                            + "is a separator missing, or a cell with one in it (a decimal comma?) not quoted?"
                    ], line: record.line)
            } else {
                readSource(record, header: header, into: &collection)
                collection.accept(
                    CSVColumns.values(of: record.cells, header: header), line: record.line, cluster: nil,
                    naming: CSVColumns.column)
            }
        }
    }

    /// The description of the row's source, where the row has one.
    private static func readSource(_ record: CSVRecord, header: [String], into collection: inout CareerCollection) {
        func cell(_ name: String) -> String? {
            guard let index = header.firstIndex(of: name), !record.cells[index].isEmpty else { return nil }
            return record.cells[index]
        }
        guard let name = cell("source").map(ImportText.trimmed), !name.isEmpty,
            CSVColumns.sourceColumns.contains(where: { cell($0) != nil })
        else { return }
        let source = SourceReading.source(
            name: name, title: cell("source_title").map(ImportText.trimmed) ?? name,
            attribution: cell("source_attribution"),
            licence: cell("source_licence"), url: cell("source_url"), version: cell("source_version"))
        if let complaint = collection.sources.describe(source) {
            collection.add(problem: complaint, line: record.line)
        }
    }
}
