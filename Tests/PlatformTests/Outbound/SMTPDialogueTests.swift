import Platform
import TestSupport
import Testing

struct SMTPDialogueTests {
    private func dialogue(_ lines: String..., recipients: Int = 1) -> SMTPDialogue {
        var dialogue = SMTPDialogue(recipients: recipients)
        for line in lines {
            let bytes = Array((line.dropFirst(2) + "\r\n").utf8)
            if line.hasPrefix(">") { dialogue.sent(bytes) } else { dialogue.received(bytes) }
        }
        return dialogue
    }

    @Test func `replies belong to the commands before them`() {
        let whole = dialogue(
            "< 220 hi", "> EHLO a", "< 250-a", "< 250 b", "> MAIL FROM:<a@b>", "< 250 ok", "> RCPT TO:<a@b>",
            "< 550 no", "> RCPT TO:<c@d>", "< 250 yes", "> DATA", "< 354 go", "< 250 queued", "> QUIT", "< 221 bye",
            recipients: 2)
        #expect(whole.recipients == [SMTPReply(code: 550, text: "no"), SMTPReply(code: 250, text: "yes")])
        #expect(whole.final == SMTPReply(code: 250, text: "queued") && !whole.mayHaveTaken && whole.isQuitting)
        let cut = dialogue("< 220 hi", "> RCPT TO:<a@b>", "< 250 yes", "> DATA", "< 354 go")
        #expect(cut.final == nil && cut.mayHaveTaken)
        #expect(SMTPReceipt(SMTPEnvelope(from: "", recipients: ["a@b"]), cut) == nil)
    }

    @Test func `a yes to another question is no yes`() throws {
        let envelope = SMTPEnvelope(from: "", recipients: ["a@b"])
        let asked = dialogue("< 220 hi", "> RCPT TO:<a@b>", "< 250 yes", "> DATA", "< 354 go", "< 354 go on")
        let entry = try #require(SMTPReceipt(envelope, asked)?.recipients.first)
        #expect(entry.result == .deferred(SMTPReply(code: 354, text: "go on")))
        // Nobody asked for the message, and so nobody has it.
        let done = dialogue("< 220 hi", "> RCPT TO:<a@b>", "< 250 yes", "> DATA", "< 250 done")
        #expect(SMTPReceipt(envelope, done) == nil && !done.mayHaveTaken)
    }

    @Test func `the second half of a command is no command`() {
        var dialogue = SMTPDialogue(recipients: 1)
        dialogue.sent(Array("AUTH PLAIN ".utf8))
        dialogue.sent(Array("DATA\r\n".utf8))
        #expect(dialogue.step == .authentication)
        dialogue.sent(Array("DATA\r\n".utf8))
        #expect(dialogue.step == .data)
    }

    @Test func `text of a reply is bounded and printable`() {
        let long = dialogue(
            "< 250-\(String(repeating: "a", count: 400))", "< 250 \u{1B}[31m\(String(repeating: "b", count: 400))")
        let text = long.last?.reply.text ?? ""
        #expect(text.utf8.count <= 500 && text.utf8.allSatisfy { (0x20..<0x7F).contains($0) })
    }

    @Test func `any lines are taken, and none makes a receipt of nothing`() {
        var generator = SeededGenerator(seed: 5321)
        let pieces = [
            "250 ok", "250-ok", "354 go", "550 no", "RCPT TO:<a@b>", "DATA", "MAIL", "QUIT", "99 x", "", "2", "250",
        ]
        for _ in 0..<5_000 {
            var dialogue = SMTPDialogue(recipients: 2)
            for _ in 0..<Int.random(in: 0...20, using: &generator) {
                var bytes = Array((pieces.randomElement(using: &generator) ?? "").utf8)
                if Bool.random(using: &generator) { bytes.append(UInt8.random(in: .min ... .max, using: &generator)) }
                if Bool.random(using: &generator) {
                    dialogue.sent(bytes + [10])
                } else {
                    dialogue.received(bytes + [13, 10])
                }
            }
            if let receipt = SMTPReceipt(SMTPEnvelope(from: "", recipients: ["a@b", "c@d"]), dialogue) {
                let accepts = receipt.recipients.contains { if case .accepted = $0.result { true } else { false } }
                #expect(!accepts || dialogue.final?.isPositive == true, "\(generator)")
            }
        }
    }
}
