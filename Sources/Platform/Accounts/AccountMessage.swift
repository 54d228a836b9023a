internal import Foundation
internal import Store

/// What an account's owner is written about.
package enum AccountMessageKind: String, Sendable, CaseIterable, Codable {
    case passwordReset = "password_reset"
    case addressVerification = "address_verification"
    /// So that somebody learns of it who did not do it.
    case passwordChanged = "password_changed"

    /// What its link is for; nil where it has none that does anything by itself.
    var linkPurpose: LinkPurpose? {
        switch self {
        case .passwordReset: .passwordReset
        case .addressVerification: .addressVerification
        case .passwordChanged: nil
        }
    }

    var reason: MailRecipients.Reason { linkPurpose == nil ? .notice : .asked }

    /// The page that its link opens.
    var path: String {
        switch self {
        case .passwordReset: "/reset-password"
        case .addressVerification: "/verify-address"
        case .passwordChanged: "/forgot-password"
        }
    }
}

/// The words of a message about an account. It holds nothing that somebody else may have written, such as a name: whoever
/// signs up with another's address must not be able to send them text of their own.
struct AccountMessage {
    let kind: AccountMessageKind
    /// Where the service is reached.
    let base: String
    /// The link's secret, where the kind has one.
    let secret: String?

    var link: String { base + kind.path + (secret.map { "?token=\($0)" } ?? "") }

    var subject: String {
        switch kind {
        case .passwordReset: "Set a new password for Pathlight"
        case .addressVerification: "Confirm your address for Pathlight"
        case .passwordChanged: "Your password for Pathlight was changed"
        }
    }

    private var before: String {
        switch kind {
        case .passwordReset:
            "Somebody, most likely you, asked for a new password for the account at Pathlight that has this address. "
                + "Open this link to set one. It works once, within an hour:"
        case .addressVerification:
            "Somebody, most likely you, has an account at Pathlight with this address. Open this link to confirm that "
                + "the address is yours. It works once, within three days:"
        case .passwordChanged:
            "The password of your account at Pathlight was changed just now. If that was you, there is nothing to do. If "
                + "it was not, set another one here, which signs out everybody else:"
        }
    }

    private var after: String? {
        switch kind {
        case .passwordReset:
            "If it was not you, there is nothing to do: the password stays as it is. Give the link to nobody."
        case .addressVerification:
            "If it was not you, there is nothing to do: without this link nothing more is sent to this address but what "
                + "somebody asks for at the sign-in page."
        case .passwordChanged: nil
        }
    }

    /// - Parameters:
    ///   - key: what the message is known by.
    ///   - date: of the message.
    func message(from: MailAddress, to: MailAddress, key: String, date: Date) throws(MailError) -> MailMessage {
        let parts = [before, link, after].compactMap { $0 }
        let paragraphs = [before, nil, after].map { text in
            text.map { "<p>\(Self.escaped($0))</p>" }
                ?? "<p><a href=\"\(Self.escaped(link))\">\(Self.escaped(link))</a></p>"
        }
        return try MailMessage(
            from: from, to: to, subject: HeaderText(subject), text: parts.joined(separator: "\n\n") + "\n",
            html: """
                <!doctype html>
                <html lang="en-GB"><head><meta charset="utf-8"><title>\(subject)</title></head><body>
                \(paragraphs.prefix(after == nil ? 2 : 3).joined(separator: "\n"))
                </body></html>
                """,
            id: MailMessageID(key: key, sender: from), date: date)
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
            .replacing("\"", with: "&quot;").replacing("'", with: "&#39;")
    }
}
