internal import Embedder
internal import Engine
internal import Store

/// Which model a start loads, and what it computes in.
struct ModelChoice: Sendable, Equatable {
    let id: String
    let precision: EncoderPrecision
    /// Of the vectors in use where the model runs outside: under one name it may be another model by now.
    var space: String?
    /// What texts are grounded by.
    var grounding = GroundingChoice.none

    /// The model of the vectors in use; the settings decide only where there are none.
    ///
    /// Vectors of another precision than that of the settings are made anew, unless a rollback holds them: then the
    /// model computes as they were computed.
    ///
    /// Texts are grounded as those of the vectors in use were; where there are none, by what is there to ground them.
    static func read(from database: any SQLDatabase, settings: ServiceSettings) async throws -> ModelChoice {
        let reembedder = Reembedder(database)
        guard let space = try await reembedder.spaceInUse() else {
            return ModelChoice(
                id: settings.model, precision: settings.precision,
                grounding: OutsideModel(settings.model) == nil ? .made : .none)
        }
        if OutsideModel(space.modelID) != nil {
            return ModelChoice(id: space.modelID, precision: settings.precision, space: space.id)
        }
        let held = try await reembedder.isHeld() ? space.precision : nil
        return ModelChoice(
            id: space.modelID, precision: held ?? settings.precision,
            grounding: space.knowledgeBase.map(GroundingChoice.stored) ?? .none)
    }
}

/// What texts are grounded by.
enum GroundingChoice: Sendable, Equatable {
    /// Nothing: the space is that of the texts alone.
    case none
    /// The knowledge base of that checksum.
    case stored(String)
    /// That of the catalogue's titles, made where it is not there; none where the catalogue has no occupations to ground by.
    case made
}
