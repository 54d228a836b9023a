import Configuration
import Platform

/// Looks a setting up in flags, file and environment, in this order, and converts what it finds.
struct SettingsReader {
    let overrides: InMemoryProvider
    let file: SettingsFile?
    let environment: EnvironmentVariablesProvider
    /// What was read, and what holds where nothing was.
    let journal = SettingsJournal()

    init(environment: [String: String], file: SettingsFile?, overrides: SettingsOverrides) {
        var values: [AbsoluteConfigKey: ConfigValue] = [:]
        for (key, value) in overrides.values {
            values[AbsoluteConfigKey(key.components)] = ConfigValue(.string(value), isSecret: false)
        }
        self.overrides = InMemoryProvider(name: "flags", values: values)
        self.file = file
        self.environment = EnvironmentVariablesProvider(
            environmentVariables: environment, secretsSpecifier: .specific(["DATABASE_URL"]))
    }

    private struct Found {
        let text: String
        let key: String
        let source: String
    }

    /// Every setting is read as text: the providers' own conversions do not say which value they refused.
    private func find(_ key: SettingKey) throws -> Found? {
        let absolute = AbsoluteConfigKey(key.components)
        if let text = text(try overrides.value(forKey: absolute, type: .string)) {
            return Found(text: text, key: "--\(key.components.joined(separator: "-"))", source: "command line")
        }
        if let file {
            let result: LookupResult
            do {
                result = try file.snapshot.value(forKey: absolute, type: .string)
            } catch {
                throw SettingsError.invalidValue(
                    key: key.rawValue, source: file.path, value: "a list", expected: "a single value")
            }
            if let text = text(result) { return Found(text: text, key: key.rawValue, source: file.path) }
        }
        for name in [key.environmentName] + key.sharedEnvironmentNames {
            // An empty variable is how a compose file says "not set".
            if let text = try environment.environmentValue(forName: name), !text.isEmpty {
                return Found(text: text, key: name, source: "environment")
            }
        }
        return nil
    }

    private func text(_ result: LookupResult) -> String? {
        if case .string(let text) = result.value?.content { text } else { nil }
    }

    /// Sets `value` from the setting, if it is given anywhere.
    ///
    /// - Throws: `SettingsError.invalidValue` where `convert` gives nil.
    func read<Value>(
        _ key: SettingKey, into value: inout Value, expected: String, _ convert: (String) -> Value?
    ) throws {
        let found = try find(key)
        journal.note(key, given: found.map { ($0.text, $0.source) }, otherwise: value)
        guard let found else { return }
        guard let converted = convert(found.text) else {
            let shown = key.isSecret ? "a value that is not shown" : found.text
            throw SettingsError.invalidValue(key: found.key, source: found.source, value: shown, expected: expected)
        }
        value = converted
    }

    func read(_ key: SettingKey, into value: inout String) throws {
        try read(key, into: &value, expected: "a text that is not empty") { $0.isEmpty ? nil : $0 }
    }

    func read(_ key: SettingKey, into value: inout String?) throws {
        try read(key, into: &value, expected: "a text that is not empty") { $0.isEmpty ? nil : .some($0) }
    }

    func read(_ key: SettingKey, into value: inout Int, in range: ClosedRange<Int>) throws {
        let expected = "a whole number from \(range.lowerBound) to \(range.upperBound)"
        try read(key, into: &value, expected: expected) { text in
            Int(text).flatMap { range.contains($0) ? $0 : nil }
        }
    }

    func read(_ key: SettingKey, into value: inout Int?, in range: ClosedRange<Int>) throws {
        let expected = "a whole number from \(range.lowerBound) to \(range.upperBound)"
        try read(key, into: &value, expected: expected) { text -> Int?? in
            guard let number = Int(text), range.contains(number) else { return nil }
            return .some(number)
        }
    }

    func read(_ key: SettingKey, into value: inout Bool) throws {
        try read(key, into: &value, expected: "one of `true`, `false`") { text in
            ["true": true, "false": false][text.lowercased()]
        }
    }

    /// Requests a second; 0 for as many as come.
    func readRate(_ key: SettingKey, into value: inout Double?) throws {
        let range = TokenBucket.Rate.perSecondRange
        let expected = "0 for no limit, or a number from \(range.lowerBound) to \(Int(range.upperBound))"
        try read(key, into: &value, expected: expected) { text -> Double?? in
            guard let rate = Double(text), rate == 0 || range.contains(rate) else { return nil }
            return rate
        }
    }

    func readProxies(_ key: SettingKey, into value: inout String?) throws {
        let expected = "an address, or addresses and networks separated by commas (`10.0.0.5, 172.16.0.0/12`)"
        try read(key, into: &value, expected: expected) { text -> String?? in
            guard TrustedProxies(text) != nil else { return nil }
            return .some(text)
        }
    }

    func read(_ key: SettingKey, into value: inout Duration) throws {
        try read(key, into: &value, expected: "a number of seconds above 0 and up to 3600") { text in
            guard let seconds = Double(text), seconds > 0, seconds <= 3600 else { return nil }
            return .milliseconds(Int64((seconds * 1000).rounded(.up)))
        }
    }

    /// As a duration, and zero as well.
    func readPause(_ key: SettingKey, into value: inout Duration) throws {
        try read(key, into: &value, expected: "a number of seconds from 0 to 3600") { text in
            guard let seconds = Double(text), (0...3600).contains(seconds) else { return nil }
            return .milliseconds(Int64((seconds * 1000).rounded(.up)))
        }
    }

    func read<Choice>(_ key: SettingKey, into value: inout Choice) throws
    where Choice: RawRepresentable<String> & CaseIterable {
        let names = Choice.allCases.map { "`\($0.rawValue)`" }.joined(separator: ", ")
        try read(key, into: &value, expected: "one of \(names)") { Choice(rawValue: $0.lowercased()) }
    }
}
