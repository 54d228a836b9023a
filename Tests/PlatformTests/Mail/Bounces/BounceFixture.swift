import Foundation

/// Reports as mail servers write them.
enum BounceFixture {
    static let messageID = "0123456789abcdef0123456789abcdef@careers.example.org"

    /// As Postfix writes it, with the returned message whole.
    static func postfix(
        to address: String = "ada@example.org", id: String = messageID, action: String = "failed",
        status: String = "5.1.1", diagnosis: String? = "smtp; 550 5.1.1 <ada@example.org>: Recipient address rejected"
    ) -> String {
        """
        Return-Path: <>
        From: MAILER-DAEMON@mx.example.net (Mail Delivery System)
        Subject: Undelivered Mail Returned to Sender
        To: mail@careers.example.org
        Auto-Submitted: auto-replied
        MIME-Version: 1.0
        Content-Type: multipart/report; report-type=delivery-status;
        \tboundary="4Vz1Wq3T7Bz.1700000000/mx.example.net"
        Message-Id: <4Vz1Wq3T7Bz@mx.example.net>

        This is a MIME-encapsulated message.

        --4Vz1Wq3T7Bz.1700000000/mx.example.net
        Content-Description: Notification
        Content-Type: text/plain; charset=us-ascii

        This is the mail system at host mx.example.net.

        --4Vz1Wq3T7Bz.1700000000/mx.example.net
        Content-Description: Delivery report
        Content-Type: message/delivery-status

        Reporting-MTA: dns; mx.example.net
        Arrival-Date: Sun, 22 Nov 2026 01:00:35 +0000 (UTC)

        Final-Recipient: rfc822; \(address)
        Original-Recipient: rfc822;\(address)
        Action: \(action)
        Status: \(status)
        Remote-MTA: dns; mx.example.com
        \(diagnosis.map { "Diagnostic-Code: \($0)\n    User unknown in virtual mailbox table\n" } ?? "")
        --4Vz1Wq3T7Bz.1700000000/mx.example.net
        Content-Description: Undelivered Message
        Content-Type: message/rfc822

        \(returned(id))
        --4Vz1Wq3T7Bz.1700000000/mx.example.net--

        """
    }

    /// As Exchange writes it: headers alone and in quoted-printable, a folded Message-ID, the status in words of its own.
    static let exchange = """
        From: postmaster@example.com
        Content-Type: multipart/report; boundary=_b; report-type="delivery-status"

        --_b
        Content-Type: multipart/alternative; boundary=_inner

        --_inner
        Content-Type: text/plain

        Your message to ada@example.org couldn't be delivered.
        --_inner--
        --_b
        content-type: MESSAGE/delivery-status

        Reporting-MTA: dns;MBX.example.com

        Final-recipient: RFC822;Ada@Example.org
        Action: Failed
        Status: 5.1.10 (recipient not found)
        Diagnostic-code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found

        --_b
        Content-Type: text/rfc822-headers
        Content-Transfer-Encoding: quoted-printable

        Subject: =3D?utf-8?Q?Gr=C3=BC=C3=9Fe?=3D
        Message-ID:
          <0123456789abcdef0123456789ab=
        cdef@careers.example.org>
        To: ada@example.org

        --_b--
        """

    static func returned(_ id: String) -> String {
        """
        Date: Sun, 22 Nov 2026 01:00:30 +0000
        From: Pathlight <mail@careers.example.org>
        To: Ada <ada@example.org>
        Subject: Your digest
        Message-ID: <\(id)>
        Content-Type: text/plain; charset=utf-8

        Hello
        """
    }

    static func bytes(_ text: String, lineEnd: String = "\r\n") -> [UInt8] {
        Array(text.replacing("\n", with: lineEnd).utf8)
    }
}
