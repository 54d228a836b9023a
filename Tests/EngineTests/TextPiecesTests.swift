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
    }

    @Test(arguments: [
        "", "\n", "Phlebotomist", "Phlebotomist\n", "\n\n\n", "===\nWe look for somebody who draws blood.",
        // A sentence, a greeting, the beginning of a list.
        "I draw blood.\nAnd I label samples, calm people down and answer for the fridge.",
        "Dear all,\nwe look for somebody who draws blood.", "Tasks:\nDraw blood and label samples, calm people down.",
        // No more than the first line says.
        "Phlebotomist with ten years of experience\nNurse\nMidwife",
        // Longer than titles are.
        "Somebody who draws blood and labels samples and calms people down and works at night\n"
            + String(repeating: "More words here. ", count: 40),
    ])
    func `is none where the first line is something else`(text: String) {
        #expect(TextPieces.title(of: text) == nil)
    }
}
