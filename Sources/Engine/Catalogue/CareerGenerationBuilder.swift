package import Foundation
package import Store
package import VectorIndex

/// Makes generations of careers: texts to vectors (only those that are not stored yet), vectors to rows.
package struct CareerGenerationBuilder: Sendable {
    /// What building a generation took, for logs and metrics.
    package struct Statistics: Sendable, Equatable {
        package var careers = 0
        /// Vectors read from the store, and made anew.
        package var reused = 0
        package var embedded = 0
        /// Stored vectors that failed their checks and were made anew.
        package var damaged: [String] = []
    }

    private let vectors: VectorRepository
    private let facts: GenerationFactRepository
    private let quiz: Quiz
    private let comparison: AbilityComparison
    private let layout: RowLayout

    package init(
        database: any SQLDatabase, quiz: Quiz, comparison: AbilityComparison = .centred,
        clock: @escaping @Sendable () -> Date = { Date() }
    ) {
        vectors = VectorRepository(database, clock: clock)
        facts = GenerationFactRepository(database, clock: clock)
        self.quiz = quiz
        self.comparison = comparison
        layout = .standard
    }

    /// Builds a generation of `careers` in `live`.
    ///
    /// - Parameters:
    ///   - encoder: nil where there is no model; careers are then ranked by abilities alone.
    ///   - degradation: why there is none.
    /// - Throws: `CatalogueError.empty`, an error of the encoder or of the store.
    package func build(
        careers: [Career], encoder: EncodingQueue?, degradation: Degradation?, in live: LiveIndex
    ) async throws -> (generation: CareerGeneration, statistics: Statistics) {
        guard !careers.isEmpty else { throw CatalogueError.empty }
        var statistics = Statistics(careers: careers.count)
        let frame = AbilityFrame(profiles: careers.map(\.abilities), comparison: comparison)
        var careerVectors: [String: [[Float]]] = [:]
        var phraseVectors: [String: [Float]] = [:]
        if let encoder {
            try await vectors.register(encoder.space.record)
            careerVectors = try await vectorsOfCareers(careers, encoder: encoder, statistics: &statistics)
            phraseVectors = try await vectorsOfPhrases(encoder: encoder, statistics: &statistics)
        }
        let items = careers.map { career in
            IndexItem(
                id: ItemID(career.id),
                embedding: encoder.map { TextQuery.row(careerVectors[career.id] ?? [], in: $0.space) } ?? [],
                abilities: frame.unitVector(career.abilities), cluster: career.cluster,
                attributes: Self.attributes(of: career))
        }
        let index = try live.replaceAll(with: items)
        let centres = encoder.map { quizCentres(phraseVectors, in: $0.space) } ?? []
        let calibration = ReferenceQueries(
            quiz: quiz, space: encoder?.space, phraseVectors: phraseVectors, centres: centres, frame: frame
        ).calibrate(on: index)
        if let encoder {
            try await facts.set("calibration", of: encoder.space.id, to: try Self.summary(of: calibration))
        }
        let generation = CareerGeneration(
            index: index, careers: Dictionary(uniqueKeysWithValues: careers.map { ($0.id, $0) }), frame: frame,
            space: encoder?.space, calibration: calibration, degradation: degradation, quizCentres: centres,
            phraseVectors: phraseVectors)
        return (generation, statistics)
    }

    // MARK: Vectors

    private struct Wanted {
        let key: VectorKey
        let text: String
        let role: TextRole
    }

    private func vectorsOfCareers(
        _ careers: [Career], encoder: EncodingQueue, statistics: inout Statistics
    ) async throws -> [String: [[Float]]] {
        let views = encoder.space.views
        let wanted = careers.flatMap { career in
            views.map { view in
                Wanted(
                    key: VectorKey(itemKind: "career", itemID: career.id, view: view.content.rawValue),
                    text: career.text(of: view.content), role: .document)
            }
        }
        let found = try await vectors(for: wanted, kind: "career", encoder: encoder, statistics: &statistics)
        return Dictionary(
            uniqueKeysWithValues: careers.map { career in
                (
                    career.id,
                    views.map {
                        found[VectorKey(itemKind: "career", itemID: career.id, view: $0.content.rawValue)] ?? []
                    }
                )
            })
    }

    private func vectorsOfPhrases(
        encoder: EncodingQueue, statistics: inout Statistics
    ) async throws -> [String: [Float]] {
        let texts = Set(quiz.phrases.work + quiz.phrases.takes).sorted()
        let wanted = texts.map {
            Wanted(
                key: VectorKey(itemKind: "phrase", itemID: Self.hash(of: $0), view: "text"), text: $0, role: .query)
        }
        let found = try await vectors(for: wanted, kind: "phrase", encoder: encoder, statistics: &statistics)
        return Dictionary(uniqueKeysWithValues: wanted.map { ($0.text, found[$0.key] ?? []) })
    }

    /// The stored vectors where text and checksum still agree; the others embedded and stored.
    private func vectors(
        for wanted: [Wanted], kind: String, encoder: EncodingQueue, statistics: inout Statistics
    ) async throws -> [VectorKey: [Float]] {
        let stored = try await vectors.vectors(of: encoder.space.id, kind: kind)
        statistics.damaged += stored.damaged.map { "\($0.key.itemKind) \($0.key.itemID) (\($0.key.view))" }
        var found: [VectorKey: [Float]] = [:]
        let hashes = Dictionary(uniqueKeysWithValues: wanted.map { ($0.key, Self.hash(of: $0.text)) })
        for record in stored.vectors
        where hashes[record.key] == record.textHash && record.vector.count == encoder.space.dimension {
            found[record.key] = record.vector
        }
        let missing = wanted.filter { found[$0.key] == nil }
        statistics.reused += wanted.count - missing.count
        statistics.embedded += missing.count
        // In portions, so that an interrupted first start goes on where it was.
        for start in stride(from: 0, to: missing.count, by: 64) {
            let portion = Array(missing[start..<min(start + 64, missing.count)])
            let made = try await encoder.vectors(of: portion.map(\.text), role: portion[0].role)
            var records: [VectorRecord] = []
            for (item, vector) in zip(portion, made) {
                found[item.key] = vector
                records.append(VectorRecord(key: item.key, textHash: Self.hash(of: item.text), vector: vector))
            }
            try await vectors.put(records, in: encoder.space.id)
        }
        return found
    }

    private static func hash(of text: String) -> String {
        var hash = ContentHash()
        hash.update(text)
        return hash.text
    }

    // MARK: The quiz's mean phrase

    /// The weighted mean of all phrases of a view.
    ///
    /// Averaging a dozen phrases pulls every sheet towards what all phrases have in common, and a few careers near
    /// that direction would win for everyone. What counts is what an answer says beyond what any answer says.
    private func quizCentres(_ phraseVectors: [String: [Float]], in space: TextSpace) -> [[Float]] {
        space.views.map { view in
            var sum = [Double](repeating: 0, count: space.dimension)
            var total = 0.0
            for question in quiz.questions {
                for (pair, weight) in question.phrasePairs {
                    let part = QueryPart(origin: .text, weight: weight, work: pair.work, takes: pair.takes)
                    for text in part.texts(for: view.content) {
                        guard let vector = phraseVectors[text] else { continue }
                        for i in sum.indices { sum[i] += Double(weight) * Double(vector[i]) }
                        total += Double(weight)
                    }
                }
            }
            return sum.map { Float(total > 0 ? $0 / total : 0) }
        }
    }

    private static func attributes(of career: Career) -> [String: AttributeValue] {
        var attributes: [String: AttributeValue] = [
            "cluster": .keywords([career.cluster]),
            "education": .keywords([career.requiredEducation.level.rawValue]),
            "skills": .keywords(career.requiredSkills.map { $0.lowercased() }),
        ]
        if let salary = career.salary {
            attributes["salary_min"] = .number(Double(salary.min))
            attributes["salary_max"] = .number(Double(salary.max))
            attributes["currency"] = .keywords([salary.currency])
        }
        if let growth = career.growth { attributes["growth_percent"] = .number(growth.percent) }
        return attributes
    }

    private struct CalibrationSummary: Encodable {
        let lambda: Float
        let textSpread: Double
        let abilitySpread: Double
        let textMean: Double
        let abilityMean: Double
    }

    private static func summary(of calibration: Calibration) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        encoder.keyEncodingStrategy = .convertToSnakeCase
        let summary = CalibrationSummary(
            lambda: calibration.lambda, textSpread: calibration.textSpread, abilitySpread: calibration.abilitySpread,
            textMean: calibration.textMean, abilityMean: calibration.abilityMean)
        return String(decoding: try encoder.encode(summary), as: UTF8.self)
    }
}

extension TextSpace {
    /// The space as the store keeps it.
    package var record: SpaceRecord {
        SpaceRecord(id: id, modelID: modelID, weightsSHA256: weightsSHA256, description: description)
    }
}
