internal import ArgumentParser
internal import Embedder
internal import Foundation
internal import NIOCore

extension EncoderPrecision: ExpressibleByArgument {}

/// `pathlight embed`: JSON Lines `{"text": …}` in, `{"token_ids": […], "embedding": […]}` out.
struct EmbedCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "embed",
        abstract: "Embeds texts: JSON Lines {\"text\": …} in, {\"token_ids\": […], \"embedding\": […]} out.",
        discussion: """
            The vectors are the model's own, of unit length, without the views of the service's space. They are \
            computed in float32, as the model's reference is, unless --precision int8 asks for what the service \
            computes by default.
            """)

    /// Lines that are embedded together: enough to fill batches, few enough that output flows.
    private static let portion = 256

    @OptionGroup var common: CommonOptions

    @Option(help: "float32 or int8.")
    var precision = EncoderPrecision.float32

    func run() async throws {
        let (settings, _) = try common.settings()
        let folder = URL(fileURLWithPath: settings.modelsDirectory, isDirectory: true)
        var embedder: TextEmbedder?
        var texts: [String] = []
        var number = 0
        while let line = readLine(strippingNewline: true) {
            number += 1
            if line.allSatisfy(\.isWhitespace) { continue }
            do {
                texts.append(try Self.text(of: line, number: number))
            } catch {
                // What came before the line is answered; the line itself is named.
                try Self.flush(&texts, with: &embedder, settings: settings, precision, folder)
                throw error
            }
            if texts.count == Self.portion {
                try Self.flush(&texts, with: &embedder, settings: settings, precision, folder)
            }
        }
        try Self.flush(&texts, with: &embedder, settings: settings, precision, folder)
    }

    private static func text(of line: String, number: Int) throws -> String {
        do {
            return try FieldReader.read(
                try JSONParser.parse(Array(line.utf8)),
                limits: FieldLimits(bodyBytes: .max, listCount: 1, stringBytes: .max)
            ) { $0.requiredText("text") }
        } catch let error as JSONSyntaxError {
            throw StartProblem("line \(number) is not JSON: \(error)")
        } catch let problem as HTTPProblem {
            let errors = problem.errors.map { $0.path.isEmpty ? $0.message : "\($0.path): \($0.message)" }
            throw StartProblem("line \(number): \(errors.joined(separator: "; "))")
        }
    }

    /// Embeds and prints what has gathered; the model is loaded when the first text is there.
    private static func flush(
        _ texts: inout [String], with embedder: inout TextEmbedder?, settings: ServiceSettings,
        _ precision: EncoderPrecision,
        _ folder: URL
    ) throws {
        guard !texts.isEmpty else { return }
        let loaded: TextEmbedder
        if let embedder {
            loaded = embedder
        } else {
            loaded = try TextEmbedder(
                folder: try ModelCatalogue(directory: folder).folder(of: settings.model),
                options: .init(cacheEntries: 0, precision: precision))
            embedder = loaded
        }
        let tokens = texts.map { loaded.tokenIDs(of: $0) }
        var json = Data()
        for (ids, vector) in zip(tokens, try loaded.embed(tokenIDs: tokens)) {
            var writer = JSONWriter(capacity: 8_192)
            writer.object { writer in
                writer.field("token_ids", arrayOf: ids) { $0.value($1) }
                writer.field("embedding", vector)
            }
            json.append(contentsOf: writer.finish().readableBytesView)
            json.append(UInt8(ascii: "\n"))
        }
        try Terminal.data(json)
        texts.removeAll(keepingCapacity: true)
    }
}
