import Foundation
import Monitor
import Store
import TestSupport
import Testing

/// Files that somebody else wrote, changed, damaged or took away.
struct MonitorRunFilesTests {
    private static let columns = "user_id,username,name,hometown,course,interests"

    private func served() async throws -> MonitorScene {
        let scene = try await MonitorScene.engine()
        try await scene.take(Trio.students)
        try await scene.run()
        return scene
    }

    @Test func `a file that somebody edited is taken in and written anew`() async throws {
        let scene = try await served()
        let path = scene.files.students.path
        let text = try scene.text(of: path)
        try scene.write(
            text.replacing("cooking meals", with: "guitar") + "eve,eve,Eve,Pune,,\"chemist, laboratories\",,,\r\n",
            to: path)
        let report = try await scene.run()
        #expect(report.roster == RosterChanges(added: 1, changed: 1, unchanged: 2))
        #expect(report.students.new == 1 && report.students.changed == 1 && report.students.generated == 2)
        #expect(report.setAside.isEmpty && !report.hasFailed && report.written == [StudentFile.name, CourseFile.name])
        let rows = try scene.studentFile()
        #expect(rows.count == 4 && rows["chen"]?.input.interests == "guitar")
        #expect(rows["eve"]?.input.interests == "chemist, laboratories" && rows["eve"]?.count == ListMaker.listSize)
        #expect(try await scene.students.list(of: "eve")?.student.source == .file)
        #expect(try await scene.run().written.isEmpty)
    }

    @Test func `recommendations that somebody rewrote are written anew as they were`() async throws {
        let scene = try await served()
        let before = try await scene.state()
        try scene.write(
            try scene.text(of: scene.files.students.path).replacing("Chef", with: "King"), to: scene.files.students.path
        )
        let report = try await scene.run()
        #expect(report.roster == RosterChanges(unchanged: 3) && report.written == [StudentFile.name])
        let after = try await scene.state()
        #expect(after.content == before.content && after.rows == before.rows && after.revision == before.revision)
    }

    @Test func `a file with the columns of the input alone is the beginning of one`() async throws {
        let scene = try await MonitorScene.engine()
        try scene.write("\(Self.columns)\nada,,Ada,Pune,Fine Arts,painting\n", to: scene.files.students.path)
        let report = try await scene.run()
        #expect(report.roster == RosterChanges(added: 1) && report.students.generated == 1)
        #expect(try scene.studentFile()["ada"]?.count == ListMaker.listSize)
    }

    @Test(arguments: [
        "", "nonsense", "\(columns)\nada,,Ada,Pune,,\"painting", "\(columns)\nada,,Ada\n",
        "\(columns)\nada,,,,,painting\nada,,,,,cooking\n", "\(columns)\n,,,,,painting\n",
        "\(columns)\nada,,,,,a\u{0}b\n",
    ])
    func `a damaged file is set aside with its bytes whole, and told of`(damage: String) async throws {
        let scene = try await served()
        let before = try await scene.state()
        try scene.write(damage, to: scene.files.students.path)
        let report = try await scene.run()
        let aside = scene.files.students.path + ".set-aside-20260301T120000Z"
        #expect(report.setAside.keys.sorted() == [aside] && report.setAside[aside]?.isEmpty == false)
        #expect(FileManager.default.contents(atPath: aside) == Data(damage.utf8))
        #expect(report.roster == RosterChanges() && report.students.generated == 0)
        #expect(report.written == [StudentFile.name])
        let after = try await scene.state()
        #expect(after.rows == before.rows && after.content[StudentFile.name] == before.content[StudentFile.name])
        // What was set aside is looked at no more, and the next one has a name of its own.
        #expect(try await scene.run().setAside.isEmpty)
        try scene.write("again", to: scene.files.students.path)
        #expect(try await scene.run().setAside.keys.sorted() == [aside + "-2"])
        #expect(FileManager.default.contents(atPath: aside) == Data(damage.utf8))
    }

