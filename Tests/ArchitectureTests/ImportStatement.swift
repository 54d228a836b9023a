/// One `import` of a Swift file.
struct ImportStatement: Equatable {
    /// The module's name: the first part of `import struct Module.Type`.
    let module: String
    /// The line it stands on, from 1.
    let line: Int

    /// Every import in `source`, whatever attributes, access level or kind of symbol it names; also more than one on a
    /// line, and those inside `#if`.
    static func all(in source: String) -> [ImportStatement] {
        let pattern =
            /(?:^|;)\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:(?:public|package|internal|fileprivate|private)\s+)?import\s+(?:(?:typealias|struct|class|enum|protocol|let|var|func|actor)\s+)?`?([A-Za-z_]\w*)/
        return SourceText(source).lines.enumerated().flatMap { index, line in
            line.matches(of: pattern).map { ImportStatement(module: String($0.output.1), line: index + 1) }
        }
    }
}
