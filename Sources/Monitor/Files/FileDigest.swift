internal import Crypto
internal import Store

/// What a file holds, in short: to see whether it is still what was written.
package struct FileDigest: Sendable, Equatable {
    /// 64 hexadecimal digits.
    package let sha256: String
    package let bytes: Int64

    package init(sha256: String, bytes: Int64) {
        self.sha256 = sha256
        self.bytes = bytes
    }

    init(_ hash: SHA256, bytes: Int64) {
        sha256 = Hexadecimal.text(of: hash.finalize())
        self.bytes = bytes
    }
}
