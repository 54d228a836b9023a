import Platform

/// One setting as it holds: for who asks what the service runs with.
package struct SettingValue: Sendable, Equatable {
    package let key: SettingKey
    /// As it would be written in the file; nil where there is none, or where it is secret.
    package let value: String?
    /// `default`, `environment`, `command line`, or the path of the settings file.
    package let source: String

    package static let standard = "default"

    package init(key: SettingKey, value: String?, source: String) {
        self.key = key
        self.value = value
        self.source = source
    }

    package var isSet: Bool { source != Self.standard }
}

/// Takes down every setting while it is read.
final class SettingsJournal {
    private var entries: [SettingKey: SettingValue] = [:]

    /// What was read, in the order of the keys.
    var values: [SettingValue] { SettingKey.allCases.compactMap { entries[$0] } }

    /// - Parameter given: the text and where it stands; nil where the default holds.
    func note<Value>(_ key: SettingKey, given: (text: String, source: String)?, otherwise value: Value) {
        let text = (given?.text ?? Self.text(value)).map(Self.withoutCredentials)
        entries[key] = SettingValue(
            key: key, value: key.isSecret ? nil : text, source: given?.source ?? SettingValue.standard)
    }

    /// A default as it would be written; nil for one that is nothing, or of a kind that has no short form.
    private static func text(_ value: Any) -> String? {
        let mirror = Mirror(reflecting: value)
        if mirror.displayStyle == .optional {
            return mirror.children.first.flatMap { text($0.value) }
        }
        switch value {
        case let duration as Duration: return seconds(duration)
        case let choice as any RawRepresentable<String>: return choice.rawValue
        case let text as String: return text
        case let list as [String]: return list.isEmpty ? nil : list.joined(separator: ", ")
        case let plain as any LosslessStringConvertible: return plain.description
        default: return nil
        }
    }

    /// An address that has a name and a password in it, as a proxy's may, without them.
    private static func withoutCredentials(_ text: String) -> String {
        text.replacing(/:\/\/[^\/@\s]*@/, with: "://")
    }

    /// `1.5`, `30`
    private static func seconds(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        guard attoseconds != 0 else { return String(seconds) }
        return String(Double(seconds) + Double(attoseconds) / 1e18)
    }
}
