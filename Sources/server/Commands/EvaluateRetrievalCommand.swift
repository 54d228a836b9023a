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
                relevant, does not find itself. With --catalogue the careers of the data folder are searched as well, in the \
                engine's own space; titles equal to any query are kept out of what their vectors are made of.
                """)

        @Option(help: "Queries: id, tab, text on each line.")
        var queries: String

        @Option(help: "Documents: id, tab, text on each line.")
        var corpus: String

        @Option(help: "Judgements as TREC has them: query, 0, document, grade.")
        var qrels: String

        @Flag(help: "Search the careers of the data folder too, and compare; ids are the corpus's.")
        var catalogue = false

        @Flag(help: "Print one JSON document.")
        var json = false

        @OptionGroup var common: CommonOptions

        private struct Answer: Encodable {
            let reports: [RetrievalReport]
            let comparison: RetrievalComparison?
        }

        func run() async throws {
            let (settings, logger) = try common.settings()
            let collection = RetrievalCollection(
                queries: try RetrievalCollection.texts(try Self.bytes(queries), named: queries),
                documents: try RetrievalCollection.texts(try Self.bytes(corpus), named: corpus))
            let judgements = try RetrievalJudgements(try Self.bytes(qrels), named: qrels, for: collection)
            guard OutsideModel(settings.model) == nil else {
                throw StartProblem("\(settings.model) runs outside; only models that run here are evaluated")
            }
            let model = try await ActiveModel.load(settings.model, settings: settings)
            guard let encoder = model.encoder else {
                throw StartProblem(model.degradation?.detail ?? "there is no model \(settings.model)")
            }
            let progress = ProgressReport("embedding documents")
            let plain = try await RetrievalSearch.plain(collection.documents, encoder: encoder) {
                progress.update($0.done, of: $0.total)
            }
            var runs = [("\(settings.model), texts as they are", try await run(plain, collection, judgements))]
            if catalogue {
                let own = try await searchOfCatalogue(collection, settings: settings, logger: logger, encoder: encoder)
                runs.append(
                    ("own space (views, titles), titles asked for held out", try await run(own, collection, judgements))
                )
            }
            let reports = try runs.map { try RetrievalReport($0.1, name: $0.0, space: encoder.space.id) }
            let comparison =
                runs.count < 2
                ? nil
                : try RetrievalComparison(
                    of: runs[1].1, named: runs[1].0, over: runs[0].1, named: runs[0].0)
            if json {
                try Terminal.data(try Embedding.json(Answer(reports: reports, comparison: comparison)))
            } else {
                var text = RetrievalReport.markdown(reports)
                if let comparison { text += "\n\n" + comparison.markdown }
                try Terminal.data(text)
            }
        }

        private func run(
            _ search: RetrievalSearch, _ collection: RetrievalCollection, _ judgements: RetrievalJudgements
        ) async throws -> RetrievalRun {
            try await RetrievalRun.measure(
                collection, judgements, leavingOut: collection.ownDocuments(judgements), batch: 256
            ) { try await search.rank($0) }
        }

        private func searchOfCatalogue(
            _ collection: RetrievalCollection, settings: ServiceSettings, logger: Logger, encoder: EncodingQueue
        ) async throws -> RetrievalSearch {
            let database = try await Pathways.openDatabase(settings, logger: logger)
            let content = try await CatalogueContent.read(from: database)
            try await database.close()
            let ids = Set(collection.documents.map(\.id))
            let known = content.careers.filter { ids.contains($0.id) }.count
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
            let progress = ProgressReport("embedding careers without the titles asked for")
            return try await RetrievalSearch.catalogue(
                content.careers, ids: ids, heldOut: collection.queries.map(\.text), encoder: encoder
            ) { progress.update($0.done, of: $0.total) }
        }

        private static func bytes(_ path: String) throws -> [UInt8] {
            do {
                return Array(try Data(contentsOf: URL(fileURLWithPath: path)))
            } catch {
                throw StartProblem("\(path) cannot be read: \(error.localizedDescription)")
            }
        }
    }
}
