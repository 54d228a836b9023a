package import Foundation
package import Store
internal import VectorIndex

/// Makes the stored vectors fit the careers' texts: a shadow generation, written block by block, checked, then put in
/// use by one transaction.
///
/// A killed run leaves its blocks; the next one goes on after them. One process at a time holds the lock.
package struct Reembedder: Sendable {
    package static let kind = "careers"
    private static let lockName = "reembed"
    /// A setting that a rollback leaves: what was rolled back is not made anew until somebody asks for it.
    private static let holdSetting = "embedding_hold"
    private static let sampleRows = 8
    /// Rounding of another batch's sums, with room; a wrong text or a damaged number is far beyond it.
    private static let tolerance = 1e-4

    package struct Options: Sendable {
        /// Embed everything, even what fits.
        package var isForced = false
        /// Careers to embed at most in this run.
        package var limit: Int?
        /// Texts that are embedded side by side; nil for as many as there are cores.
        package var lanes: Int?
        /// Embed only careers that have no row; the others keep theirs, whatever text it was made from. The result
        /// takes the place of the generation in use, so that the one before it stays for a rollback.
        package var keepsStale = false
        /// Nobody asked for this run: the model in use stays in use; while a rollback is held, its space does too, and
        /// the run `keepsStale`.
        package var isUnasked = false

        package init(
            isForced: Bool = false, limit: Int? = nil, lanes: Int? = nil, keepsStale: Bool = false,
            isUnasked: Bool = false
        ) {
            precondition(!(isForced && keepsStale), "what is kept cannot be embedded anew")
            self.isForced = isForced
            self.limit = limit
            self.lanes = lanes
            self.keepsStale = keepsStale
            self.isUnasked = isUnasked
        }
    }

    private let generations: GenerationRepository
    private let database: any SQLDatabase
    private let vectors: VectorRepository
    private let settings: SettingRepository

    package init(_ database: any SQLDatabase, clock: @escaping @Sendable () -> Date = { Date() }) {
        generations = GenerationRepository(database, clock: clock)
        self.database = database
        vectors = VectorRepository(database, clock: clock)
        settings = SettingRepository(database, clock: clock)
    }

    /// The generation in use, or nil where nothing was embedded yet.
    package func current() async throws -> GenerationRecord? { try await generations.current(Self.kind) }

    package func building() async throws -> GenerationRecord? { try await generations.building(Self.kind) }

    /// The space of the generation in use; nil where there is none, or it is not known any more.
    package func spaceInUse() async throws -> SpaceRecord? {
        guard let current = try await current() else { return nil }
        return try await vectors.spaces().first { $0.id == current.spaceID }
    }

    /// The checksums of what grounds the vectors in use, those before them and those that are being made.
    package func knowledgeBases() async throws -> Set<String> {
        var ids: Set<String> = []
        for record in [
            try await generations.current(Self.kind), try await generations.previous(Self.kind),
            try await generations.building(Self.kind),
        ] {
            if let record { ids.insert(record.spaceID) }
        }
        return Set(try await vectors.spaces().filter { ids.contains($0.id) }.compactMap(\.knowledgeBase))
    }

    /// The model of the generation in use; nil where there is none.
    package func modelInUse() async throws -> String? { try await spaceInUse()?.modelID }

    /// Whether a rollback is held: somebody went back, and nobody has asked for newer vectors since.
    package func isHeld() async throws -> Bool { try await settings.value(of: Self.holdSetting) != nil }

    /// The rows in use, if they are of `space`.
    ///
    /// - Throws: `SnapshotError.newerFormat`, `StoreError`.
    func rows(of space: TextSpace) async throws -> CareerRows {
        guard let current = try await current(), current.spaceID == space.id else { return .empty }
        return try await rows(of: current)
    }

    /// The rows of a generation, of whatever space.
    func rows(of generation: GenerationRecord) async throws -> CareerRows {
        try await CareerRows.read(generation, from: generations)
    }

    /// Embeds what does not fit and puts the result in use. Asked for, it ends what a rollback held.
    ///
    /// - Parameter progress: called after every block.
    /// - Throws: `ReembedError`, `SnapshotError.newerFormat`, an error of the encoder or of the store.
    package func run(
        _ careers: [Career], encoder: EncodingQueue, options: Options = Options(),
        progress: @Sendable (ReembedProgress) -> Void = { _ in }
    ) async throws -> ReembedReport {
        guard let lock = try database.lock(Self.lockName) else { throw ReembedError.busy }
        defer { lock.release() }
        // Asked under the lock: a rollback that comes between would be undone.
        var options = options
        if options.isUnasked {
            if let inUse = try await spaceInUse() {
                guard inUse.modelID == encoder.space.modelID else { throw ReembedError.otherModel(inUse.modelID) }
                // A provider may run another model under the same name: the one that somebody asked for stays in use.
                if encoder.remote != nil, inUse.weightsSHA256 != encoder.space.weightsSHA256 {
                    throw ReembedError.otherModel(inUse.id)
                }
                // Whether and by what texts are grounded is decided where somebody asks for vectors.
                if let base = inUse.knowledgeBase, base != encoder.space.record.knowledgeBase,
                    try await KnowledgeBaseRepository(database).find(base) != nil
                {
                    throw ReembedError.otherModel(inUse.id)
                }
            }
            if try await isHeld() {
                // Of one model too there are several spaces: the other one was gone back from, and would come back.
                if let held = try await current()?.spaceID, held != encoder.space.id {
                    throw ReembedError.held(space: held, made: encoder.space.id)
                }
                if !options.isForced { options.keepsStale = true }
            }
        }
        let report = try await runAlone(careers, encoder: encoder, options: options, progress: progress)
        if !options.isUnasked { try await settings.remove(Self.holdSetting) }
        return report
    }

    /// Puts the previous generation back in use, and holds it there until somebody asks for newer vectors.
    ///
    /// - Throws: `ReembedError.noPrevious`, `.busy`; `SnapshotError.newerFormat` where this version cannot read it.
    @discardableResult
    package func rollback() async throws -> GenerationRecord {
        guard let lock = try database.lock(Self.lockName) else { throw ReembedError.busy }
        defer { lock.release() }
        guard let previous = try await generations.previous(Self.kind) else { throw ReembedError.noPrevious }
        _ = try await rows(of: previous)
        guard let record = try await generations.rollback(Self.kind, setting: Self.holdSetting) else {
            throw ReembedError.noPrevious
        }
        return record
    }

    // MARK: One run

    private func runAlone(
        _ careers: [Career], encoder: EncodingQueue, options: Options, progress: @Sendable (ReembedProgress) -> Void
    ) async throws -> ReembedReport {
        let start = ContinuousClock.now
        let space = encoder.space
        try await vectors.register(space.record)
        let inUse = try await current()
        let usable = try await rows(of: space)
        let kept = options.keepsStale ? usable : .empty
        let plan = try await OwnThread.run { ReembedPlan(careers, space: space, keeping: kept) }
        var report = ReembedReport(space: space)
        report.careers = careers.count
        report.stale = plan.entries.count { $0.isStale }
        report.generation = usable.generation?.id
        report.damaged = usable.damage
        let misfits = options.isForced ? plan.entries : plan.entries.filter { !usable.fits($0.id, hash: $0.hash) }
        // Damage that cost no row is mended too: written anew, the next reading finds nothing.
        let isSound = usable.generation != nil && usable.damage.isEmpty
        // What this process knows to be refused is no reason to write the same rows anew.
        if isSound, misfits.allSatisfy({ encoder.refusal(of: $0.texts.all(for: space)) != nil }) {
            report.refused = Self.refused(misfits, by: encoder)
            report.reused = careers.count - misfits.count
            report.isComplete = true
            return report
        }
        // Read now: a shadow of another plan goes when this one begins.
        let interrupted = try await interruptedRows(of: space)
        let shadow = try await generations.begin(
            kind: Self.kind, space: space.id, planHash: plan.hash(forcedAfter: options.isForced ? inUse?.id : nil),
            format: SnapshotBlock.currentFormat)
        var writer = ShadowWriter(generation: shadow.id, space: space, repository: generations)
        var sources = RowSources()
        if interrupted.generation?.id == shadow.id {
            try await writer.resume(after: interrupted, plan: plan)
            sources.interrupted = interrupted
        }
        if !options.isForced {
            sources = RowSources(kept: [usable, try await previousRows(of: space)], interrupted: interrupted)
        }
        report.resumed = writer.written.count
        let isFilled = try await fill(
            &writer, plan, from: sources, encoder: encoder, options: options, report: &report, progress: progress)
        if isFilled {
            let refused = plan.entries.filter { [written = writer.written] in !written.contains($0.id) }
            report.refused = Self.refused(refused, by: encoder)
            let rest = plan.leavingOut(Set(refused.map(\.id)), keeping: usable)
            if !refused.isEmpty, !options.isForced, isSound,
                rest.entries.allSatisfy({ usable.fits($0.id, hash: $0.hash) })
            {
                // Nothing is new: another generation would only cost the one that a rollback brings back.
                try await generations.discard(shadow.id)
                report.isComplete = true
                report.seconds = (ContinuousClock.now - start).inSeconds
                return report
            }
            try await keep(refused, of: rest, rows: usable, in: &writer, report: &report)
            if rest.entries.isEmpty, let first = refused.first,
                let failure = encoder.refusal(of: first.texts.all(for: space))
            {
                throw failure
            }
            try await check(shadow, plan: rest, encoder: encoder, lanes: options.lanes, report: &report)
            report.isComplete = true
            report.isSwitched = true
            report.generation = shadow.id
            report.seconds = (ContinuousClock.now - start).inSeconds
            let encoded = try JSONEncoder().encode(report)
            try await generations.activate(
                shadow.id, rowCount: rest.entries.count, document: String(decoding: encoded, as: UTF8.self),
                keepsPrevious: kept.generation != nil)
        }
        report.seconds = (ContinuousClock.now - start).inSeconds
        return report
    }

    /// The careers in words; nil for none.
    private static func refused(_ entries: [ReembedPlan.Entry], by encoder: EncodingQueue) -> RefusedCareers? {
        guard let first = entries.first else { return nil }
        let failure = encoder.refusal(of: first.texts.all(for: encoder.space))
        return RefusedCareers(careers: entries.map(\.id), reason: failure?.description ?? "a text was refused")
    }

    /// Writes the rows that careers keep whose present texts were refused. At the end, since a run that goes on takes them
    /// for no rows of its plan.
    private func keep(
        _ refused: [ReembedPlan.Entry], of rest: ReembedPlan, rows: CareerRows, in writer: inout ShadowWriter,
        report: inout ReembedReport
    ) async throws {
        let ids = Set(refused.map(\.id))
        let kept = rest.entries.filter { ids.contains($0.id) }
        for start in stride(from: 0, to: kept.count, by: BlockDraft.careers) {
            let block = Array(kept[start..<min(start + BlockDraft.careers, kept.count)])
            var old: [String: [Float]] = [:]
            for entry in block { old[entry.id] = rows.row(of: entry.id, hash: entry.hash) }
            try await writer.write(block, rows: old)
        }
        report.reused += kept.count
        report.stale += kept.count
    }

    /// What an interrupted run left; none where its record is damaged, which is replaced like one of another plan.
    private func interruptedRows(of space: TextSpace) async throws -> CareerRows {
        guard let building = try? await generations.building(Self.kind), building.spaceID == space.id else {
            return .empty
        }
        return try await rows(of: building)
    }

    /// The rows that a rollback would bring back; none where they cannot be read, since all of them can be made anew.
    private func previousRows(of space: TextSpace) async throws -> CareerRows {
        guard let previous = try? await generations.previous(Self.kind), previous.spaceID == space.id else {
            return .empty
        }
        do {
            return try await rows(of: previous)
        } catch is SnapshotError {
            return .empty
        }
    }

    /// Writes the rows of the plan that are not written yet, but for those of careers that have a text that is refused.
    ///
    /// - Returns: false where the limit stopped it.
    private func fill(
        _ writer: inout ShadowWriter, _ plan: ReembedPlan, from sources: RowSources, encoder: EncodingQueue,
        options: Options, report: inout ReembedReport, progress: @Sendable (ReembedProgress) -> Void
    ) async throws -> Bool {
        let space = encoder.space
        var budget = max(0, options.limit ?? .max)
        var pending = plan.entries.filter { [written = writer.written] in !written.contains($0.id) }[...]
        progress(ReembedProgress(done: writer.written.count, total: plan.entries.count))
        while !pending.isEmpty {
            try Task.checkCancellation()
            let block = BlockDraft(from: &pending, sources: sources, budget: &budget)
            var rows = block.rows
            var made = DocumentReading()
            var refused = 0
            if !block.missing.isEmpty {
                let texts = Set(block.missing.flatMap { $0.texts.all(for: space) })
                made = try await encoder.documentReading(of: texts, lanes: options.lanes)
                for entry in block.missing {
                    if made.has(entry.texts.all(for: space)) {
                        rows[entry.id] = entry.texts.row(from: made.vectors, in: space)
                    } else {
                        refused += 1
                    }
                }
                report.texts += made.vectors.count
            }
            report.reused += block.reused
            report.resumed += block.resumed
            report.embedded += block.missing.count - refused
            try await writer.write(block.entries, rows: rows)
            progress(ReembedProgress(done: writer.written.count, total: plan.entries.count))
            // Written first: what came before it failed was paid for.
            if made.isOver, let failure = made.failure { throw failure }
            // The limit is for careers that are embedded: those that are refused would use it up in every run.
            budget += refused
            if block.isOverBudget, budget == 0 { return false }
        }
        return true
    }

    /// Reads back what was written and holds it against the plan; a sample is computed anew, but not of rows whose texts
    /// are gone.
    private func check(
        _ shadow: GenerationRecord, plan: ReembedPlan, encoder: EncodingQueue, lanes: Int?,
        report: inout ReembedReport
    ) async throws {
        let written = try await rows(of: shadow)
        var problems = written.damage
        let wanted = Set(plan.entries.map(\.id))
        if Set(written.ids) != wanted {
            problems.append("\(written.ids.count) rows were found for \(wanted.count) careers")
        }
        for entry in plan.entries where !written.fits(entry.id, hash: entry.hash) {
            problems.append("the row of “\(entry.id)” is missing or of another text")
            if problems.count > 10 { break }
        }
        var random = SplitMix64(seed: UInt64(shadow.id))
        let sample = plan.entries.filter { !$0.isStale }.shuffled(using: &random).prefix(Self.sampleRows)
        let texts = Set(sample.flatMap { $0.texts.all(for: encoder.space) })
        let vectors = try await encoder.documentVectors(of: texts, lanes: lanes)
        for entry in sample {
            guard let row = written.row(of: entry.id, hash: entry.hash) else { continue }
            let again = entry.texts.row(from: vectors, in: encoder.space)
            let difference = zip(row, again).map { abs(Double($0) - Double($1)) }.max() ?? .infinity
            report.sampled += 1
            report.greatestDifference = max(report.greatestDifference, difference)
            // A provider outside need not round alike twice; a wrong text is far beyond that too.
            let isSame =
                encoder.remote == nil
                ? difference <= Self.tolerance : ReferenceVectors.product(row, again) >= ReferenceVectors.leastCosine
            if !isSame || row.count != again.count {
                problems.append("computed again, the row of “\(entry.id)” differs by \(difference)")
            }
        }
        guard problems.isEmpty else {
            try await generations.discard(shadow.id)
            throw ReembedError.checkFailed(problems)
        }
    }
}

extension Duration {
    var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
