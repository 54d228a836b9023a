import Crypto
package import Foundation

/// The keys that columns are sealed with: the first seals, all of them open.
///
/// One line each, `<key id> <base64 of 32 bytes>`, with comments after `#`. The id `index` is kept for the key of the
/// names that addresses are found by; where there is no such line, the last key serves, which is the oldest. It must
/// stay the same when keys change, or nobody would be found.
package struct KeyRing: Sendable {
    package static let indexID = "index"
    package static let keyBytes = 32
    static let maximumBytes = 64 * 1024
    static let maximumKeys = 100

    struct Key: Sendable {
        let id: String
        let secret: [UInt8]
    }

    /// The current one first.
    let keys: [Key]
    /// Of the line `index`, or nil where the oldest key serves.
    let indexSecret: [UInt8]?
    /// What seals under each key, derived from it (`sealingKey`).
    let sealingKeys: [String: SymmetricKey]
    /// What the names for lookups are made with.
    let indexKey: SymmetricKey

    package var currentID: String { keys[0].id }
    /// The current one first.
    package var ids: [String] { keys.map(\.id) }
    package var hasIndexLine: Bool { indexSecret != nil }

    /// - Parameters:
    ///   - keys: at least one, the current one first.
    ///   - index: of the line `index`.
    init(keys: [Key], index: [UInt8]?) {
        precondition(!keys.isEmpty, "a key ring has a key")
        self.keys = keys
        indexSecret = index
        sealingKeys = Dictionary(uniqueKeysWithValues: keys.map { ($0.id, Self.derived($0.secret, for: "sealing")) })
        indexKey = Self.derived(index ?? keys[keys.count - 1].secret, for: "index")
    }

    /// Each purpose has a key of its own, so that nothing made for one can serve another (HKDF, RFC 5869).
    private static func derived(_ secret: [UInt8], for purpose: String) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(
            inputKeyMaterial: SymmetricKey(data: secret), info: Array("pathlight column \(purpose) 1".utf8),
            outputByteCount: keyBytes)
    }

    /// A ring of one new key and a key for the index.
    package static func make(
        at date: Date, using generator: inout some RandomNumberGenerator
    ) -> KeyRing {
        let index = random(using: &generator)
        let key = Key(id: newID(at: date, using: &generator), secret: random(using: &generator))
        return KeyRing(keys: [key], index: index)
    }

    /// The same ring with a new current key. The key of the index gets a line of its own, which keeps it as it is when
    /// the oldest key goes.
    package func adding(at date: Date, using generator: inout some RandomNumberGenerator) -> KeyRing {
        var id = Self.newID(at: date, using: &generator)
        while ids.contains(id) { id = Self.newID(at: date, using: &generator) }
        let key = Key(id: id, secret: Self.random(using: &generator))
        return KeyRing(keys: [key] + keys, index: indexSecret ?? keys[keys.count - 1].secret)
    }

    /// The text of a key file, secrets and all.
    func fileText() -> String {
        var lines = [
            "# Pathlight seals private columns with these keys: the first seals, all of them open.",
            "# Without this file what is sealed is lost. Keep a copy, and keep it apart from the backups of the database.",
        ]
        lines += keys.map { "\($0.id) \(Data($0.secret).base64EncodedString())" }
        if let indexSecret {
            lines.append("# For finding addresses; it stays when keys change.")
            lines.append("\(Self.indexID) \(Data(indexSecret).base64EncodedString())")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// The day, for people, and 32 random bits.
    private static func newID(at date: Date, using generator: inout some RandomNumberGenerator) -> String {
        let day = date.formatted(.iso8601.year().month().day().dateSeparator(.omitted))
        let digits = String(generator.next(upperBound: UInt32.max), radix: 16)
        return "k\(day)-" + String(repeating: "0", count: 8 - digits.utf8.count) + digits
    }

    private static func random(using generator: inout some RandomNumberGenerator) -> [UInt8] {
        (0..<keyBytes).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }
}

/// A ring in a message or a debugger shows ids alone.
extension KeyRing: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "key ring of \(ids.joined(separator: ", "))" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: ["ids": ids]) }
}

extension KeyRing.Key: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    var description: String { "key \(id)" }
    var debugDescription: String { description }
    var customMirror: Mirror { Mirror(self, children: ["id": id]) }
}
