internal import Crypto
package import Store

/// Takes people off lists by a link that only this service can have made.
///
/// A token holds the list and the address's index, and a code over both (HMAC-SHA-256); it tells nobody the address
/// and holds for ever, as old mail does.
package struct Unsubscriber: Sendable {
    /// What a token stands for.
    package struct Subscription: Sendable, Equatable {
        package let list: MailList
        package let addressIndex: String
    }

    package static let keyBytes = 32
    /// Longer than any that is made here.
    private static let maximumTokenBytes = 512
    private static let purpose = "pathlight unsubscribe 1\n"

    private let key: SymmetricKey
    private let publicURL: String?
    private let mailto: MailAddress?
    private let suppressions: MailSuppressionRepository

    /// - Parameters:
    ///   - key: of 32 random bytes; with another one every link that was sent stops working.
    ///   - publicURL: under which people reach the service, `https://careers.example.org`; nil makes no links.
    ///   - mailto: where people may write instead.
    package init(key: [UInt8], publicURL: String?, mailto: MailAddress? = nil, suppressions: MailSuppressionRepository)
    {
        precondition(key.count >= Self.keyBytes, "a key for links has \(Self.keyBytes) bytes at least")
        self.key = SymmetricKey(data: key)
        var url = publicURL
        while url?.utf8.last == UInt8(ascii: "/") { url?.removeLast() }
        self.publicURL = url
        self.mailto = mailto
        self.suppressions = suppressions
    }

    /// With the key that the service made for itself at its first start and shares with its replicas.
    package static func open(
        _ database: any SQLDatabase, publicURL: String?, mailto: MailAddress? = nil,
        suppressions: MailSuppressionRepository
    ) async throws -> Unsubscriber {
        // SAFETY: the bytes are copied inside the closure.
        let fresh = unsafe SymmetricKey(size: .bits256).withUnsafeBytes { unsafe Array($0) }
        let key = try await MailKeyRepository(database).key("unsubscribe", fresh: fresh)
        guard key.count >= keyBytes else {
            throw StoreError(
                .unexpectedValue, "the stored key for links to unsubscribe has \(key.count) bytes, not \(keyBytes)",
                mend: "Restore the table mail_keys from a backup.")
        }
        return Unsubscriber(key: key, publicURL: publicURL, mailto: mailto, suppressions: suppressions)
    }

    // MARK: Giving

    package func token(list: MailList, address: MailAddress) -> String {
        let payload = Array("\(list.name)\n\(suppressions.index(of: address.canonical))".utf8)
        return Base64URL.text(of: payload) + "." + Base64URL.text(of: Array(code(of: payload)))
    }

    /// The header's link; nil where no https address is set under which people reach the service (RFC 8058 allows no
    /// other).
    package func link(list: MailList, address: MailAddress) -> ListUnsubscribe? {
        publicURL.flatMap { url in
            try? ListUnsubscribe(url: "\(url)/unsubscribe/\(token(list: list, address: address))", mailto: mailto)
        }
    }

    // MARK: Taking

    /// What a token stands for; nil for one that was not made here, or is cut off.
    package func read(_ token: String) -> Subscription? {
        guard token.utf8.count <= Self.maximumTokenBytes else { return nil }
        let parts = token.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 2, let payload = Base64URL.bytes(of: parts[0]), let given = Base64URL.bytes(of: parts[1])
        else { return nil }
        // In constant time: how much of a guess is right must not show.
        let isGenuine = HMAC<SHA256>.isValidAuthenticationCode(
            given, authenticating: Array(Self.purpose.utf8) + payload, using: key)
        guard isGenuine, let text = String(validating: payload, as: UTF8.self) else { return nil }
        let fields = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard fields.count == 2, let list = try? MailList(String(fields[0])) else { return nil }
        return Subscription(list: list, addressIndex: String(fields[1]))
    }

    /// Takes the address off the list; a second time changes nothing.
    ///
    /// - Returns: the list; nil for a token that does not hold.
    package func accept(_ token: String) async throws -> MailList? {
        guard let subscription = read(token) else { return nil }
        try await suppressions.suppress(
            index: subscription.addressIndex, list: subscription.list.name, reason: .unsubscribed)
        return subscription.list
    }

    private func code(of payload: [UInt8]) -> HMAC<SHA256>.MAC {
        HMAC<SHA256>.authenticationCode(for: Array(Self.purpose.utf8) + payload, using: key)
    }
}

/// A key is a secret: nothing of it is printed.
extension Unsubscriber: CustomStringConvertible, CustomReflectable {
    package var description: String { "Unsubscriber" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
