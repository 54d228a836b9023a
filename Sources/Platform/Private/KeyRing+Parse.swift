import Foundation
import Store

/// Why a key ring cannot be used. Names place and line, never what stands there.
package struct KeyRingError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Code: String, Sendable, CaseIterable {
        case missingFile = "missing_file"
        case unreadable
        case openToOthers = "open_to_others"
        case tooLarge = "too_large"
        case malformed
        case duplicate
        case noKey = "no_key"
        case notWritten = "not_written"
        /// Another process changes the keys.
        case busy
        /// A key is asked for that the ring does not have, or has otherwise.
        case wrongKey = "wrong_key"
        /// The settings ask for what does not go together.
        case settings
    }

    package let code: Code
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { message }
}

extension KeyRing {
    /// Reads the text of a key file or variable: lines, or entries between commas.
    ///
    /// - Parameter place: for messages: the file, or the variable's name.
    /// - Throws: `KeyRingError`
    package static func parse(_ text: [UInt8], place: String) throws(KeyRingError) -> KeyRing {
        guard text.count <= maximumBytes else {
            throw KeyRingError(.tooLarge, "\(place) has more than \(maximumBytes) bytes; a key takes one line of 50")
        }
        var keys: [Key] = []
        var index: [UInt8]?
        var number = 0
        for line in text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            number += 1
            // A comment ends with its line, commas or not; base64 has neither.
            let content = line.prefix { $0 != UInt8(ascii: "#") }
            for entry in content.split(separator: UInt8(ascii: ",")) {
                guard let key = try key(entry, place: "\(place), line \(number)") else { continue }
                if key.id == indexID {
                    guard index == nil else { throw duplicate(key.id, place, number) }
                    index = key.secret
                    continue
                }
                guard !keys.contains(where: { $0.id == key.id }) else { throw duplicate(key.id, place, number) }
                guard !keys.contains(where: { $0.secret == key.secret }) else {
                    throw KeyRingError(
                        .duplicate,
                        "\(place), line \(number): the key \(key.id) is another one's over again; make a "
                            + "new one with `head -c 32 /dev/urandom | base64`")
                }
                keys.append(key)
                guard keys.count <= maximumKeys else {
                    throw KeyRingError(.malformed, "\(place) has more than \(maximumKeys) keys")
                }
            }
        }
        guard !keys.isEmpty else {
            throw KeyRingError(
                .noKey,
                "\(place) holds no key; a line is an id, a space and the base64 of \(keyBytes) random bytes "
                    + "(`echo \"k1 $(head -c 32 /dev/urandom | base64)\"`)")
        }
        return KeyRing(keys: keys, index: index)
    }

    /// One entry, or nil for an empty one.
    private static func key(_ entry: ArraySlice<UInt8>, place: String) throws(KeyRingError) -> Key? {
        let words = entry.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") || $0 == UInt8(ascii: "\r") }
        if words.isEmpty { return nil }
        guard words.count == 2 else {
            throw KeyRingError(
                .malformed,
                "\(place): \(words.count) words where an id and the base64 of \(keyBytes) bytes are expected")
        }
        // The id is shown in messages only once it is one: a secret in its place is not repeated.
        guard let id = String(validating: words[0], as: UTF8.self), SealedText.isKeyID(id) else {
            throw KeyRingError(
                .malformed, "\(place): an id has 1 to \(SealedText.maximumKeyIDBytes) of a–z, 0–9, - and _")
        }
        let digits = Data(words[1])
        guard let secret = Data(base64Encoded: digits), secret.count == keyBytes, secret.base64EncodedData() == digits
        else {
            throw KeyRingError(
                .malformed, "\(place): after the id \(id) comes something that is not the base64 of \(keyBytes) bytes")
        }
        guard Set(secret).count > 1 else {
            throw KeyRingError(.malformed, "\(place): the key \(id) is one byte over and over; make it of random bytes")
        }
        return Key(id: id, secret: Array(secret))
    }

    private static func duplicate(_ id: String, _ place: String, _ line: Int) -> KeyRingError {
        KeyRingError(.duplicate, "\(place), line \(line): the id \(id) is there twice; give each key its own")
    }
}
