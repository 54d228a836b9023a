import Embedder
import Foundation

/// The figures with what they need to mean something: where and when.
struct Report: Encodable {
    var machine: Machine
    /// ISO 8601, UTC.
    var date: String
    var figures: Figures

    func encoded() throws -> Data { try Figures.encoder.encode(self) + Data("\n".utf8) }

    /// What makes the run a failure, however quick it was.
    var faults: [String] {
        var faults: [String] = []
        for row in figures.search where row.recall != 1 {
            faults.append(
                "recall \(row.recall) of \(row.queries) queries over \(row.rows) rows: every search is to be exact")
        }
        for row in figures.routes where row.errors >= row.time.runs {
            faults.append("no request was answered: \(row.name), \(row.client), connections: \(row.connections)")
        }
        return faults
    }

    var markdown: String {
        var parts = [machine.markdown(date: date)]
        if !figures.search.isEmpty { parts.append("**Search**, best 100\n\n" + searchTable.markdown) }
        if !figures.embedding.isEmpty {
            parts.append("**Embedding**, one text, no cache\n\n" + embeddingTable.markdown)
        }
        if !figures.routes.isEmpty { parts.append("**`POST /api/results/recommend/`**\n\n" + routeTable.markdown) }
        if let share = figures.shareOfEmptyRoute { parts.append(share.sentence) }
        if !figures.notes.isEmpty { parts.append(figures.notes.map { "- \($0)\n" }.joined()) }
        return parts.joined(separator: "\n")
    }

    private var searchTable: Table {
        var table = Table([
            "rows", "queries", "cap", "p50 ms", "p90", "p99", "max", "runs", "million rows/s", "GB/s",
            "× plain read", "× plain sgemm", "recall",
        ])
        for row in figures.search {
            table.add(
                [Table.whole(row.rows), Table.whole(row.queries), row.maxPerCluster.map(Table.whole) ?? "–"]
                    + Table.cells(row.time) + [
                        Table.number(row.rowsPerSecond / 1e6), Table.number(row.gigabytesPerSecond),
                        Table.number(row.timesPlainRead), row.timesPlainProduct.map(Table.number) ?? "–",
                        row.recall == 1 ? "1.0" : String(row.recall),
                    ])
        }
        return table
    }

    private var embeddingTable: Table {
        var table = Table([
            "precision", "tokens", "p50 ms", "p90", "p99", "max", "runs", "tokens/s", "× plain sgemm",
        ])
        for row in figures.embedding {
            let precision: EncoderPrecision = row.precision ?? .float32
            table.add(
                [precision.rawValue, Table.whole(row.tokens)] + Table.cells(row.time) + [
                    Table.whole(Int(row.tokensPerSecond)), Table.number(row.timesPlainProducts),
                ])
        }
        return table
    }

    private var routeTable: Table {
        var table = Table([
            "request", "client", "connections", "p50 ms", "p90", "p99", "max", "requests", "requests/s", "errors",
        ])
        for row in figures.routes {
            table.add(
                [row.name, row.client, Table.whole(row.connections)] + Table.cells(row.time) + [
                    Table.number(row.requestsPerSecond), Table.whole(row.errors),
                ])
        }
        return table
    }
}
