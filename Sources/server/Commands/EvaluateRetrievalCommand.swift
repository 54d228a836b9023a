internal import ArgumentParser
internal import Engine
internal import Foundation
internal import Logging
internal import Store

extension EvaluateCommand {
    /// `pathlight evaluate retrieval`
    struct Retrieval: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "How well queries find what was judged relevant to them: MAP, MRR, success@, recall@, nDCG@10.",
            discussion: """
                The corpus is embedded and searched by the engine itself. A query whose text is also a document's, and not judged \
                relevant, does not find itself. With --space several spaces are measured in one run and compared, query by query. \
                With --catalogue the careers of the data folder are searched as well, in the engine's own space; titles equal to \
                any query are kept out of what their vectors are made of.
                """)

        @Option(help: "Queries: id, tab, text on each line.")
        var queries: String

        @Option(help: "Documents: id, tab, text on each line.")
        var corpus: String

        @Option(help: "Judgements as TREC has them: query, 0, document, grade.")
        var qrels: String

        @Option(parsing: .singleValue, help: ArgumentHelp(EvaluatedSpace.explanation, valueName: "name"))
        var space: [EvaluatedSpace] = []

        @Flag(help: "Search the careers of the data folder too, and compare; ids are the corpus's.")
        var catalogue = false

        @Flag(help: "Leave what equals a query's text out of the knowledge base, the results and the judgements.")
        var excludeSelf = false

        @Option(help: "Show so many of the queries that the last space answers worst.")
        var worst = 0

        @Flag(help: "Print one JSON document.")
        var json = false

        @OptionGroup var common: CommonOptions

        func validate() throws {
            if worst < 0 { throw ValidationError("--worst must be 0 or more, not \(worst)") }
            for (position, one) in space.enumerated() {
                if let same = space[..<position].first(where: { $0.isSame(as: one) }) {
                    throw ValidationError("--space \(one.name) is the same space as --space \(same.name); name it once")
                }
            }
            if catalogue, !space.isEmpty {
                throw ValidationError("--catalogue does not go with --space: name the space with :titles instead")
            }
        }

        private struct Answer: Encodable {
            let reports: [RetrievalReport]
            /// The first of `comparisons`.
            let comparison: RetrievalComparison?
            let comparisons: [RetrievalComparison]
            let worst: [RetrievalFailure]?
        }

        private struct Measured {
            let name: String
            let space: String
            let run: RetrievalRun
        }

        func run() async throws {
            let (settings, logger) = try common.settings()
            let collection = RetrievalCollection(
                queries: try RetrievalCollection.texts(try Self.bytes(queries), named: queries),
                documents: try RetrievalCollection.texts(try Self.bytes(corpus), named: corpus))
            let judgements = try RetrievalJudgements(try Self.bytes(qrels), named: qrels, for: collection)
            let task = RetrievalTask(collection, judgements, excludesSelf: excludeSelf)
            let measured = try await measure(spaces(settings), task, settings: settings, logger: logger)
            let reports = try measured.map { try RetrievalReport($0.run, name: $0.name, space: $0.space) }
            let comparisons = try measured.dropFirst().map {
                try RetrievalComparison(of: $0.run, named: $0.name, over: measured[0].run, named: measured[0].name)
            }
            let failures = worst > 0 ? measured.last.map { task.failures(of: $0.run, count: worst) } : nil
            if json {
                let answer = Answer(
                    reports: reports, comparison: comparisons.first, comparisons: Array(comparisons), worst: failures)
                try Terminal.data(try Embedding.json(answer))
            } else {
                var text = ([RetrievalReport.markdown(reports)] + comparisons.map(\.markdown)).joined(separator: "\n\n")
                if let failures { text += "\n\n" + RetrievalFailure.markdown(failures) }
                try Terminal.data(text)
            }
        }

        /// What was asked for; without `--space` the settings' model, and with `--catalogue` its own space.
        private func spaces(_ settings: ServiceSettings) -> [EvaluatedSpace] {
            if !space.isEmpty { return space }
            let model = settings.model
            let plain = EvaluatedSpace(
                model: model, isGrounded: false, rows: .texts, name: "\(model), texts as they are")
            let own = EvaluatedSpace(
                model: model, isGrounded: false, rows: .titles,
                name: "own space (views, titles), titles asked for held out")
            return catalogue ? [plain, own] : [plain]
        }

        private func measure(
            _ spaces: [EvaluatedSpace], _ task: RetrievalTask, settings: ServiceSettings, logger: Logger
        ) async throws -> [Measured] {
            let needsCareers = spaces.contains { $0.isGrounded || $0.rows != .texts }
            // Texts alone need no data folder, and make none.
            let database = needsCareers ? try await Pathways.openDatabase(settings, makes: true, logger: logger) : nil
            var careers: [Career] = []
            if let database {
                try await Pathways.updateCatalogue(in: database, logger: logger)
                careers = try await CatalogueContent.read(from: database).careers
            }
            let encoders = EvaluatedEncoders(
                settings: settings, database: database, careers: careers,
                heldOut: excludeSelf ? Set(task.collection.queries.map { OccupationTitles.folded($0.text) }) : [])
            var measured: [Measured] = []
            for space in spaces {
                let encoder = try await encoders.encoder(of: space)
                let search = try await search(space, task.collection, careers, encoder, settings: settings)
                measured.append(Measured(name: space.name, space: encoder.space.id, run: try await task.run(search)))
            }
            try await database?.close()
            return measured
        }

        private func search(
            _ space: EvaluatedSpace, _ collection: RetrievalCollection, _ careers: [Career], _ encoder: EncodingQueue,
            settings: ServiceSettings
        ) async throws -> RetrievalSearch {
            let progress = ProgressReport("embedding documents: \(space.name)")
            defer { progress.end() }
            guard space.rows != .texts else {
                return try await RetrievalSearch.plain(collection.documents, encoder: encoder) {
                    progress.update($0.done, of: $0.total)
                }
            }
            let ids = Set(collection.documents.map(\.id))
            let known = careers.filter { ids.contains($0.id) }.count
            guard known > 0 else {
                throw StartProblem(
                    "no career in \(settings.dataDirectory) has the id of a document; import the careers that the documents are of"
                )
            }
            if known < ids.count {
                Terminal.error(
                    "\(ids.count - known) of \(ids.count) documents are no careers of the catalogue: they are never found"
                )
            }
            return try await RetrievalSearch.catalogue(
                careers, ids: ids, heldOut: collection.queries.map(\.text), hasTitles: space.rows == .titles,
                encoder: encoder
            ) { progress.update($0.done, of: $0.total) }
        }

        static func bytes(_ path: String) throws -> [UInt8] {
            do {
                return Array(try Data(contentsOf: URL(fileURLWithPath: path)))
            } catch {
                throw StartProblem("\(path) cannot be read: \(error.localizedDescription)")
            }
        }
    }
}
