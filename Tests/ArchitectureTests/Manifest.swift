/// The targets that a `Package.swift` declares, read as text: asking SwiftPM from inside a test run would wait for the
/// lock that the run itself holds.
struct Manifest {
    struct Target: Equatable {
        let name: String
        /// Names of targets and of products, as written.
        let dependencies: [String]
    }

    let targets: [Target]

    init(_ source: String) {
        targets = source.matches(of: /\.(?:target|executableTarget|testTarget|systemLibrary)\s*\(\s*name:\s*"/).map {
            let arguments = Self.balanced(source[$0.range.lowerBound...], open: "(", close: ")")
            let name = arguments.firstMatch(of: /name:\s*"([^"]+)"/).map { String($0.output.1) } ?? ""
            guard let list = arguments.firstRange(of: "dependencies:") else {
                return Target(name: name, dependencies: [])
            }
            return Target(
                name: name,
                dependencies: Self.names(in: Self.balanced(arguments[list.upperBound...], open: "[", close: "]")))
        }
    }

    /// `"Target"` and `.product(name: "Product", package: "…")`, in order.
    private static func names(in list: Substring) -> [String] {
        list.matches(of: /\.(?:product|target|byName)\s*\(\s*name:\s*"([^"]+)"[^)]*\)|"([^"]+)"/).compactMap {
            ($0.output.1 ?? $0.output.2).map(String.init)
        }
    }

    /// The text between the first `open` and the `close` that belongs to it.
    private static func balanced(_ text: Substring, open: Character, close: Character) -> Substring {
        guard let start = text.firstIndex(of: open) else { return "" }
        var depth = 0
        for index in text[start...].indices {
            if text[index] == open { depth += 1 }
            if text[index] == close { depth -= 1 }
            if depth == 0 { return text[text.index(after: start)..<index] }
        }
        return text[start...]
    }
}
