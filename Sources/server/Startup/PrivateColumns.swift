internal import Foundation
internal import Logging
internal import Platform
internal import Store

/// Opens the cipher of private columns, and says what people must know of its keys.
enum PrivateColumns {
    /// Where the keys are, by the environment.
    ///
    /// - Throws: `KeyRingError` of code `settings`.
    static func settings(_ settings: ServiceSettings) throws(KeyRingError) -> EncryptionSettings {
        try EncryptionSettings.read(ProcessInfo.processInfo.environment, dataDirectory: settings.dataDirectory)
    }

    /// - Parameter makesKeys: whether a first start may make the key file in the data folder.
    /// - Throws: `KeyRingError` where a key is missing or is not the one that sealed.
    static func open(
        _ settings: ServiceSettings, database: any SQLDatabase, makesKeys: Bool = true, logger: Logger
    ) async throws -> ColumnEncryption {
        let encryption = try self.settings(settings)
        let opened = try await ColumnEncryption.open(encryption, database: database, makesKeys: makesKeys)
        if let file = opened.madeFile {
            logger.notice(
                "a key file for private columns was made; keep a copy of it apart from the backups, for without it what is sealed is lost",
                metadata: ["file": "\(file)", "key": "\(opened.sealer?.currentID ?? "")"])
        }
        if opened.reindexed > 0 {
            logger.notice("accounts are found by a new index", metadata: ["accounts": "\(opened.reindexed)"])
        }
        if encryption.mode == .off {
            logger.warning("private columns are not encrypted: PATHLIGHT_ENCRYPTION is “off”")
        }
        return opened
    }
}
