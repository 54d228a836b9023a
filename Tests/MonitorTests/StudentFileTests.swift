import Foundation
import Monitor
import Store
import TestSupport
import Testing

struct StudentFileTests {
    private let folder: TemporaryDirectory
    private let file: MonitorFile

    init() throws {
        folder = try TemporaryDirectory("student-file")
        file = MonitorFile(folder.path + "/student_interests.csv")
    }

    private func rows() throws -> [StudentRow] {
        var reader = try StudentFileReader(file.path)
        return try rows(of: &reader)
    }

    private func rows(of reader: inout StudentFileReader, count: Int = .max) throws -> [StudentRow] {
        var rows: [StudentRow] = []
        while rows.count < count, let row = try reader.next() { rows.append(row) }
        return rows
    }

    private func refusal(of text: String) throws -> MonitorFileError? {
        try folder.write(text, to: StudentFile.name)
        return problem { _ = try StudentFile.check(file.path) }
    }

    @Test func `a small file has these bytes`() throws {
        let time = try #require(SQLTime.date(of: "2026-11-22T01:00:35.125Z"))
        let ada = StudentRow(
            input: StudentInput(
                userID: "7", username: "ada", name: "Ada Lovelace", hometown: "=London", course: "Mathematics, B.Sc.",
                interests: "poetry; \"engines\"\r\nmusic"),
            recommendations: "[{\"career\":\"Writer\"}]", lastUpdated: time, count: 1)
        let gerard = StudentRow(
            input: StudentInput(
                userID: "8", username: "", name: "'t Hooft", hometown: "חיפה", course: "", interests: ""))
        let writer = try StudentFileWriter(file)
        try writer.append([ada])
        try writer.append([gerard])
        let digest = try writer.commit()
        let expected =
            "user_id,username,name,hometown,course,interests,career_recommendations,last_updated,recommendation_count\r\n"
            + "\"7\",\"ada\",\"Ada Lovelace\",\"'=London\",\"Mathematics, B.Sc.\",\"poetry; \"\"engines\"\"\r\nmusic\","
            + "\"[{\"\"career\"\":\"\"Writer\"\"}]\",2026-11-22T01:00:35.125Z,1\r\n"
            + "\"8\",,\"''t Hooft\",\"חיפה\",,,,,\r\n"
        #expect(try Array(Data(contentsOf: URL(fileURLWithPath: file.path))) == Array(expected.utf8))
        #expect(try rows() == [ada, gerard])
        #expect(try StudentFile.check(file.path) == CheckedFile(digest: digest, rows: 2, hasAllColumns: true))
    }

    @Test func `students of whatever letters come back byte by byte`() throws {
        var generator = SeededGenerator()
        for _ in 0..<20 {
            let written = (0..<50).map { number in
                var texts = (0..<7).map { _ in RandomTexts.text(using: &generator) }
                // Whatever comes before it, no two keys are equal.
                texts[0] += "k\(number)."
                let time = Double(Int.random(in: 0...4_000_000_000_000, using: &generator)) / 1000
                return StudentRow(
                    input: StudentInput(
                        userID: texts[0], username: texts[1], name: texts[2], hometown: texts[3], course: texts[4],
                        interests: texts[5]),
                    recommendations: texts[6],
                    lastUpdated: Bool.random(using: &generator) ? Date(timeIntervalSince1970: time) : nil,
                    count: Bool.random(using: &generator) ? Int.random(in: 0...99, using: &generator) : nil)
            }
            let writer = try StudentFileWriter(file)
            try writer.append(Array(written.prefix(20)))
            try writer.append(Array(written.dropFirst(20)))
            let digest = try writer.commit()
            let read = try rows()
            #expect(read.map(Self.bytes) == written.map(Self.bytes), "\(generator)")
            #expect(read.map(\.lastUpdated) == written.map(\.lastUpdated), "\(generator)")
            #expect(read.map(\.count) == written.map(\.count), "\(generator)")
            #expect(try StudentFile.check(file.path).digest == digest)
        }
    }

    private static func bytes(_ row: StudentRow) -> [[UInt8]] {
        utf8([
            row.input.userID, row.input.username, row.input.name, row.input.hometown, row.input.course,
            row.input.interests, row.recommendations,
        ])
    }

    @Test func `a copy of a reader goes on from its place`() throws {
        let writer = try StudentFileWriter(file)
        for number in 0..<25 {
            let input = StudentInput(
                userID: "\(number)", username: "", name: "", hometown: "", course: "", interests: "art")
            try writer.append([StudentRow(input: input)])
        }
        _ = try writer.commit()
        var reader = try StudentFileReader(file.path)
        let first = try rows(of: &reader, count: 10)
        var copy = reader
        let portions = [first, try rows(of: &reader), try rows(of: &copy), try rows(of: &reader)]
        let numbers = [Array(0..<10), Array(10..<25), Array(10..<25), []]
        #expect(portions.map { $0.map(\.input.userID) } == numbers.map { $0.map { "\($0)" } })
        #expect(try reader.digest == file.digest())
    }

