import Monitor
import Store
import TestSupport
import Testing

/// Shows what is marked instead of hashing it.
private struct ShowingCipher: ColumnCipher {
    func seal(_ text: String, column: String) -> String { text }
    func open(_ stored: String, column: String) throws -> String { stored }
    func index(_ text: String, column: String) -> String { "\(column)|\(text)" }
}

struct InputMarkerTests {
    private let marker = InputMarker(cipher: PlainColumns())

    private func student(
        _ interests: String = "Art, Music", course: String = "Physics", hometown: String = "Leh", id: String = "1",
        name: String = "Ada"
    ) -> StudentInput {
        StudentInput(userID: id, username: "ada", name: name, hometown: hometown, course: course, interests: interests)
    }

    @Test(arguments: [
        ("Music, Art", "art;music"), ("Art, art , ART|", "art"), ("  machine   learning ", "machine\tlearning"),
        ("machine\u{A0}learning", "Machine Learning"), ("Art\r\nMusic", "music\nart"),
        ("Art\u{2028}Music", "art,music"),
        ("\u{FB01}lm", "FILM"), ("ＡＲＴ，ｍｕｓｉｃ", "art, music"), ("caf\u{E9}", "CAFE\u{301}"),
        ("Straße", "STRASSE"),
        ("الرسم، الطبخ؛ القراءة", "القراءة, الطبخ, الرسم"), ("絵画、料理", "料理､絵画"), ("絵画；料理", "絵画，料理"),
        ("GRO\u{1E9E}", "groß"), ("ΣΟΦΟΣ", "σοφος"), ("ИСКУССТВО", "искусство"), ("", " ,; | \r\n"),
    ])
    func `order, case, spacing and compatible forms of interests do not count`(one: String, other: String) {
        #expect(InputMarker.interests(in: one) == InputMarker.interests(in: other))
        #expect(marker.marks(of: student(one)).input == marker.marks(of: student(other)).input)
    }

    @Test(arguments: [
        ("الرسم، الطبخ", "الرسم الطبخ"), ("art music", "art, music"), ("art, music", "artmusic"), ("art", "arts"),
        ("café", "cafe"), ("", "a"),
    ])
    func `other interests have another mark`(one: String, other: String) {
        #expect(marker.marks(of: student(one)).input != marker.marks(of: student(other)).input)
    }

    @Test func `interests are normalised, sorted and named once`() {
        let told = "Music;  Art ;music,\nmachine   Learning|"
        #expect(InputMarker.interests(in: told) == ["art", "machine learning", "music"])
        #expect(InputMarker.normalised(" B.Sc. \n Physics\t") == "b.sc. physics")
        #expect(InputMarker.normalised(" \u{3000}\n") == "")
    }

    @Test func `shuffled, repeated, respaced and recased interests keep their mark`() {
        var generator = SeededGenerator()
        let words = [
            "art", "machine learning", "straße", "искусство", "μουσική", "café", "ﬁlm", "ＡＢＣ", "कला", "موسيقى", "音楽",
            "c++",
        ]
        let separators = [
            ",", ";", "|", "\n", "\r\n", " , ", "\u{FF0C}", "\u{FF1B}", "\u{60C}", "\u{61B}", "\u{3001}", "\u{FF64}",
            ",,", "\u{2029}",
        ]
        let blanks = ["", " ", "  ", "\t", "\u{A0}", "\u{3000}"]
        for _ in 0..<300 {
            let chosen = (0..<5).compactMap { _ in words.randomElement(using: &generator) }
            var told = ""
            for word in (chosen + chosen.prefix(2)).shuffled(using: &generator) {
                let cased = [word, word.uppercased(), word.lowercased()].randomElement(using: &generator) ?? word
                told += (blanks.randomElement(using: &generator) ?? "")
                told += cased.replacing(" ", with: "  ") + (blanks.randomElement(using: &generator) ?? "")
                told += separators.randomElement(using: &generator) ?? ","
            }
            #expect(
                marker.marks(of: student(told)).input == marker.marks(of: student(chosen.joined(separator: ","))).input,
                "\(generator) \(told.debugDescription)")
            let normalised = InputMarker.normalised(told)
            #expect(InputMarker.normalised(normalised) == normalised, "\(generator) \(told.debugDescription)")
        }
    }

    @Test func `course and hometown count, each in its place`() {
        let mark = marker.marks(of: student()).input
        #expect(marker.marks(of: student(course: " PHYSICS ")).input == mark)
        #expect(marker.marks(of: student(hometown: "leh\n")).input == mark)
        #expect(marker.marks(of: student(course: "Chemistry")).input != mark)
        #expect(marker.marks(of: student(hometown: "Pune")).input != mark)
        #expect(
            marker.marks(of: student("", course: "x", hometown: "")).input
                != marker.marks(of: student("", course: "", hometown: "x")).input)
        #expect(
            marker.marks(of: student("b", course: "a", hometown: "")).input
                != marker.marks(of: student("", course: "a", hometown: "b")).input)
    }

    @Test func `names are no part of an input, and every letter is one of a row`() {
        let (one, other) = (marker.marks(of: student()), marker.marks(of: student(id: "2", name: "Grace")))
        #expect(one.input == other.input)
        #expect(one.course == other.course)
        #expect(one.row != other.row)
        #expect(one.row != marker.marks(of: student("art, Music")).row)
        #expect(marker.marks(of: student(id: "1", name: "2")).row != marker.marks(of: student(id: "12", name: "")).row)
        #expect(one == marker.marks(of: student()))
    }

    @Test(arguments: ["", "  ", "\r\n", "\u{3000}"])
    func `no course has no mark`(course: String) {
        #expect(marker.marks(of: student(course: course)).course == nil)
    }

    @Test func `marks are made under a column each`() {
        let marks = InputMarker(cipher: ShowingCipher()).marks(of: student())
        #expect(marks.input == "students.input_mark|physics\nleh\nart\nmusic")
        #expect(marks.course == "students.course_mark|physics")
        #expect(marks.row == "students.row_mark|1:13:ada3:Ada3:Leh7:Physics10:Art, Music")
    }
}
