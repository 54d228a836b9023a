package import Engine
package import Store

/// Makes students' lists and courses' paths: by the engine where it can, worded by a model where there is one, else
/// from the predefined lists.
///
/// One is made for each run, with the calls of a model that the run may make.
package struct ListMaker: Sendable {
    /// Careers of a list, before a model adds some.
    package static let listSize = 10
    /// A course leads to several careers of one cluster; a student's list is as varied as everywhere else.
    private static let pathsPerCluster = 3
    /// Calls of the model side by side: most of the gateway's slots stay for those that somebody waits for.
    private static let callsAtATime = 2
    /// The problem of a list for somebody who says nothing that can be read.
    static let nothingToGoOn = "nothing_to_go_on"

    private let recommender: Recommender
    private let predefined: PredefinedLists
    private let model: ModelWording?
    private let latestNames = LatestCareerNames()

    /// - Parameter model: nil where none is to be asked.
    package init(recommender: Recommender, predefined: PredefinedLists, model: ModelWording? = nil) {
        self.recommender = recommender
        self.predefined = predefined
        self.model = model
    }

    /// The market that a model may be told of now; nil where none may be asked any more.
    package var market: String? { model.flatMap { $0.mayAsk ? $0.market : nil } }

    /// Calls of the model that may still be made, and those that were.
    package var callsLeft: Int { model?.allowance.remaining ?? 0 }
    package var callsMade: Int { model?.allowance.used ?? 0 }

    /// The lists of several students, in their order, from one batch of searches. Students with equal marks have equal
    /// lists; each list has careers, whatever fails.
    ///
    /// - Throws: `CancellationError` alone.
    package func lists(for inputs: [StudentInput]) async throws -> [MadeList] {
        try await made(for: inputs.map { ListQuestion(student: $0) })
    }

    /// The paths of several courses by their names, in their order.
    ///
    /// - Throws: `CancellationError` alone.
    package func paths(for courses: [String]) async throws -> [MadePaths] {
        try await made(for: courses.map { ListQuestion(course: $0) }).map { list in list.map { CoursePath($0) } }
    }

    private func made(for questions: [ListQuestion]) async throws -> [MadeList] {
        var places: [ListQuestion: Int] = [:]
        var distinct: [ListQuestion] = []
        for question in questions where places[question] == nil {
            places[question] = distinct.count
            distinct.append(question)
        }
        guard !distinct.isEmpty else { return [] }
        let generation = recommender.current
        let names = try await latestNames.names(of: generation)
        let lists = try await worded(
            engineLists(for: distinct, in: generation, names: names), for: distinct, names: names)
        return questions.compactMap { question in places[question].map { lists[$0] } }
    }

    // MARK: The engine

    private func engineLists(
        for questions: [ListQuestion], in generation: CareerGeneration, names: CareerNames
    ) async throws -> [MadeList] {
        let said = questions.map(\.remarks)
        let readable = questions.indices.filter { !said[$0].isEmpty }
        let requests = readable.map { position in
            RecommendationRequest(
                remarks: said[position], topN: Self.listSize,
                maxPerCluster: questions[position].subject == .course ? Self.pathsPerCluster : 1,
                generation: generation.number)
        }
        var results: [Int: Result<RecommendationReply, RecommendationError>] = [:]
        var failure = Self.nothingToGoOn
        if !requests.isEmpty {
            do {
                for (position, result) in zip(readable, try await recommender.recommend(batch: requests)) {
                    results[position] = result
                }
            } catch {
                if error is CancellationError || Task.isCancelled { throw CancellationError() }
                // The encoder's, and all of the batch's: who is not read has the predefined list until the next run.
                failure = "engine_failed"
            }
        }
        return questions.enumerated().map { position, question in
            let list = Self.list(results[position], for: question.subject)
            if let list, !list.careers.isEmpty { return list }
            let problem = list?.problem ?? Self.problem(results[position])
            return MadeList(
                origin: .fallback, careers: predefined.careers(for: question, names: names, count: Self.listSize),
                generation: Int64(clamping: generation.number),
                problem: problem ?? (said[position].isEmpty ? Self.nothingToGoOn : failure))
        }
    }

    /// Nil where the engine gave no reply.
    private static func list(
        _ result: Result<RecommendationReply, RecommendationError>?, for subject: ListQuestion.Subject
    ) -> MadeList? {
        guard case .success(let reply) = result else { return nil }
        let careers = reply.recommendations.map { item in
            let shown = Percent(
                score: item.score, embedding: item.embeddingSimilarity, ability: item.abilitySimilarity,
                alpha: reply.alpha)
            return ListedCareer(
                item.career, score: shown.score, band: item.band, reason: EngineReason.text(of: item, for: subject),
                origin: .engine)
        }
        // Words that a model outside did not read are missing from a list that is not empty too; it stays the engine's.
        return MadeList(
            origin: .engine, careers: careers, generation: Int64(clamping: reply.generation),
            problem: reply.degradation?.reason.rawValue)
    }

    private static func problem(_ result: Result<RecommendationReply, RecommendationError>?) -> String? {
        guard case .failure(let error) = result else { return nil }
        switch error {
        case .nothingToGoOn: return Self.nothingToGoOn
        case .textNeedsModel(let degradation), .textUnavailable(let degradation):
            return degradation.reason.rawValue
        default: return "engine_failed"
        }
    }

    // MARK: The model

    /// The engine's lists as the model words them, as many as the allowance has calls for, in their order.
    private func worded(
        _ lists: [MadeList], for questions: [ListQuestion], names: CareerNames
    ) async throws -> [MadeList] {
        guard let model else { return lists }
        var lists = lists
        try await withThrowingTaskGroup(of: (Int, MadeList).self) { group in
            var underWay = 0
            // The predefined lists are nobody's own: there is nothing to word.
            for position in lists.indices where lists[position].origin == .engine {
                if underWay == Self.callsAtATime, let (place, list) = try await group.next() {
                    lists[place] = list
                    underWay -= 1
                }
                if let refusal = model.refusal() {
                    lists[position].problem = refusal
                    continue
                }
                let (list, question) = (lists[position], questions[position])
                group.addTask { (position, try await model.worded(list, for: question, names: names)) }
                underWay += 1
            }
            while let (place, list) = try await group.next() { lists[place] = list }
        }
        return lists
    }
}
