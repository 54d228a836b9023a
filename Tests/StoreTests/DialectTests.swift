import Foundation
import Store
import Testing

/// That repositories and migrations speak no SQL which only one database has.
struct DialectTests {
    private static let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Sources/Store")

    /// Words of SQLite alone, of PostgreSQL alone, and forms that the two read differently.
    private static let forbidden = [
        #"INSERT\s+OR\b"#, #"REPLACE\s+INTO"#, #"\browid\b"#, #"\bPRAGMA\b"#, #"\bjson_\w+\s*\("#, #"->>?\s*'"#,
        #"\bdatetime\s*\("#, #"\bstrftime\s*\("#, #"\bjulianday\b"#, #"\bunixepoch\b"#, #"AUTOINCREMENT"#,
        #"\bIFNULL\s*\("#, #"\bGLOB\b"#, #"\bsqlite_"#, #"WITHOUT\s+ROWID"#, #"\)\s*STRICT\b"#, #"COLLATE"#,
        #"last_insert"#, #"\bgroup_concat\b"#, #"\bprintf\s*\("#, #"\btypeof\s*\("#, #"\btotal\s*\("#, #"\bIS\s+\?"#,
        #"\bILIKE\b"#, #"\bLIKE\b"#, #"::\s*[a-z]+"#, #"\bNOW\s*\("#, #"\bSERIAL\b"#, #"\bBYTEA\b"#, #"\bBLOB\b"#,
        #"\$[0-9]"#, #"\bBOOLEAN\b"#, #"=\s*(TRUE|FALSE)\b"#, #"\bLIMIT\s+\d+\s*,"#, #"\brandom\s*\("#,
        #"\bATTACH\b"#, #"\bVACUUM\b"#, #"\bINDEXED\s+BY\b"#, #"\bEXPLAIN\b"#,
    ]

    static let portableFiles: [URL] = ["Repositories", "Schema"].flatMap { folder -> [URL] in
        let found = try? FileManager.default.contentsOfDirectory(
            at: sources.appendingPathComponent(folder), includingPropertiesForKeys: nil)
        return (found ?? []).filter { $0.pathExtension == "swift" }
    }

    @Test func `there are files to look at`() {
        #expect(Self.portableFiles.count >= 8)
    }

    @Test(arguments: portableFiles)
    func `only portable SQL is written outside the drivers`(file: URL) throws {
        let literals = Self.stringLiterals(in: try String(contentsOf: file, encoding: .utf8))
        for pattern in Self.forbidden {
            let expression = try NSRegularExpression(pattern: pattern, options: [.caseInsensitive])
            for literal in literals {
                let range = NSRange(literal.startIndex..., in: literal)
                #expect(
                    expression.firstMatch(in: literal, range: range) == nil,
                    "\(file.lastPathComponent): \(pattern) in \(literal)")
            }
        }
    }

    @Test(arguments: portableFiles)
    func `no file outside the drivers knows a driver`(file: URL) throws {
        let text = try String(contentsOf: file, encoding: .utf8)
        for word in ["import GRDB", "SQLiteDatabase", "SQLiteConnection", ".sqlite", ".postgresql"] {
            #expect(!text.contains(word), "\(file.lastPathComponent) names \(word)")
        }
    }

    @Test func `the search for such words finds them`() throws {
        let literals = Self.stringLiterals(in: #"let a = "INSERT OR REPLACE"; let b = """\n  PRAGMA x\n""""#)
        #expect(literals.count == 2)
        #expect(literals[0] == "INSERT OR REPLACE")
        #expect(literals[1].contains("PRAGMA x"))
    }

    @Test(arguments: [
        ("SELECT 1", "SELECT 1"), ("a = ? AND b = ?", "a = $1 AND b = $2"),
        ("'?' || ? || 'it''s ?'", "'?' || $1 || 'it''s ?'"), ("\"odd?\" = ?", "\"odd?\" = $1"),
        ("-- why?\n? /* ? ' */ ?", "-- why?\n$1 /* ? ' */ $2"), ("?", "$1"), ("", ""),
        ("VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"),
        ("'naïve ?' ?", "'naïve ?' $1"), ("'open ?", "'open ?"),
    ])
    func `arguments are numbered outside quotes and comments`(sql: String, expected: String) {
        #expect(SQLDialect.postgresql.statement(sql) == expected)
        #expect(SQLDialect.sqlite.statement(sql) == sql)
    }

    @Test func `every table says its types through the dialect`() throws {
        for migration in Migration.all {
            let statements = migration.statements(.postgresql).joined(separator: ";\n")
            for word in ["AUTOINCREMENT", "STRICT", "BLOB", "REAL", " INTEGER", "TEXT NOT", "TEXT,"] {
                #expect(!statements.contains(word), "\(migration.name) says \(word) itself")
            }
        }
    }

    /// The contents of the string literals of Swift source, good enough for this module's.
    private static func stringLiterals(in source: String) -> [String] {
        var literals: [String] = []
        var rest = Substring(
            source.split(separator: "\n", omittingEmptySubsequences: false)
                .filter { !$0.drop(while: \.isWhitespace).hasPrefix("//") }.joined(separator: "\n"))
        while let start = rest.firstIndex(of: "\"") {
            let quote = rest[start...].hasPrefix("\"\"\"") ? "\"\"\"" : "\""
            let body = rest[start...].dropFirst(quote.count)
            guard let end = body.range(of: quote) else { break }
            // What is interpolated is Swift.
            literals.append(
                body[..<end.lowerBound].replacingOccurrences(
                    of: #"\\\([^)]*\)"#, with: "", options: .regularExpression))
            rest = body[end.upperBound...]
        }
        return literals
    }
}
