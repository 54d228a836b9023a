import Engine
import Testing

@Suite struct `The title that a text begins with` {
    private static let advert =
        "We look for somebody who draws blood, labels samples and calms people down. Nights too."

    @Test(arguments: [
        "Phlebotomist\n", "Phlebotomist\r\n", "\n  Phlebotomist  \n\n", "# Phlebotomist\n", "**Phlebotomist**\n",
        "Phlebotomist\n===\n",
    ])
    func `is its first line, undecorated`(beginning: String) {
        #expect(TextPieces.title(of: beginning + Self.advert) == "Phlebotomist")
    }

    @Test func `may have several words and a bracket`() {
        #expect(TextPieces.title(of: "Senior Nurse (ICU), nights\n\(Self.advert)") == "Senior Nurse (ICU), nights")
        #expect(TextPieces.title(of: "Nurse\n\nwho draws blood and labels samples") == "Nurse")
        #expect(TextPieces.title(of: "# Nurse\nwho draws blood and labels samples") == "Nurse")
        #expect(TextPieces.title(of: "Senior Developer C#\n\(Self.advert)") == "Senior Developer C#")
    }

    @Test(arguments: [
        "", "\n", "Phlebotomist", "Phlebotomist\n", "\n\n\n", "===\nWe look for somebody who draws blood.",
        // A sentence, a greeting, the beginning of a list.
        "I draw blood.\nAnd I label samples, calm people down and answer for the fridge.",
        "Dear all,\nwe look for somebody who draws blood.", "Tasks:\nDraw blood and label samples, calm people down.",
        // A sentence that was wrapped.
        "For ten years I have worked as a nurse in\na hospital where I draw blood and label samples all day long.",
        // No more than the first line says.
        "Phlebotomist with ten years of experience\nNurse\nMidwife",
        // Longer than titles are.
        "Somebody who draws blood and labels samples and calms people down and works at night\n"
            + String(repeating: "More words here. ", count: 40),
    ])
    func `is none where the first line is something else`(text: String) {
        #expect(TextPieces.title(of: text) == nil)
    }

    @Test func `goes before every piece of a long text, and no heading in its place`() {
        let sentence = "We draw blood and label samples. "
        let body = String(repeating: sentence, count: 45)
        let text = "Phlebotomist\n\(body)\nBenefits\n\(body)"
        let pieces = TextPieces.readable(text)
        #expect(pieces.count > 2 && pieces.allSatisfy { TextPieces.title(of: $0) == "Phlebotomist" })
        #expect(pieces[1...].joined(separator: " ").contains("Benefits"))
        // Without a title of its own a text has none anywhere.
        let plain = TextPieces.readable("\(body)\nBenefits\n\(body)")
        #expect(plain.count > 2 && plain.allSatisfy { TextPieces.title(of: $0) == nil })
        #expect(TextPieces.readable("Phlebotomist\nshort") == ["Phlebotomist\nshort"])
    }
}
