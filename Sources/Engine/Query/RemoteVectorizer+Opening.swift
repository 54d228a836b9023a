package import Store

extension RemoteVectorizer {
    /// The vectorizer of a space that the store knows, without asking anybody.
    ///
    /// Where careers' texts are composed in another way by now, it is that of the space which the same model gives with the
    /// present way: careers are then embedded anew, as with a model that runs here.
    ///
    /// - Parameter keeps: whether that space is kept in the store; not for who only looks.
    /// - Returns: nil where the store has no such space of the model.
    package static func known(
        _ space: String, of model: RemoteModel, source: any TextVectorSource, in database: any SQLDatabase,
        keeps: Bool = true, limits: Limits = Limits(), time: Time = Time()
    ) async throws -> RemoteVectorizer? {
        let vectors = VectorRepository(database)
        guard let record = try await vectors.spaces().first(where: { $0.id == space && $0.modelID == model.id }) else {
            return nil
        }
        let references = try await ReferenceVectors.read(of: record.id, from: vectors)
        let present = try model.space(fingerprint: record.weightsSHA256)
        if keeps, present.id != record.id { try await keep(references, in: present, of: vectors) }
        return RemoteVectorizer(
            space: present, references: references, source: source, limits: limits, time: time, isChecked: false)
    }

    /// Asks the model for the reference texts: where it gives what it gave before, its space is the one of then, otherwise
    /// a new one.
    ///
    /// - Parameters:
    ///   - isAwaited: whether the model has as long as for a query only, and one attempt.
    ///   - keeps: whether the space is kept in the store; not for who only looks.
    /// - Throws: `VectorsUnavailable`, `StoreError`, `CancellationError`.
    package static func resolved(
        _ model: RemoteModel, source: any TextVectorSource, in database: any SQLDatabase, isAwaited: Bool = false,
        keeps: Bool = true, limits: Limits = Limits(), time: Time = Time()
    ) async throws -> RemoteVectorizer {
        func ask(_ limit: Duration) async throws -> [[Float]] {
            try await source.vectors(of: ReferenceVectors.texts, role: .query, within: limit)
        }
        let made = isAwaited ? try await ask(limits.query) : try await patiently(limits, time, ask)
        guard let fresh = ReferenceVectors(made) else {
            throw VectorsUnavailable(
                reason: "bad_reply",
                description: "\(model.id) gave \(made.count) vectors for as many texts as there are",
                isTransient: false)
        }
        let vectors = VectorRepository(database)
        var (references, fingerprint) = (fresh, fresh.fingerprint)
        for record in try await vectors.spaces() where record.modelID == model.id {
            guard let stored = try await ReferenceVectors.read(of: record.id, from: vectors),
                stored.cosine(with: fresh.vectors) >= ReferenceVectors.leastCosine
            else { continue }
            (references, fingerprint) = (stored, record.weightsSHA256)
            break
        }
        let space = try model.space(fingerprint: fingerprint)
        if keeps { try await keep(references, in: space, of: vectors) }
        return RemoteVectorizer(
            space: space, references: references, source: source, limits: limits, time: time, isChecked: true)
    }

    /// A vectorizer of the same space that asks nobody: for a start, which waits for no provider.
    package var withoutAsking: RemoteVectorizer {
        RemoteVectorizer(
            space: space, references: references, source: Nobody(model: space.modelID), limits: Limits(), time: Time(),
            isChecked: true)
    }

    private struct Nobody: TextVectorSource {
        let model: String

        func vectors(of texts: [String], role: TextRole, within limit: Duration) async throws -> [[Float]] {
            throw VectorsUnavailable(
                reason: "vectors_pending", description: "\(model) is yet to be asked for vectors that are missing",
                isTransient: false)
        }
    }

    private static func keep(
        _ references: ReferenceVectors?, in space: TextSpace, of vectors: VectorRepository
    ) async throws {
        try await vectors.register(space.record)
        try await references?.write(to: vectors, of: space.id)
    }
}
