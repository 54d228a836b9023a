internal import Foundation
package import Store

/// Where learned ability weights are kept: with the settings, so that a restart and every replica use the same.
package enum AbilityWeightSetting {
    private static let key = "ability_weights"

    /// The weights in use, or nil where all abilities count alike.
    ///
    /// - Returns: nil as well for a stored value that is not 15 positive numbers: a damaged setting must not rank.
    package static func read(from database: any SQLDatabase) async throws -> [Double]? {
        guard let text = try await SettingRepository(database).value(of: key),
            let weights = try? JSONDecoder().decode([Double].self, from: Data(text.utf8)),
            weights.count == Ability.count, weights.allSatisfy({ $0.isFinite && $0 > 0 })
        else { return nil }
        return weights
    }

    /// Puts weights in use, or takes them out of use with nil; served careers follow at the next look.
    package static func write(_ weights: [Double]?, to database: any SQLDatabase) async throws {
        let settings = SettingRepository(database)
        if let weights {
            try await settings.set(key, to: String(decoding: try JSONEncoder().encode(weights), as: UTF8.self))
        } else {
            try await settings.remove(key)
        }
        try await CareerRepository(database).touch()
    }
}
