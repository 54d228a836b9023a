internal import Embedder
internal import Engine
internal import Store

/// Which model a start loads, and what it computes in.
struct ModelChoice: Sendable, Equatable {
    let id: String
    let precision: EncoderPrecision
    /// Of the vectors in use where the model runs outside: under one name it may be another model by now.
    var space: String?

    /// The model of the vectors in use; the settings decide only where there are none.
    ///
    /// Vectors of another precision than that of the settings are made anew, unless a rollback holds them: then the
    /// model computes as they were computed.
    static func read(from database: any SQLDatabase, settings: ServiceSettings) async throws -> ModelChoice {
        let reembedder = Reembedder(database)
        guard let space = try await reembedder.spaceInUse() else {
            return ModelChoice(id: settings.model, precision: settings.precision)
        }
        if OutsideModel(space.modelID) != nil {
            return ModelChoice(id: space.modelID, precision: settings.precision, space: space.id)
        }
        let held = try await reembedder.isHeld() ? space.precision : nil
        return ModelChoice(id: space.modelID, precision: held ?? settings.precision)
    }
}
