import Foundation

/// The checks of one source file. Each returns sentences that begin with the path and line, so that a failing test says
/// what to mend; an empty list is a pass.
enum Findings {
    static func imports(of target: String, in source: String, path: String) -> [String] {
        ImportStatement.all(in: source).compactMap { statement in
            Layers.objection(to: statement.module, in: target).map { "\(path):\(statement.line): \($0)" }
        }
    }

    /// A type with its module's name makes `Module.Type` mean a member of that type, for every importer.
    static func typeNames(equal module: String, in source: String, path: String) -> [String] {
        let pattern = /\b(?:struct|class|enum|actor|protocol|typealias)\s+`?([A-Za-z_]\w*)/
        return find(pattern, in: source, path: path) { $0 == module ? "the type \($0) has its module's name" : nil }
    }

    static func forcedTry(in source: String, path: String) -> [String] {
        find(/\b(try[!])/, in: source, path: path) { _ in "a forced try" }
    }

    /// A postfix `!` after a name, a bracket or a parenthesis; `!=` and a prefix `!` are not meant.
    static func forceUnwraps(in source: String, path: String) -> [String] {
        find(/([\w)\]?]!)(?!=)/, in: source, path: path) { match in
            match == "y!" ? nil : "a force unwrap or an implicitly unwrapped type"
        }
    }

    /// Notes of unfinished work, in comments as well as in code.
    static func unfinishedWork(in source: String, path: String) -> [String] {
        // Joined here, so that this file passes its own check.
        let words = ["TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK"]
        return source.split(separator: "\n", omittingEmptySubsequences: false).enumerated().flatMap { index, line in
            let found = Set(line.split { !$0.isLetter }.map(String.init))
            return words.filter(found.contains).map { "\(path):\(index + 1): \($0) says that work is unfinished" }
        }
    }

    /// What opens a connection outwards, or starts a program that might. Libraries that do are not imported at all.
    static func waysOut(in source: String, path: String) -> [String] {
        let libraries: Set = ["FoundationNetworking", "AsyncHTTPClient", "NIOSSL"]
        let imported = ImportStatement.all(in: source).filter { libraries.contains($0.module) }
            .map { "\(path):\($0.line): \($0.module)" }
        let pattern =
            /\b(Curl(?:Engine|Transport)|SMTPTransport|ClientBootstrap|URLSession|HTTPClient|Process|connect|socket)\s*\(/
        return imported + find(pattern, in: source, path: path) { String($0) }
    }

    static func length(of source: String, limit: Int, path: String) -> [String] {
        let lines =
            source.split(separator: "\n", omittingEmptySubsequences: false).count - (source.hasSuffix("\n") ? 1 : 0)
        return lines > limit ? ["\(path): \(lines) lines; files are split by \(limit)"] : []
    }

    private static func find(
        _ pattern: Regex<(Substring, Substring)>, in source: String, path: String,
        objection: (Substring) -> String?
    ) -> [String] {
        SourceText(source).lines.enumerated().flatMap { index, line in
            line.matches(of: pattern).compactMap { match in
                objection(match.output.1).map { "\(path):\(index + 1): \($0)" }
            }
        }
    }
}
