package import Foundation
package import Store

/// The prompts in use: what an administrator stored, else what the operator's folder has, else what is built in.
package struct PromptLibrary: Sendable {
    package enum Source: String, Sendable, CaseIterable {
        case builtIn = "built_in"
        case folder
        case stored
    }

    package struct Entry: Sendable {
        package let template: PromptTemplate
        package let source: Source
        package let updatedAt: Date?
        package let updatedBy: String?
        /// Why a text that stands before this one is not used: it was written for other variables.
        package let problem: String?

        package var id: String { template.definition.id }
    }

    private let definitions: [String: PromptDefinition]
    private let builtIn: [String: PromptTemplate]
    private let folder: [String: PromptTemplate]
    private let repository: PromptRepository

    /// - Parameters:
    ///   - definitions: the prompts of all features; ids are unique, texts fit their variables.
    ///   - folder: texts of the operator by id, as `readFolder` gives them.
    /// - Throws: `PromptError` for a definition or a text of the folder that is not usable.
    package init(
        _ definitions: [PromptDefinition], folder: [String: String] = [:], database: any SQLDatabase,
        clock: @escaping @Sendable () -> Date = { Date() }
    ) throws(PromptError) {
        var known: [String: PromptDefinition] = [:]
        var builtIn: [String: PromptTemplate] = [:]
        for definition in definitions {
            known[definition.id] = definition
            builtIn[definition.id] = try PromptTemplate(definition.text, for: definition)
        }
        var replaced: [String: PromptTemplate] = [:]
        for (id, text) in folder.sorted(by: { $0.key < $1.key }) {
            guard let definition = known[id] else { throw .unknownFile(id + ".txt") }
            replaced[id] = try PromptTemplate(text, for: definition)
        }
        self.definitions = known
        self.builtIn = builtIn
        self.folder = replaced
        repository = PromptRepository(database, clock: clock)
    }

    /// The files `<id>.txt` of a folder.
    ///
    /// - Throws: `PromptError.unreadable`
    package static func readFolder(_ path: String) throws(PromptError) -> [String: String] {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else { throw .unreadable(path) }
        var texts: [String: String] = [:]
        for name in names.sorted() where name.hasSuffix(".txt") && !name.hasPrefix(".") {
            let file = URL(fileURLWithPath: path).appendingPathComponent(name)
            guard let data = try? Data(contentsOf: file), let text = String(validating: data, as: UTF8.self) else {
                throw .unreadable(name)
            }
            texts[String(name.dropLast(4))] = text
        }
        return texts
    }

    /// All prompts by id.
    package func all() async throws -> [Entry] {
        let stored = Dictionary(
            try await repository.all().map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        return definitions.keys.sorted().compactMap { id in entry(id, stored: stored[id]) }
    }

    /// - Throws: `PromptError.unknownPrompt`, `StoreError`
    package func entry(_ id: String) async throws -> Entry {
        guard definitions[id] != nil, let entry = entry(id, stored: try await repository.prompt(id: id)) else {
            throw PromptError.unknownPrompt(id: id)
        }
        return entry
    }

    /// The prompt of that id, filled in.
    package func filled(_ id: String, with values: [String: PromptValue]) async throws -> FilledPrompt {
        try await entry(id).template.filled(with: values)
    }

    /// Stores another text for a prompt.
    ///
    /// - Parameter author: the user or key that does.
    /// - Throws: `PromptError` where the text does not fit, `StoreError`.
    package func replace(_ id: String, with text: String, by author: String?) async throws -> Entry {
        guard let definition = definitions[id] else { throw PromptError.unknownPrompt(id: id) }
        _ = try PromptTemplate(text, for: definition)
        try await repository.set(id, to: text, by: author)
        return try await entry(id)
    }

    /// Goes back to the folder's text or the built-in one.
    package func reset(_ id: String) async throws -> Entry {
        guard definitions[id] != nil else { throw PromptError.unknownPrompt(id: id) }
        try await repository.remove(id)
        return try await entry(id)
    }

    private func entry(_ id: String, stored: PromptRecord?) -> Entry? {
        guard let definition = definitions[id], let builtIn = builtIn[id] else { return nil }
        var problem: String?
        if let stored {
            do {
                return Entry(
                    template: try PromptTemplate(stored.text, for: definition), source: .stored,
                    updatedAt: stored.updatedAt, updatedBy: stored.updatedBy, problem: nil)
            } catch {
                // A later version of the program may give other variables; what it brings along fits them.
                problem = "the stored text is not used: \(error)"
            }
        }
        return Entry(
            template: folder[id] ?? builtIn, source: folder[id] == nil ? .builtIn : .folder, updatedAt: nil,
            updatedBy: nil, problem: problem)
    }
}
