internal import Embedder

/// The models that clients may ask for vectors by name.
///
/// Who names none gets the general model: where the service itself compares careers by an adapter, that is the model
/// that the adapter changes, whose vectors are those of other programs that have it, and stay what they are when a later
/// release brings another adapter.
struct ReferenceModels: Sendable {
    let general: ReferenceModel
    /// The model with its adapter; nil where there is none.
    let adapted: ReferenceModel?

    /// - Returns: nil for a name that is neither's.
    func model(named name: String?) -> ReferenceModel? {
        guard let name else { return general }
        return [general, adapted].compactMap { $0 }.first { $0.id == name }
    }

    /// The names, for who asked for another.
    var names: String { [general.id, adapted?.id].compactMap { $0.map { "“\($0)”" } }.joined(separator: " and ") }

    /// The numbers of their queues besides the service's own; nil where there are none.
    func statistics(besides own: EmbeddingQueue?) -> EmbeddingQueueStatistics? {
        let found = [general, adapted].compactMap { $0?.statistics(besides: own) }
        guard let first = found.first else { return nil }
        return found.dropFirst().reduce(first) { $0 + $1 }
    }
}
