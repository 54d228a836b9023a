/// The names that a C file declares at file scope, found without a preprocessor: enough for our own plainly written
/// sources. `scripts/check-symbols` asks the compiler the same question about object files.
enum CDeclarations {
    /// Functions and variables that other files could see, and in headers the `static inline` ones as well: an importer
    /// sees those too.
    static func names(in source: String, isHeader: Bool) -> [String] {
        declarations(in: source).map(withoutAttributes).compactMap { declaration in
            // The specifier may stand anywhere before the name, also behind an attribute.
            guard isHeader || !declaration.prefix(while: { $0 != "(" && $0 != "=" }).contains(/\bstatic\b/) else {
                return nil
            }
            guard !declaration.starts(with: /\s*(?:typedef|_Static_assert|static_assert)\b/) else { return nil }
            return functionName(in: declaration) ?? variableName(in: declaration)
        }
    }

    /// Whether a name carries the project's prefix. `PL_NAME(…)` is a macro that makes a name, in a body that is included
    /// several times; what it makes is seen in the object file.
    static func isPrefixed(_ name: String) -> Bool {
        name.hasPrefix("pl_") || name.hasPrefix("PL_")
    }

    /// The text of each declaration at file scope, up to its body, initialiser or semicolon.
    private static func declarations(in source: String) -> [String] {
        var result: [String] = []
        var current = ""
        var depth = 0
        for character in withoutDirectives(source) {
            switch character {
            case "{":
                // `extern "C" {` opens no scope of its own.
                if depth == 0, current.contains("extern"), !current.contains("(") {
                    current = ""
                    continue
                }
                depth += 1
            case "}":
                // The brace that closes `extern "C"` closes nothing counted.
                if depth > 0 { depth -= 1 }
                // After a body, unlike after a struct or an initialiser, no semicolon follows.
                if depth == 0, current.contains("("), !current.contains("=") {
                    result.append(current)
                    current = ""
                }
            case ";" where depth == 0:
                result.append(current)
                current = ""
            default:
                if depth == 0 { current.append(character) }
            }
        }
        return result.filter { $0.contains { $0.isLetter } }
    }

    /// Comments, strings and preprocessor lines (with their continuations) blanked out.
    private static func withoutDirectives(_ source: String) -> String {
        var isContinued = false
        // C's comments and strings are Swift's, for this purpose.
        return SourceText(source).lines.map { line in
            let isDirective = isContinued || line.drop { $0.isWhitespace }.hasPrefix("#")
            isContinued = isDirective && line.hasSuffix("\\")
            return isDirective ? "" : String(line)
        }
        .joined(separator: "\n")
    }

    /// The declaration up to its initialiser, without attributes, which have parentheses of their own, nested two deep
    /// at most.
    private static func withoutAttributes(_ declaration: String) -> String {
        var text = declaration
        text.replace(/__attribute__\s*\(\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)\)/, with: " ")
        text.replace(/\[\[[^\]]*\]\]/, with: " ")
        text.replace(/_Alignas\s*\([^)]*\)|alignas\s*\([^)]*\)/, with: " ")
        return String(text.prefix { $0 != "=" })
    }

    private static func functionName(in declaration: String) -> String? {
        declaration.firstMatch(of: /([A-Za-z_]\w*)\s*\(/).map { String($0.output.1) }
    }

    private static func variableName(in declaration: String) -> String? {
        guard !declaration.contains("("), declaration.contains(/\w+[\s*]+\w+/) else { return nil }
        // `struct name` and `enum name` alone declare a type, which has no linkage.
        guard !declaration.starts(with: /\s*(?:struct|union|enum)\s+\w+\s*$/) else { return nil }
        return declaration.firstMatch(of: /([A-Za-z_]\w*)\s*(?:\[[^\]]*\]\s*)*$/).map { String($0.output.1) }
    }
}
