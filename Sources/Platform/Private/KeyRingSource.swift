import Foundation
import Synchronization

/// Where the keys come from, and whether there should be any.
package struct EncryptionSettings: Sendable, Equatable {
    package enum Mode: String, Sendable, CaseIterable {
        /// With the keys that are configured, or else with a key file in the data folder, made where it is missing.
        case automatic = "auto"
        /// With configured keys; without any the start is refused.
        case required
        /// Not at all. Refused where something is sealed.
        case off
    }

    package var mode: Mode
    /// Lines or entries between commas, of `PATHLIGHT_ENCRYPTION_KEYS`. Comes before the file.
    package var keys: String?
    /// Of `PATHLIGHT_ENCRYPTION_KEY_FILE`; nil for `keys/columns.key` in the data folder.
    package var keyFile: String?
    package var dataDirectory: String

    package init(mode: Mode = .automatic, keys: String? = nil, keyFile: String? = nil, dataDirectory: String) {
        self.mode = mode
        self.keys = keys
        self.keyFile = keyFile
        self.dataDirectory = dataDirectory
    }

    /// What `read` looks at.
    package static let variables = [
        "PATHLIGHT_ENCRYPTION", "PATHLIGHT_ENCRYPTION_KEYS", "PATHLIGHT_ENCRYPTION_KEY_FILE",
    ]

    /// What the program makes by itself.
    package var defaultKeyFile: String { dataDirectory + "/keys/columns.key" }

    /// - Throws: `KeyRingError` of code `settings` for a mode that is none.
    package static func read(_ environment: [String: String], dataDirectory: String) throws(KeyRingError) -> Self {
        var settings = EncryptionSettings(dataDirectory: dataDirectory)
        if let text = environment["PATHLIGHT_ENCRYPTION"], !text.isEmpty {
            guard let mode = Mode(rawValue: text) else {
                let known = Mode.allCases.map(\.rawValue).joined(separator: ", ")
                throw KeyRingError(.settings, "PATHLIGHT_ENCRYPTION is “\(text.prefix(40))”; it may be \(known)")
            }
            settings.mode = mode
        }
        if let keys = environment["PATHLIGHT_ENCRYPTION_KEYS"], !keys.isEmpty { settings.keys = keys }
        if let file = environment["PATHLIGHT_ENCRYPTION_KEY_FILE"], !file.isEmpty { settings.keyFile = file }
        return settings
    }
}

extension EncryptionSettings: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String {
        "encryption \(mode.rawValue), \(keys == nil ? keyFile ?? "default file" : "variable")"
    }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: ["mode": mode.rawValue]) }
}

/// A key ring that is read again when its file changes, so that a running service follows `rotate-key`.
package final class KeyRingSource: Sendable {
    private struct State {
        var ring: KeyRing
        var stamp: KeyFile.Stamp?
        var lastLook: ContinuousClock.Instant
    }

    /// Nil for keys of the environment, which stay as they are.
    package let file: KeyFile?
    private let state: Mutex<State>
    private let clock: @Sendable () -> ContinuousClock.Instant
    /// How long a change of the file may go unseen.
    package static let period = Duration.seconds(1)

    package init(
        _ ring: KeyRing, file: KeyFile?,
        clock: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        self.file = file
        self.clock = clock
        // Without a stamp, since the file may have changed since the ring was read: the first look reads it again.
        state = Mutex(State(ring: ring, stamp: nil, lastLook: clock()))
    }

    /// The ring of the file, at most a second old.
    package var ring: KeyRing {
        let now = clock()
        return state.withLock { state in
            if file != nil, state.lastLook.duration(to: now) >= Self.period {
                state.lastLook = now
                Self.look(file, &state)
            }
            return state.ring
        }
    }

    /// The ring as its file is now, for a key that is missing from the last one.
    package func refreshed() -> KeyRing {
        state.withLock { state in
            Self.look(file, &state)
            return state.ring
        }
    }

    /// Takes a ring that was written to the file just now.
    package func adopt(_ ring: KeyRing) {
        state.withLock { state in
            state.ring = ring
            state.stamp = nil
        }
    }

    /// A file that is gone or wrong for a moment leaves the ring as it was: what runs goes on.
    private static func look(_ file: KeyFile?, _ state: inout State) {
        guard let file, let stamp = file.stamp, stamp != state.stamp else { return }
        guard let ring = try? file.read() else { return }
        state.ring = ring
        state.stamp = stamp
    }
}