    @Test func `a file of input alone is taken in any order, with any separator`() throws {
        let header = "interests,course,hometown,name,username,user_id"
        for separator in [",", ";", "\t"] {
            let text = "\u{FEFF}\(header)\r\n\"art, music\",Physics,Leh,Ada,ada,7\r\n,,,,,\r\n\r\n"
            let other = text.replacing("art, music", with: "art# music").replacing(",", with: separator)
            try folder.write(other.replacing("#", with: ","), to: StudentFile.name)
            #expect(
                try rows() == [
                    StudentRow(
                        input: StudentInput(
                            userID: "7", username: "ada", name: "Ada", hometown: "Leh", course: "Physics",
                            interests: "art, music"))
                ])
            #expect(try StudentFile.check(file.path).hasAllColumns == false)
        }
    }

    @Test func `what somebody made of our own columns is no damage`() throws {
        let row = "7,ada,Ada,Leh,Physics,art,kept by hand,22.11.2026 01:00,many\r\n"
        try folder.write(StudentFile.columns.joined(separator: ",") + "\r\n" + row, to: StudentFile.name)
        let read = try rows()
        #expect(read.map(\.recommendations) == ["kept by hand"])
        #expect(read.map(\.lastUpdated) == [nil])
        #expect(read.map(\.count) == [nil])
    }

    private static let header = StudentFile.columns.joined(separator: ",") + "\r\n"

    private static let damages: [(String, MonitorFileError.Code, Int, String?)] = [
        ("", .empty, 1, nil), ("\r\n\r\n", .empty, 1, nil),
        ("user_id,username\r\n1,a\r\n", .header, 1, "name"), ("id,name\r\n", .header, 1, "1"),
        ("user_id,username,name,hometown,course,interests,interests\r\n", .header, 1, "interests"),
        ("user_id,username,name,hometown,course,interests,last_updated\r\n", .header, 1, "career_recommendations"),
        (header + "1,a,b,c,d,e,f,g\r\n", .cells, 2, nil),
        (header + "1,a,b,c,d,e,f,g,h,i\r\n", .cells, 2, nil),
        (header + "1,a,b,c,d,\"e\r\nf\",,,\r\n ,a,b,c,d,e,,,\r\n", .missingKey, 4, "user_id"),
        (header + "1,a,b,c,d,e,,,\r\n2,,,,,,,,\r\n1,,,,,,,,\r\n", .duplicateKey, 4, "user_id"),
        (header + "1,a,b,c,d,\"e,,,\r\n2,,,,,,,,\r\n", .quoting, 2, "interests"),
        (header + "1,a,b,c\"d,e,,,\r\n", .quoting, 2, "hometown"),
        (header + "1,a,b,c\u{0},d,e,,,\r\n", .notText, 2, "hometown"),
    ]

    @Test(arguments: damages)
    func `a damaged file is refused with line and column`(
        text: String, code: MonitorFileError.Code, line: Int, column: String?
    ) throws {
        let error = try #require(try refusal(of: text))
        #expect(error.code == code && error.line == line && error.column == column, "\(error)")
        #expect(error.isDamage)
        #expect(error.file == file.path)
    }

    @Test func `an objection names a place and nobody's words`() throws {
        let error = try #require(try refusal(of: Self.header + "1,secret,b,c,d,\"secret\"secret,,,\r\n"))
        #expect("\(error)".contains("line 2, column interests"))
        #expect(!"\(error)".contains("secret"))
    }

    @Test func `a file that is not there is no damage`() {
        let error = problem { _ = try StudentFile.check(file.path) }
        #expect(error?.code == .missing)
        #expect(error?.isDamage == false)
    }
}

struct CourseFileTests {
    private let folder: TemporaryDirectory

    init() throws { folder = try TemporaryDirectory("course-file") }

    @Test func `courses come back as they were written, in these bytes`() throws {
        let file = MonitorFile(folder.path + "/data/" + CourseFile.name)
        let time = try #require(SQLTime.date(of: "2026-11-22T01:00:35.125Z"))
        let written = [
            CourseRow(course: "B.Tech, \"CSE\"", paths: "[{\"career\":\"Writer\"}]", lastUpdated: time, count: 1),
            CourseRow(course: "-ology"),
        ]
        let writer = try CourseFileWriter(file)
        try writer.append(written)
        let digest = try writer.commit()
        let expected =
            "course_name,career_paths,last_updated,path_count\r\n"
            + "\"B.Tech, \"\"CSE\"\"\",\"[{\"\"career\"\":\"\"Writer\"\"}]\",2026-11-22T01:00:35.125Z,1\r\n"
            + "\"'-ology\",,,\r\n"
        #expect(try Array(Data(contentsOf: URL(fileURLWithPath: file.path))) == Array(expected.utf8))
        var reader = try CourseFileReader(file.path)
        let read = [try reader.next(), try reader.next(), try reader.next()]
        #expect(read == [written[0], written[1], nil])
        #expect(try CourseFile.check(file.path) == CheckedFile(digest: digest, rows: 2, hasAllColumns: true))
    }

    @Test func `a course that is there twice, or has no name, is refused`() throws {
        let header = CourseFile.columns.joined(separator: ",") + "\n"
        let twice = try folder.write(header + "a,,,\nb,,,\na,,,\n", to: "twice.csv").path
        #expect(problem { _ = try CourseFile.check(twice) }?.code == .duplicateKey)
        let nameless = try folder.write(header + ",[],,\n", to: "nameless.csv").path
        let error = problem { _ = try CourseFile.check(nameless) }
        #expect(error?.code == .missingKey && error?.line == 2 && error?.column == "course_name")
    }
}
