package import Engine
internal import Platform

/// A model outside that embeds texts, as settings and `--model` name it: `gemini:gemini-embedding-001`,
/// `openai:text-embedding-3-small`; `openai` is also what else speaks its protocol, at `llm.openai_base_url`.
package struct OutsideModel: Sendable, Equatable {
    private static let maximumNameBytes = 200

    package let id: String
    /// The provider's own name of the model.
    package let name: String
    private let isGemini: Bool

    /// Nil for what names no model outside: it is then a folder of the models' folder.
    package init?(_ id: String) {
        guard let colon = id.firstIndex(of: ":") else { return nil }
        switch id[..<colon] {
        case "gemini": isGemini = true
        case "openai": isGemini = false
        default: return nil
        }
        name = String(id[id.index(after: colon)...])
        // It becomes part of an address or of a document, where any other character is escaped.
        guard (1...Self.maximumNameBytes).contains(name.utf8.count),
            name.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        else { return nil }
        self.id = id
    }

    var provider: LLMSettings.Choice { isGemini ? .gemini : .openai }

    /// The same, as its space knows it.
    package var remote: RemoteModel {
        guard isGemini else { return RemoteModel(id: id, queryTask: "", documentTask: "") }
        return RemoteModel(
            id: id, queryTask: GeminiProvider.taskType(of: .query), documentTask: GeminiProvider.taskType(of: .document)
        )
    }

    /// What is told where the careers' vectors are of this model and the settings name another: nobody's words leave the
    /// machine because of what is in a database.
    var notNamed: Degradation {
        Degradation(
            reason: .modelNotNamed,
            detail:
                "The careers' vectors are of \(id), which runs outside, and the settings do not name it, so that careers are "
                + "ranked by abilities alone and nothing is sent there. Set `model: \(id)` to use it, or go back with "
                + "“pathlight reembed --rollback”.")
    }
}
