/// Seals what people said and who they are before it is stored, and opens it again.
///
/// `column` names table and column ("users.email"); what was sealed for one column opens in no other. Any text may be
/// sealed; what comes out is text without U+0000. Text that was stored before there was a cipher opens as it is.
package protocol ColumnCipher: Sendable {
    /// What to store in place of `text`.
    func seal(_ text: String, column: String) throws -> String

    /// What was sealed.
    ///
    /// - Throws: `ColumnCipherError` where the key is missing or what is stored is not what was sealed there.
    func open(_ stored: String, column: String) throws -> String

    /// A name for `text` under which to find it: the same for the same text and column, telling nothing of it.
    func index(_ text: String, column: String) -> String
}

/// Why a sealed column cannot be opened. Says where and under which key, never what was sealed.
package struct ColumnCipherError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The bounded set of reasons; raw values serve as metric labels.
    package enum Code: String, Sendable, CaseIterable {
        /// The key is not in the ring.
        case missingKey = "missing_key"
        /// Not as it was sealed: damaged, sealed for another column, or under another key of the same name.
        case damaged
        /// The cipher itself refused to seal.
        case notSealed = "not_sealed"
    }

    package let code: Code
    package let column: String
    package let keyID: String

    package init(_ code: Code, column: String, keyID: String) {
        self.code = code
        self.column = column
        self.keyID = keyID
    }

    package var description: String {
        switch code {
        case .missingKey:
            "the column \(column) is sealed with the key \(keyID), which is not in the key ring; bring back the key "
                + "file that has it (PATHLIGHT_ENCRYPTION_KEY_FILE or PATHLIGHT_ENCRYPTION_KEYS)"
        case .damaged:
            "a value of the column \(column), sealed with the key \(keyID), cannot be opened: it is damaged, belongs to "
                + "another column, or the ring holds another key of that name; restore it from a backup"
        case .notSealed:
            "a value of the column \(column) could not be sealed with the key \(keyID)"
        }
    }
}

/// How sealed text looks: `pl1:<key id>:<base64url of nonce, ciphertext and tag>`; and how plain text that looks like
/// it is told apart: `pl0:` before it.
package enum SealedText {
    package static let prefix = "pl1:"
    /// Before plain text that begins like sealed or escaped text.
    package static let plainPrefix = "pl0:"

    /// A key's id has 1 to 32 of these: lower-case letters, digits, `-` and `_`.
    package static let maximumKeyIDBytes = 32

    package static func isKeyID(_ text: some StringProtocol) -> Bool {
        (1...maximumKeyIDBytes).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x2D || byte == 0x5F
            }
    }

    /// The key's id of sealed text, or nil where the text is none.
    package static func keyID(of stored: String) -> String? {
        guard stored.utf8.starts(with: prefix.utf8) else { return nil }
        let rest = stored.utf8.dropFirst(prefix.utf8.count)
        guard let colon = rest.prefix(maximumKeyIDBytes + 1).firstIndex(of: UInt8(ascii: ":")) else { return nil }
        let id = stored[rest.startIndex..<colon]
        return isKeyID(id) ? String(id) : nil
    }

    /// Plain text as it is stored: itself, but for the escape where it begins like sealed or escaped text.
    package static func escaping(_ text: String) -> String {
        let isLike = text.utf8.starts(with: prefix.utf8) || text.utf8.starts(with: plainPrefix.utf8)
        return isLike ? plainPrefix + text : text
    }

    /// Undoes `escaping`.
    package static func unescaping(_ stored: String) -> String {
        guard stored.utf8.starts(with: plainPrefix.utf8) else { return stored }
        return String(stored.unicodeScalars.dropFirst(plainPrefix.utf8.count))
    }
}

/// No encryption: text is stored as it is. For tests, and for a service that was told to keep its data plain.
package struct PlainColumns: ColumnCipher {
    package init() {}

    package func seal(_ text: String, column: String) -> String { SealedText.escaping(text) }

    /// - Throws: `ColumnCipherError` of code `missingKey` for text that somebody sealed.
    package func open(_ stored: String, column: String) throws -> String {
        if let keyID = SealedText.keyID(of: stored) {
            throw ColumnCipherError(.missingKey, column: column, keyID: keyID)
        }
        return SealedText.unescaping(stored)
    }

    /// SHA-256 in hexadecimal. Whoever reads the database can try addresses against it; a keyed cipher's cannot be tried.
    package func index(_ text: String, column: String) -> String {
        TextDigest.hexadecimal(of: "pathlight plain index 1\n\(column)\n\(text)")
    }
}

extension ColumnCipher {
    /// `seal` for a value that may be nil.
    package func seal(_ text: String?, column: String) throws -> String? {
        try text.map { try seal($0, column: column) }
    }

    /// `open` for a value that may be nil.
    package func open(_ stored: String?, column: String) throws -> String? {
        try stored.map { try open($0, column: column) }
    }

    /// Seals bytes for a column of bytes. UTF-8, as documents are, is sealed as text; anything else as base64.
    package func seal(_ bytes: [UInt8], column: String) throws -> [UInt8] {
        if let text = String(validating: bytes, as: UTF8.self), !text.utf8.starts(with: Self.base64Mark.utf8) {
            return Array(try seal(text, column: column).utf8)
        }
        return Array(try seal(Self.base64Mark + Base64URL.text(of: bytes), column: column).utf8)
    }

    /// Undoes `seal`; bytes that no cipher wrote come back as they are.
    package func open(_ stored: [UInt8], column: String) throws -> [UInt8] {
        guard let text = String(validating: stored, as: UTF8.self) else { return stored }
        let opened = try open(text, column: column)
        guard opened.utf8.starts(with: Self.base64Mark.utf8) else { return Array(opened.utf8) }
        return Base64URL.bytes(of: opened.utf8.dropFirst(Self.base64Mark.utf8.count)) ?? Array(opened.utf8)
    }

    private static var base64Mark: String { "base64:" }
}
