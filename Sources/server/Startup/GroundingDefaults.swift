internal import Engine
internal import Foundation

/// How the texts of a model are grounded: what `models/manifest.json` says of it, found on the development sets, else what
/// serves a general sentence encoder.
struct GroundingDefaults: Sendable, Equatable {
    let rule: Grounding.Rule
    /// Share of the grounded view in a row's cosine.
    let weight: Double

    /// Of all-MiniLM-L6-v2.
    private static let general = GroundingDefaults(rule: .init(temperature: 0.07), weight: 0.6)

    /// - Throws: `StartProblem` for a manifest that cannot be read, or asks for what cannot be.
    static func of(_ model: String, settings: ServiceSettings) throws -> GroundingDefaults {
        let folder = URL(fileURLWithPath: settings.modelsDirectory, isDirectory: true)
        guard let pinned = try ModelManifest.find(in: folder)?.model(model)?.grounding else { return general }
        guard pinned.temperature > 0, pinned.temperature.isFinite, pinned.weight > 0, pinned.weight < 1 else {
            throw StartProblem("the manifest's grounding of \(model) needs a temperature above 0 and a weight below 1")
        }
        return GroundingDefaults(rule: .init(temperature: pinned.temperature), weight: pinned.weight)
    }
}
