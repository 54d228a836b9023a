package import Foundation
package import Store

/// The cipher that a service works with, once it is certain that its keys are those of the database.
package struct ColumnEncryption: Sendable {
    package let cipher: any ColumnCipher
    /// Nil where nothing is sealed.
    package let sealer: ColumnSealer?
    /// A key file that was made just now; people must hear of it, since what is sealed is lost without it.
    package let madeFile: String?
    /// Accounts that are found by another index since this start.
    package let reindexed: Int

    /// Reads or makes the keys, and holds them against the database.
    ///
    /// - Parameters:
    ///   - makesKeys: whether a missing key file may be made; where it may not and nothing is sealed, columns are plain.
    ///   - changes: whether the database may be brought into line with the keys; false only looks, and throws what
    ///     would be thrown.
    /// - Throws: `KeyRingError` where a key is missing or another than the one that sealed, naming it.
    package static func open(
        _ settings: EncryptionSettings, database: any SQLDatabase, makesKeys: Bool = true, changes: Bool = true,
        clock: @escaping @Sendable () -> Date = { Date() }
    ) async throws -> ColumnEncryption {
        let keys = ColumnKeys(database: database, clock: clock, isReadOnly: !changes)
        if settings.mode == .off { return try await off(keys, try await keys.all()) }
        guard let (source, isMade) = try await source(settings, keys, makesKeys: makesKeys, now: clock()) else {
            return ColumnEncryption(cipher: PlainColumns(), sealer: nil, madeFile: nil, reindexed: 0)
        }
        let sealer = ColumnSealer(source)
        let known = try await verify(keys, sealer)
        let reindexed = try await adoptIndex(keys, known[KeyRing.indexID], sealer)
        // One ring for both, since another process may change the file at any moment.
        let ring = source.ring
        if known[ring.currentID] == nil {
            try await note(ring.currentID, keys, ColumnSealer(ring))
            // Another process may have noted another key of that name at the same moment.
            _ = try await verify(keys, sealer)
        }
        return ColumnEncryption(
            cipher: sealer, sealer: sealer, madeFile: isMade ? source.file?.path : nil, reindexed: reindexed)
    }

    /// Notes that the current key may seal from now on.
    static func note(_ id: String, _ keys: ColumnKeys, _ sealer: ColumnSealer) async throws {
        try await keys.add(id, check: try sealer.seal(ColumnKeys.text, column: ColumnKeys.column))
    }

    // MARK: Where keys come from

    /// - Returns: nil where there is no key and none is to be made.
    private static func source(
        _ settings: EncryptionSettings, _ keys: ColumnKeys, makesKeys: Bool, now: Date
    ) async throws -> (KeyRingSource, isMade: Bool)? {
        if let text = settings.keys {
            return (
                KeyRingSource(try KeyRing.parse(Array(text.utf8), place: "PATHLIGHT_ENCRYPTION_KEYS"), file: nil), false
            )
        }
        if let path = settings.keyFile { return (try read(KeyFile(path)), false) }
        let file = KeyFile(settings.defaultKeyFile)
        if file.exists { return (try read(file), false) }
        guard settings.mode == .automatic else {
            throw KeyRingError(
                .missingFile,
                "PATHLIGHT_ENCRYPTION is “required”, and there is no key; name a key file in "
                    + "PATHLIGHT_ENCRYPTION_KEY_FILE, or give keys in PATHLIGHT_ENCRYPTION_KEYS")
        }
        // A new key in place of a lost one would hide the loss until somebody asks for what it sealed.
        for id in try await keys.all().keys.sorted() where id != KeyRing.indexID {
            guard try await keys.remove(unused: id) else {
                throw missing(id, place: "there is no key file \(file.path)")
            }
        }
        try await keepIndex(keys, place: "there is no key file \(file.path)")
        guard makesKeys else { return nil }
        // Of the lost file too; accounts get their indexes anew.
        try await keys.remove(KeyRing.indexID)
        var generator = SystemRandomNumberGenerator()
        let isMade = try file.create(KeyRing.make(at: now, using: &generator))
        return (try read(file), isMade)
    }

    private static func read(_ file: KeyFile) throws -> KeyRingSource {
        KeyRingSource(try file.read(), file: file)
    }

    // MARK: Whether they are the right ones

    /// - Returns: the keys that have a row, with what proves them.
    private static func verify(_ keys: ColumnKeys, _ sealer: ColumnSealer) async throws -> [String: String] {
        let known = try await keys.all()
        let ring = sealer.source.ring
        guard known.keys.contains(where: { $0 != KeyRing.indexID && !ring.ids.contains($0) }) else {
            try await verify(known, keys, ring, sealer)
            return known
        }
        // A row that the ring does not account for may be that of a key which a rotation is about to write into the file.
        let lock = try await lock(keys)
        defer { lock?.release() }
        let present = try await keys.all()
        try await verify(present, keys, sealer.source.refreshed(), sealer)
        return present
    }

    /// - Returns: nil where nothing is changed, and where the file system has no locks: a start there is not refused.
    private static func lock(_ keys: ColumnKeys) async throws -> DatabaseLock? {
        if keys.isReadOnly { return nil }
        do {
            return try await keys.lock()
        } catch let error as StoreError where error.code == .inputOutput {
            return nil
        }
    }

    private static func verify(
        _ known: [String: String], _ keys: ColumnKeys, _ ring: KeyRing, _ sealer: ColumnSealer
    ) async throws {
        for (id, check) in known.sorted(by: { $0.key < $1.key }) where id != KeyRing.indexID {
            guard ring.ids.contains(id) else {
                guard try await keys.remove(unused: id) else {
                    throw missing(id, place: "the key ring does not have it")
                }
                continue
            }
            guard (try? sealer.open(check, column: ColumnKeys.column)) == ColumnKeys.text else {
                throw KeyRingError(
                    .wrongKey,
                    "the key \(id) of the key ring is not the key \(id) that sealed columns of this database; "
                        + "bring back the right one, or check that the data folder is the right one")
            }
        }
    }

    private static func missing(_ id: String, place: String) -> KeyRingError {
        KeyRingError(
            .wrongKey,
            "columns of this database are sealed with the key \(id), and \(place); bring back the key file that "
                + "has it, and name it in PATHLIGHT_ENCRYPTION_KEY_FILE where it is not in its usual place")
    }

    /// - Returns: how many accounts are found by another index since.
    private static func adoptIndex(
        _ keys: ColumnKeys, _ stored: String?, _ sealer: ColumnSealer
    ) async throws -> Int {
        switch ColumnKeys.indexState(stored, sealer) {
        case .same: return 0
        case .different:
            throw KeyRingError(
                .wrongKey,
                "addresses of this database are found by another index key than that of the key ring; bring "
                    + "back its line “\(KeyRing.indexID)”, or the key that was the last one of the ring")
        case .plain:
            let count = try await keys.reindex(from: PlainColumns(), to: sealer)
            try await keys.add(KeyRing.indexID, check: ColumnKeys.indexCheck(sealer), replacing: true)
            return count
        }
    }

    /// Addresses that get no mail are found by their index alone: without its key they would get mail again.
    private static func keepIndex(_ keys: ColumnKeys, place: String) async throws {
        guard try await keys.all()[KeyRing.indexID] != nil else { return }
        let count = try await keys.withheldAddresses()
        guard count > 0 else { return }
        throw KeyRingError(
            .wrongKey,
            "\(count) addresses that get no mail are found by the index key of this database, and \(place); bring back "
                + "the key file, or give them up by `pathlight mail lift --all`")
    }

    private static func off(_ keys: ColumnKeys, _ known: [String: String]) async throws -> ColumnEncryption {
        let plain = PlainColumns()
        for id in known.keys.sorted() where id != KeyRing.indexID {
            guard try await keys.remove(unused: id) else { throw missing(id, place: "PATHLIGHT_ENCRYPTION is “off”") }
        }
        try await keepIndex(keys, place: "PATHLIGHT_ENCRYPTION is “off”")
        guard known[KeyRing.indexID] != nil else {
            return ColumnEncryption(cipher: plain, sealer: nil, madeFile: nil, reindexed: 0)
        }
        // Addresses from before there was a key are plain and have the key's index by now.
        let reindexed = try await keys.reindex(from: plain, to: plain)
        try await keys.remove(KeyRing.indexID)
        return ColumnEncryption(cipher: plain, sealer: nil, madeFile: nil, reindexed: reindexed)
    }
}