    @Test func `paths that somebody changed are set aside`() async throws {
        let scene = try await served()
        let path = scene.files.courses.path
        let before = try scene.text(of: path)
        let changed = before.replacing("Fine Arts", with: "Finer Arts")
        try scene.write(changed, to: path)
        let report = try await scene.run()
        let aside = try #require(report.setAside.keys.first)
        #expect(report.setAside.count == 1 && aside.hasPrefix(path + ".set-aside-"))
        #expect(try scene.text(of: aside) == changed)
        #expect(try scene.text(of: path) == before && report.written == [CourseFile.name])
    }

    @Test func `what cannot be read is left alone, and the other file is written`() async throws {
        let scene = try await served()
        // No user can read a folder as a file, root neither.
        let path = scene.files.students.path
        try FileManager.default.removeItem(atPath: path)
        try scene.write("mine", to: path + "/note")
        try await scene.take([GenerationFixture.student("guitar", course: "Music", id: "dora")])
        let report = try await scene.run()
        #expect(report.fileProblems.keys.sorted() == [path] && report.setAside.isEmpty && report.hasFailed)
        #expect(report.written == [CourseFile.name] && report.students.generated == 1)
        #expect(try scene.text(of: path + "/note") == "mine")
        #expect(try scene.courseFile().contains { $0.course == "Music" })
        try FileManager.default.removeItem(atPath: path)
        #expect(try await scene.run().written == [StudentFile.name])
        #expect(try scene.studentFile().count == 4)
    }

    @Test func `files that are missing are made`() async throws {
        let scene = try await served()
        let before = try await scene.state()
        for path in [scene.files.students.path, scene.files.courses.path] {
            try FileManager.default.removeItem(atPath: path)
            #expect(try await scene.run().written == [(path as NSString).lastPathComponent])
        }
        try FileManager.default.removeItem(atPath: scene.root.path + "/data")
        #expect(try await scene.run().written == [StudentFile.name, CourseFile.name])
        let after = try await scene.state()
        #expect(after.content == before.content && after.rows == before.rows && after.revision == before.revision)
    }

    // MARK: A file of students that somebody else writes

    @Test func `a file of students is read where it changed, and stays as it is`() async throws {
        var scene = try await MonitorScene.engine()
        let path = scene.root.path + "/roster.csv"
        scene.settings.studentsFile = path
        let text = "interests;user_id;name;username;hometown;course\r\npainting;ada;Ada;;Pune;Fine Arts\r\n"
        try scene.write(text, to: path)
        #expect(try await scene.run().roster == RosterChanges(added: 1))
        #expect(try await scene.run().roster == RosterChanges())
        try scene.write(text + "cooking;bob;Bob;;Leh;\r\n", to: path)
        let report = try await scene.run()
        #expect(report.roster == RosterChanges(added: 1, unchanged: 1) && report.students.generated == 1)
        #expect(try scene.text(of: path) == text + "cooking;bob;Bob;;Leh;\r\n")
        #expect(scene.names == ["course_careers.csv", "student_interests.csv"])
    }

    @Test func `a file of students that is missing or damaged is told of and stops nothing`() async throws {
        var scene = try await MonitorScene.engine()
        let path = scene.root.path + "/roster.csv"
        scene.settings.studentsFile = path
        try await scene.take(Trio.students)
        let report = try await scene.run()
        #expect(report.fileProblems.keys.sorted() == [path] && report.hasFailed)
        #expect(report.students.generated == 2 && report.written == [StudentFile.name, CourseFile.name])
        try scene.write("\(Self.columns)\neve,,Eve,,,guitar\nfay,,Fay\n", to: path)
        let damaged = try await scene.run()
        // It is somebody else's: it is neither renamed nor taken in half.
        #expect(damaged.fileProblems[path]?.contains("line 3") == true && damaged.setAside.isEmpty)
        #expect(damaged.roster == RosterChanges() && damaged.students.checked == 3)
        #expect(FileManager.default.fileExists(atPath: path))
        try scene.write("\(Self.columns)\neve,,Eve,,,guitar\nfay,,Fay,,,piano\n", to: path)
        let mended = try await scene.run()
        #expect(mended.roster == RosterChanges(added: 2) && !mended.hasFailed)
    }
}
