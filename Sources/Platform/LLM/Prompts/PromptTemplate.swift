internal import Crypto
internal import Foundation

/// Why a prompt cannot be used. Names its place and its variables.
package enum PromptError: Error, Sendable, Equatable, CustomStringConvertible {
    case unknownPrompt(id: String)
    case empty
    case tooLong(bytes: Int, maximum: Int)
    /// `{{` without `}}`, or something else than a name between.
    case syntax(line: Int, problem: String)
    case unknownVariables([String], known: [String])
    /// Variables that the feature gives and the text does not use.
    case unusedVariables([String])
    /// Variables that were not given when the prompt was filled in.
    case missingVariables([String])
    /// A value that may not stand among instructions.
    case invalidValue(name: String, problem: String)
    /// A file of the folder whose name is no prompt's.
    case unknownFile(String)
    case unreadable(String)

    package var description: String {
        switch self {
        case .unknownPrompt(let id): "there is no prompt “\(id.prefix(64))”"
        case .empty: "the prompt is empty"
        case .tooLong(let bytes, let maximum): "the prompt has \(bytes) bytes; at most \(maximum) are taken"
        case .syntax(let line, let problem): "line \(line): \(problem)"
        case .unknownVariables(let names, let known):
            "unknown variables \(Self.list(names)); known are \(known.isEmpty ? "none" : Self.list(known))"
        case .unusedVariables(let names): "the text does not use \(Self.list(names))"
        case .missingVariables(let names): "no value is given for \(Self.list(names))"
        case .invalidValue(let name, let problem): "the value of {{\(name)}} \(problem)"
        case .unknownFile(let name): "\(name) is no prompt's file; name it as a prompt's id with .txt"
        case .unreadable(let name): "\(name) cannot be read as UTF-8 text"
        }
    }

    private static func list(_ names: [String]) -> String {
        names.prefix(20).map { "{{\($0.prefix(64))}}" }.joined(separator: ", ")
    }
}

/// What a feature gives to a prompt.
package struct PromptVariable: Sendable, Equatable {
    package enum Kind: String, Sendable {
        /// A short value of the program's own, such as a number, that stands among the instructions.
        case value
        /// What people wrote: a block of its own, which the instructions name.
        case untrusted
    }

    package let name: String
    package let kind: Kind
    /// One clause, for administrators.
    package let meaning: String

    package init(_ name: String, _ kind: Kind, _ meaning: String) {
        self.name = name
        self.kind = kind
        self.meaning = meaning
    }
}

/// A value for a variable.
package enum PromptValue: Sendable, Equatable {
    case value(String)
    case untrusted(String)
}

/// A prompt that the program knows: its id, its variables, and the text that it has unless somebody gave another.
package struct PromptDefinition: Sendable, Equatable {
    package let id: String
    /// What it is for, in a clause.
    package let purpose: String
    package let variables: [PromptVariable]
    package let text: String

    package init(id: String, purpose: String, variables: [PromptVariable], text: String) {
        self.id = id
        self.purpose = purpose
        self.variables = variables
        self.text = text
    }
}

