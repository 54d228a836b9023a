internal import Store
internal import VectorIndex

/// A collection to search in, as the engine searches: rows of an index, exact search, batches.
package struct RetrievalSearch: Sendable {
    private let index: Generation
    private let encoder: EncodingQueue
    /// What the rows were made of, in words.
    package let name: String

    /// Documents as their texts say them: one vector each, in every view, so that a cosine of rows is that of the texts.
    package static func plain(
        _ documents: [RetrievalText], encoder: EncodingQueue,
        progress: @Sendable (ReembedProgress) -> Void = { _ in }
    ) async throws -> RetrievalSearch {
        let rows = try await rows(
            documents.map { ($0.id, [$0.text]) }, encoder: encoder, progress: progress
        ) { _, texts, vectors in
            let vector = vectors[texts[0]] ?? []
            return TextQuery.row(encoder.space.views.map { $0.slice(vector) }, in: encoder.space)
        }
        return try RetrievalSearch(rows, encoder: encoder, name: "texts as they are")
    }

    /// The careers of a catalogue in the engine's own space: views and titles.
    ///
    /// - Parameters:
    ///   - ids: careers that are searched; those that are not in the catalogue are missing from every list.
    ///   - heldOut: titles that the rows must not know, whatever their case: those that the queries ask for.
    ///   - hasTitles: whether rows are made of titles at all.
    package static func catalogue(
        _ careers: [Career], ids: Set<String>, heldOut: [String], hasTitles: Bool = true, encoder: EncodingQueue,
        progress: @Sendable (ReembedProgress) -> Void = { _ in }
    ) async throws -> RetrievalSearch {
        let unknown = Set(heldOut.map(OccupationTitles.folded))
        let texts = careers.filter { ids.contains($0.id) }.map { career in
            var career = career
            career.aliases.removeAll { !hasTitles || unknown.contains(OccupationTitles.folded($0)) }
            return (career.id, CareerTexts(career))
        }
        let byID = Dictionary(uniqueKeysWithValues: texts)
        let rows = try await rows(
            texts.map { ($0.0, $0.1.all(for: encoder.space)) }, encoder: encoder, progress: progress
        ) { id, _, vectors in
            byID[id]?.row(from: vectors, in: encoder.space) ?? []
        }
        return try RetrievalSearch(rows, encoder: encoder, name: "own space")
    }

    private init(_ rows: [(id: String, row: [Float])], encoder: EncodingQueue, name: String) throws {
        index = try LiveIndex().replaceAll(
            with: rows.map { IndexItem(id: ItemID($0.id), embedding: $0.row, abilities: []) })
        self.encoder = encoder
        self.name = name
    }

    /// For each query every document's id, best first.
    package func rank(_ queries: ArraySlice<RetrievalText>) async throws -> [[String]] {
        let vectors = try await encoder.vectors(of: queries.map(\.text), role: .query)
        let requests = try vectors.map { vector in
            SearchRequest(
                query: try FusedQuery(
                    embedding: TextQuery.row(encoder.space.views.map { $0.slice(vector) }, in: encoder.space),
                    abilities: [],
                    alpha: 1, lambda: 1, layout: index.layout), limit: index.count)
        }
        return try await OwnThread.run { [index] in
            try index.search(batch: requests).map { $0.hits.map(\.id.text) }
        }
    }

    private static func rows(
        _ documents: [(id: String, texts: [String])], encoder: EncodingQueue,
        progress: @Sendable (ReembedProgress) -> Void,
        _ row: (String, [String], [String: [Float]]) -> [Float]
    ) async throws -> [(id: String, row: [Float])] {
        var rows: [(id: String, row: [Float])] = []
        for start in stride(from: 0, to: documents.count, by: 64) {
            let portion = documents[start..<min(start + 64, documents.count)]
            let vectors = try await encoder.documentVectors(of: Set(portion.flatMap(\.texts)))
            rows += portion.map { ($0.id, row($0.id, $0.texts, vectors)) }
            progress(ReembedProgress(done: rows.count, total: documents.count))
        }
        return rows
    }
}
