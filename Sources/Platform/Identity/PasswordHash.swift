internal import Foundation

/// How much a password's hash costs to compute (RFC 7914).
package struct ScryptParameters: Sendable, Equatable {
    /// The logarithm of N to base 2.
    package let logN: Int
    /// Blocks of 128 bytes; a hash takes 128 · N · r bytes.
    package let r: Int
    package let p: Int

    /// - Precondition: within what a stored hash may name.
    package init(logN: Int, r: Int, p: Int) {
        precondition(Self.isAllowed(logN: logN, r: r, p: p), "parameters that a stored hash may name")
        self.init(unchecked: logN, r, p)
    }

    fileprivate init(unchecked logN: Int, _ r: Int, _ p: Int) {
        self.logN = logN
        self.r = r
        self.p = p
    }

    /// OWASP's minimum (Password Storage Cheat Sheet): 128 MiB and some tenths of a second.
    package static let standard = ScryptParameters(logN: 17, r: 8, p: 1)

    /// At most 512 MiB: a damaged hash must not take the machine's memory.
    static func isAllowed(logN: Int, r: Int, p: Int) -> Bool {
        (1...20).contains(logN) && (1...16).contains(r) && (1...16).contains(p) && r << logN <= 1 << 22
    }
}

/// A password's hash as it is stored: `scrypt$17$8$1$salt$hash`, salt and hash in base64.
struct PasswordHash: Sendable, Equatable {
    static let saltBytes = 16
    static let hashBytes = 32

    let parameters: ScryptParameters
    let salt: [UInt8]
    let hash: [UInt8]

    init(parameters: ScryptParameters, salt: [UInt8], hash: [UInt8]) {
        self.parameters = parameters
        self.salt = salt
        self.hash = hash
    }

    /// Reads what `text` wrote, and nothing else.
    init?(_ text: String) {
        guard text.utf8.count <= 200 else { return nil }
        let parts = text.utf8.split(separator: UInt8(ascii: "$"), omittingEmptySubsequences: false).map {
            String($0) ?? ""
        }
        guard parts.count == 6, parts[0] == "scrypt", let logN = Int(parts[1]), let r = Int(parts[2]),
            let p = Int(parts[3]), ScryptParameters.isAllowed(logN: logN, r: r, p: p),
            let salt = Data(base64Encoded: parts[4]), salt.count == Self.saltBytes,
            let hash = Data(base64Encoded: parts[5]), hash.count == Self.hashBytes
        else { return nil }
        self.init(parameters: ScryptParameters(unchecked: logN, r, p), salt: Array(salt), hash: Array(hash))
        // One form alone: no “+17”, no stray bits.
        guard self.text == text else { return nil }
    }

    var text: String {
        let (salt, hash) = (Data(salt).base64EncodedString(), Data(hash).base64EncodedString())
        return "scrypt$\(parameters.logN)$\(parameters.r)$\(parameters.p)$\(salt)$\(hash)"
    }
}