/// A text with variables in double braces, read once: `Rate {{resume}} from 0 to {{maximum}}.`
package struct PromptTemplate: Sendable, Equatable {
    package static let maximumBytes = 64 << 10
    /// Of a value that stands among instructions.
    package static let maximumValueCharacters = 500

    private enum Piece: Sendable, Equatable {
        case text(String)
        case variable(String)
    }

    package let definition: PromptDefinition
    package let text: String
    private let pieces: [Piece]

    /// - Throws: `PromptError` where the text is not one for this definition.
    package init(_ text: String, for definition: PromptDefinition) throws(PromptError) {
        guard text.contains(where: { !$0.isWhitespace }) else { throw .empty }
        guard text.utf8.count <= Self.maximumBytes else {
            throw .tooLong(bytes: text.utf8.count, maximum: Self.maximumBytes)
        }
        pieces = try Self.pieces(of: text)
        self.text = text
        self.definition = definition
        let used = pieces.compactMap { if case .variable(let name) = $0 { name } else { nil } }
        let known = definition.variables.map(\.name)
        let unknown = Self.unique(used.filter { !known.contains($0) })
        guard unknown.isEmpty else { throw .unknownVariables(unknown, known: known) }
        let unused = known.filter { !used.contains($0) }
        guard unused.isEmpty else { throw .unusedVariables(unused) }
    }

    /// The first twelve digits of the text's SHA-256: what a reply was made with.
    package var version: String { Self.version(of: text) }

    package static func version(of text: String) -> String {
        SHA256.hash(data: Data(text.utf8)).prefix(6).map { byte in
            let digits = String(byte, radix: 16)
            return digits.utf8.count == 1 ? "0" + digits : digits
        }.joined()
    }

    /// Fills the variables in: values in their places, untrusted text in blocks.
    ///
    /// - Throws: `PromptError` unless exactly the definition's variables are given, each of its kind.
    package func filled(with values: [String: PromptValue]) throws(PromptError) -> FilledPrompt {
        let variables = definition.variables
        let known = variables.map(\.name)
        let unknown = values.keys.filter { !known.contains($0) }.sorted()
        guard unknown.isEmpty else { throw .unknownVariables(unknown, known: known) }
        let missing = known.filter { values[$0] == nil }
        guard missing.isEmpty else { throw .missingVariables(missing) }
        var blocks: [UntrustedText] = []
        var inserted: [String: String] = [:]
        for variable in variables {
            switch (variable.kind, values[variable.name]) {
            case (.value, .value(let text)):
                inserted[variable.name] = try Self.checked(text, name: variable.name)
            case (.untrusted, .untrusted(let text)):
                blocks.append(UntrustedText(text, label: variable.name))
                inserted[variable.name] = "[the data block “\(variable.name)”]"
            case (.value, _):
                throw .invalidValue(name: variable.name, problem: "is a value of the program and not people's text")
            case (.untrusted, _):
                throw .invalidValue(name: variable.name, problem: "is people's text and must be given as untrusted")
            }
        }
        let instructions = pieces.map { piece in
            switch piece {
            case .text(let text): text
            case .variable(let name): inserted[name] ?? ""
            }
        }.joined()
        return FilledPrompt(id: definition.id, version: version, instructions: instructions, blocks: blocks)
    }

    /// A value stands among instructions: one line, and not long enough for another set of them.
    private static func checked(_ text: String, name: String) throws(PromptError) -> String {
        guard text.unicodeScalars.count <= maximumValueCharacters else {
            throw .invalidValue(name: name, problem: "has more than \(maximumValueCharacters) characters")
        }
        guard UntrustedText(text, label: name).text == text, !text.contains("\n") else {
            throw .invalidValue(name: name, problem: "has line ends or control characters")
        }
        return text
    }

    private static func pieces(of text: String) throws(PromptError) -> [Piece] {
        var pieces: [Piece] = []
        var rest = Substring(text)
        var line = 1
        while let opening = rest.range(of: "{{") {
            let before = rest[..<opening.lowerBound]
            if !before.isEmpty { pieces.append(.text(String(before))) }
            line += before.count { $0.isNewline }
            guard let closing = rest[opening.upperBound...].range(of: "}}") else {
                throw .syntax(line: line, problem: "“{{” has no “}}”")
            }
            let name = rest[opening.upperBound..<closing.lowerBound].trimmingCharacters(in: .whitespaces)
            guard isName(name) else {
                throw .syntax(
                    line: line,
                    problem: "“{{\(name.prefix(40))}}” is no variable; a name has lower-case letters, digits, _")
            }
            pieces.append(.variable(name))
            rest = rest[closing.upperBound...]
        }
        if !rest.isEmpty { pieces.append(.text(String(rest))) }
        return pieces
    }

    private static func isName(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F }
    }

    private static func unique(_ names: [String]) -> [String] {
        var seen: Set<String> = []
        return names.filter { seen.insert($0).inserted }
    }
}

/// A prompt ready to be sent: instructions, and blocks of what people wrote.
package struct FilledPrompt: Sendable, Equatable {
    package let id: String
    package let version: String
    package let instructions: String
    package let blocks: [UntrustedText]

    package init(id: String, version: String, instructions: String, blocks: [UntrustedText] = []) {
        self.id = id
        self.version = version
        self.instructions = instructions
        self.blocks = blocks
    }
}
