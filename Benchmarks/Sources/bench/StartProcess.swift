import Foundation
import VectorIndex
import VectorMath

/// The process whose start is measured: reads what is on disk, answers, and holds the answers against those before.
struct StartProcess {
    let command: StartCommand
    let files: StartFiles

    private struct Steps {
        let clock = ContinuousClock()
        var list: [StartCommand.Step] = []

        mutating func time<Value>(_ name: String, _ work: () throws -> Value) rethrows -> Value {
            let start = clock.now
            defer { list.append(.init(name: name, seconds: (clock.now - start) / .seconds(1))) }
            return try work()
        }
    }

    func run() throws {
        let expected = try files.expected()
        let requests = try expected.map { try $0.request }
        var steps = Steps()
        // What a catalogue has besides the vectors is none of this start's: it is at hand.
        let abilities = command.blocks ? try command.prepared().abilities : nil
        let own = command.blocks ? (0..<command.rows).map { abilities?($0) ?? [] } : []
        let clock = ContinuousClock()
        let start = clock.now
        let index: LiveIndex
        var codesRemade: String?
        if command.blocks {
            index = try fromBlocks(abilities: own, &steps)
        } else {
            let reading = try steps.time("reading the index file") {
                try LiveIndex.open(files.index, memory: command.lean ? .lean : .full)
            }
            index = reading.index
            codesRemade = reading.codesRemade
        }
        let loaded = clock.now
        let memory = Self.resident()
        let searching = clock.now
        let generation = index.current
        let first = try steps.time("first search") { try generation.search(requests[0]) }
        let answered = clock.now
        var times: [Duration] = []
        var results = [first]
        for request in requests.dropFirst() {
            times.append(try clock.measure { results.append(try generation.search(request)) })
        }
        let same = zip(expected, results).count { $0.hasSameHits(as: $1) }
        let identical = zip(expected, results).count { $0.hasSameHits(as: $1) && $0.rescored == $1.rescored }
        let answer = StartCommand.Start(
            loadSeconds: (loaded - start) / .seconds(1),
            firstAnswerSeconds: (loaded - start + (answered - searching)) / .seconds(1),
            firstSearchMs: (answered - searching) / .milliseconds(1), medianSearchMs: Measurement(times).p50Ms,
            steps: steps.list, residentBytes: memory.own, residentFileBytes: memory.file,
            residentBytesPerRow: Double(memory.own) / Double(command.rows), peakResidentBytes: Self.peak(),
            codesRemade: codesRemade, identical: Double(identical) / Double(expected.count),
            sameHits: Double(same) / Double(expected.count), exact: results.allSatisfy(\.exact))
        try Figures.say(answer)
    }

    /// What a start takes without an index file.
    private func fromBlocks(abilities: [[Float]], _ steps: inout Steps) throws -> LiveIndex {
        let blocks = try steps.time("reading blocks") { try files.readBlocks() }
        let reading = try steps.time("checking blocks, copying rows") {
            try SnapshotRows.read(
                blocks,
                expecting: SnapshotExpectation(
                    space: StartFiles.space, generation: 1, dimension: RowLayout.standard.embeddingCount,
                    rowCount: command.rows))
        }
        let items = steps.time("making items") {
            reading.rows.keys.enumerated().map { row, key in
                IndexItem(
                    id: ItemID(key.id), row: row, of: reading.rows, abilities: abilities[row], cluster: key.textHash)
            }
        }
        let index = LiveIndex()
        _ = try steps.time("copying rows, fitting axes, encoding") { try index.replaceAll(with: items) }
        return index
    }

    /// Bytes that the process holds: its own, and pages of files.
    private static func resident() -> (own: Int, file: Int) {
        (status("RssAnon") + status("RssShmem"), status("RssFile"))
    }

    private static func peak() -> Int { status("VmHWM") }

    private static func status(_ name: String) -> Int {
        guard let text = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
            let line = text.split(separator: "\n").first(where: { $0.hasPrefix(name + ":") })
        else { return 0 }
        return (Int(line.filter(\.isNumber)) ?? 0) * 1_024
    }
}