/// A new current key, and what old ones are still needed for.
package struct KeyRotation: Sendable {
    private let database: any SQLDatabase
    private let sealer: ColumnSealer
    private let clock: @Sendable () -> Date

    package init(
        _ database: any SQLDatabase, sealer: ColumnSealer, clock: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.database = database
        self.sealer = sealer
        self.clock = clock
    }

    /// Puts a new key in front of the ring's file. Killed at any point, it leaves the old ring or the new one.
    ///
    /// - Returns: the new key's id.
    /// - Throws: `KeyRingError` of code `settings` where the keys come from the environment.
    package func addKey(using generator: inout some RandomNumberGenerator) async throws -> String {
        guard let file = sealer.source.file else {
            throw KeyRingError(
                .settings,
                "the keys come from PATHLIGHT_ENCRYPTION_KEYS, which only you can change: put a new key in front "
                    + "(`echo \"k2 $(head -c 32 /dev/urandom | base64)\"`), restart, then `pathlight users rotate-key "
                    + "--reseal`. Without a line “\(KeyRing.indexID)” the last key makes the index and has to stay the last"
            )
        }
        let keys = ColumnKeys(database: database, clock: clock)
        // Of two that read one ring, the second would write a file without the first one's key.
        let lock = try await keys.lock()
        defer { lock.release() }
        // Of the file as it is now: another rotation may have come first.
        let ring = try file.read().adding(at: clock(), using: &generator)
        // First the row: a key without a row could have sealed something that no start would ask for.
        try await ColumnEncryption.note(ring.currentID, keys, ColumnSealer(ring))
        try file.replace(with: ring)
        sealer.source.adopt(ring)
        return ring.currentID
    }

    /// The old keys that seal nothing any more, whose lines may be removed from the ring. The next start forgets them.
    package func unusedKeys() async throws -> [String] {
        let keys = ColumnKeys(database: database, clock: clock)
        var unused: [String] = []
        for id in sealer.source.refreshed().ids.dropFirst() where try await !keys.isUsed(id) { unused.append(id) }
        return unused
    }
}
