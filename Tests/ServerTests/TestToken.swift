import Foundation
import Store
import TestSupport

/// Tokens of an identity provider whose secret is known here. Another program signed them (HMAC-SHA256): this one only
/// checks.
enum TestToken {
    private static let secret = "a secret of thirty-two bytes and more"

    /// Two of one user until the year 2100, one of another, and one that ended in 2001.
    static let ofGrace = text(
        #"{"sub":"grace","exp":4102444800}"#, "0kh3V07oKx3jkx1jVoMM2C364bXATQgrIBLFls509zE")
    static let anotherOfGrace = text(
        #"{"sub":"grace","exp":4102444800,"jti":"2"}"#, "Ayz5dwW_BKizxMDyan1saXYKawr4WcLx6nh7M1eVp2Y")
    static let ofHedy = text(#"{"sub":"hedy","exp":4102444800}"#, "EOGGbA2W0ueQMh-hKYOX31Tl0R1f4V-N3vCiiz5PuHo")
    static let past = text(#"{"sub":"grace","exp":1000000000}"#, "7b_uJV4q5kdrgrQuXBBS6B0evqCmTqnbco8UbEKKf0c")

    /// The path of a file that `auth.jwt.secret_file` can name.
    static func secretFile(in folder: TemporaryDirectory) throws -> String {
        let file = try folder.write(secret, to: "secret")
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file.path)
        return file.path
    }

    private static func text(_ payload: String, _ signature: String) -> String {
        // {"alg":"HS256","typ":"JWT"}
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9." + Base64URL.text(of: Array(payload.utf8)) + "." + signature
    }
}
