internal import Foundation

/// What a password must be (NIST SP 800-63B, section 5.1.1.2): long, and not among the first that anybody tries. No
/// rules about kinds of characters, which make passwords worse.
package enum PasswordRules {
    package static let minimumScalars = 10
    package static let maximumScalars = 256

    /// A password in the form that is hashed, whatever keyboard it was typed on: NFC.
    ///
    /// - Returns: nil for what no account's password can be.
    static func normalised(_ password: String) -> String? {
        // Normalising costs time by the byte, and what is longer is none in any form.
        guard password.utf8.count <= maximumScalars * 16 else { return nil }
        let normalised = password.precomposedStringWithCanonicalMapping
        return normalised.isEmpty || normalised.unicodeScalars.count > maximumScalars ? nil : normalised
    }

    /// - Throws: `IdentityError` of code `weakPassword`, which says what is wrong.
    package static func check(_ password: String, email: EmailAddress? = nil, name: String? = nil)
        throws(IdentityError)
    {
        guard !password.isEmpty else { throw tooShort }
        guard let normalised = normalised(password) else {
            throw IdentityError(
                .weakPassword, "the password has more than \(maximumScalars) characters; take a shorter one")
        }
        guard normalised.unicodeScalars.count >= minimumScalars else { throw tooShort }
        let folded = normalised.lowercased()
        if let email, folded == email.text || folded == email.text.prefix(while: { $0 != "@" }) {
            throw IdentityError(.weakPassword, "the password is the address; take one that nobody else knows")
        }
        if let name, folded == name.lowercased() {
            throw IdentityError(.weakPassword, "the password is the name; take one that nobody else knows")
        }
        guard !isCommon(folded) else {
            throw IdentityError(.weakPassword, "the password is one of the first that anybody tries; take another")
        }
    }

    private static var tooShort: IdentityError {
        IdentityError(
            .weakPassword, "the password has fewer than \(minimumScalars) characters; a few words make a good one")
    }

    /// Whether a password in lower case is a common one, a row of keys, or a few characters again and again.
    static func isCommon(_ password: String) -> Bool {
        if common.contains(password) { return true }
        // “password2024!!”: a common word and what people hang on to it.
        let decoration = CharacterSet.decimalDigits.union(CharacterSet(charactersIn: "!.?@#$*_-+ "))
        if words.contains(password.trimmingCharacters(in: decoration)) { return true }
        let scalars = password.unicodeScalars.map(\.value)
        return isRepeated(scalars) || isRow(scalars)
    }

    /// Whether a piece of one to four characters makes up all of it.
    private static func isRepeated(_ scalars: [UInt32]) -> Bool {
        (1...4).contains { period in
            scalars.indices.allSatisfy { scalars[$0] == scalars[$0 % period] }
        }
    }

    /// Whether each character is the next or the last before in its alphabet, or all lie in one row of the keyboard.
    private static func isRow(_ scalars: [UInt32]) -> Bool {
        let steps = zip(scalars, scalars.dropFirst()).map { Int64($1) - Int64($0) }
        // 1234567890 and 0987654321 step over the gap between 9 and 0.
        if steps.allSatisfy({ $0 == 1 || $0 == -9 }) || steps.allSatisfy({ $0 == -1 || $0 == 9 }) { return true }
        let text = String(String.UnicodeScalarView(scalars.compactMap(Unicode.Scalar.init)))
        return rows.contains { $0.contains(text) || String($0.reversed()).contains(text) }
    }

    private static let rows = [
        "qwertyuiopasdfghjklzxcvbnm", "qwertzuiopasdfghjklyxcvbnm", "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
    ]

    private static let words: Set<String> = [
        "password", "passwort", "passw0rd", "p@ssw0rd", "p@ssword", "pa$$word", "letmein", "welcome", "iloveyou",
        "qwerty", "qwertyuiop", "admin", "administrator", "changeme", "football", "baseball", "basketball", "superman",
        "princess", "sunshine", "monkey", "dragon", "master", "michael", "jennifer", "trustno", "starwars", "pathlight",
        "career", "secret", "summer", "winter", "spring", "autumn", "test", "testtest", "login", "hello", "abc", "user",
        "guest", "default", "root", "computer", "internet", "whatever", "freedom", "liverpool", "chelsea", "arsenal",
    ]

    /// Those of ten characters and more among the most used ones that the rules above do not find.
    private static let common: Set<String> = [
        "passwordpassword", "password1password", "thisismypassword", "mypassword", "mypassword1", "newpassword",
        "nopassword", "yourpassword", "qwertyqwerty", "qwerty123456", "qwerty12345", "1q2w3e4r5t", "1q2w3e4r5t6y",
        "1qaz2wsx3edc", "1qazxsw2", "zaq12wsxcde3", "q1w2e3r4t5", "q1w2e3r4t5y6", "asdfghjkl1", "asdfasdfasdf",
        "zxcvbnm123", "abcd1234567", "abcdef123456", "a123456789", "a1234567890", "aa12345678", "123456789a",
        "1234567890a", "1234567891", "12345678910", "123456123456", "123321123321", "1122334455", "0123456789",
        "9876543210", "147258369", "1472583690", "789456123", "7894561230", "1357924680", "letmeinplease",
        "iloveyouforever", "iloveyouso", "iloveyoubaby", "ilovemyself", "correcthorsebatterystaple",
        "changemeplease", "adminadmin", "administrator1", "rootrootroot", "testtesttest", "supersecret", "topsecret",
        "mysecret123", "sunshine123", "princess123", "trustno1trustno1", "opensesame", "abracadabra", "manchester",
        "california", "barcelona1", "realmadrid", "evangeline", "strawberry", "watermelon", "chocolate1",
        "basketball1", "undertaker", "pokemonpokemon", "minecraft123", "facebook123", "google123456", "samsung123",
    ]
}
