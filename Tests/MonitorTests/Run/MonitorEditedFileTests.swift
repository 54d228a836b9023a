import Foundation
import Monitor
import Store
import TestSupport
import Testing

/// `student_interests.csv` after somebody worked with it, beside students who go on saying things.
struct MonitorEditedFileTests {
    private func served() async throws -> (scene: MonitorScene, text: String) {
        let scene = try await MonitorScene.engine()
        try await scene.take(Trio.students)
        try await scene.run()
        return (scene, try scene.text(of: scene.files.students.path))
    }

    private func interests(_ id: String, _ scene: MonitorScene) async throws -> String? {
        try await scene.students.list(of: id)?.student.input.interests
    }

    @Test func `of an edited file the changed rows alone are taken in`() async throws {
        let (scene, text) = try await served()
        try await scene.take([GenerationFixture.student("guitar", course: "Fine Arts", hometown: "Pune", id: "ada")])
        // Written when ada still painted.
        try scene.write(text.replacing("Name of bob", with: "Robert"), to: scene.files.students.path)
        let report = try await scene.run()
        #expect(report.roster == RosterChanges(renamed: 1, unchanged: 2) && report.setAside.isEmpty)
        #expect(try await interests("ada", scene) == "guitar")
        let rows = try scene.studentFile()
        #expect(rows["ada"]?.input.interests == "guitar" && rows["bob"]?.input.name == "Robert")
    }

    @Test func `what was changed in the file and here as well is taken from here, and the file is kept`() async throws {
        let (scene, text) = try await served()
        try await scene.take([Trio.chen("guitar")])
        let edited = text.replacing("cooking meals", with: "piano").replacing("Name of ada", with: "Ada")
        try scene.write(edited, to: scene.files.students.path)
        let report = try await scene.run()
        #expect(report.roster == RosterChanges(renamed: 1, unchanged: 1))
        #expect(try await interests("chen", scene) == "guitar")
        let aside = try #require(report.setAside.first)
        #expect(aside.value.contains("line 4: changed there") && aside.value.contains("import students"))
        #expect(try scene.text(of: aside.key) == edited)
        #expect(try scene.studentFile()["chen"]?.input.interests == "guitar")
        #expect(try await scene.run().setAside.isEmpty)
    }

    @Test func `an old copy of the file undoes nothing`() async throws {
        let (scene, old) = try await served()
        scene.pass(60)
        try await scene.take([Trio.chen("guitar")])
        try await scene.run()
        try scene.write(old.replacing("Name of ada", with: "Ada"), to: scene.files.students.path)
        let report = try await scene.run()
        // Ada's row is as it was in both files, but for the name.
        #expect(report.roster == RosterChanges(renamed: 1, unchanged: 1) && report.setAside.count == 1)
        #expect(try await interests("chen", scene) == "guitar")
    }

    @Test func `who was removed, and whose id was altered, is not made a student`() async throws {
        let (scene, text) = try await served()
        #expect(try await scene.students.remove(userID: "bob"))
        let edited = text.replacing("\"chen\"", with: "\"0chen\"")
        try scene.write(edited, to: scene.files.students.path)
        let report = try await scene.run()
        #expect(report.roster == RosterChanges(unchanged: 1))
        let aside = try #require(report.setAside.first)
        #expect(aside.value.contains("lines 3, 4: recommendations") && aside.value.contains("not known"))
        #expect(aside.value.contains("1 students who were in it"))
        #expect(try scene.text(of: aside.key) == edited)
        #expect(Set(try scene.studentFile().keys) == ["ada", "chen"])
    }

    @Test func `a file from elsewhere that was there before ours is taken in whole`() async throws {
        let (_, text) = try await served()
        let scene = try await MonitorScene.engine()
        try scene.write(text, to: scene.files.students.path)
        let report = try await scene.run()
        #expect(report.roster == RosterChanges(added: 3) && report.setAside.isEmpty)
        #expect(try scene.text(of: scene.files.students.path) == text)
    }

    // MARK: While it is written

    /// Does something when the first column is opened.
    private struct Meddling: ColumnCipher {
        let act: Guarded<(@Sendable () -> Void)?>

        func seal(_ text: String, column: String) -> String { text }
        func index(_ text: String, column: String) -> String { PlainColumns().index(text, column: column) }
        func open(_ stored: String, column: String) -> String {
            let act = act.withLock { act in
                defer { act = nil }
                return act
            }
            act?()
            return stored
        }
    }

    @Test(arguments: [true, false])
    func `what somebody saves while the file is written is set aside`(isThereBefore: Bool) async throws {
        let scene = try await MonitorScene.engine()
        try await scene.take(Trio.students)
        try await scene.run()
        let path = scene.files.students.path
        if !isThereBefore { try FileManager.default.removeItem(atPath: path) }
        let act = Guarded<(@Sendable () -> Void)?> {
            _ = FileManager.default.createFile(atPath: path, contents: Data("theirs".utf8))
        }
        let students = StudentRepository(scene.database, cipher: Meddling(act: act), clock: { MonitorScene.start })
        let files = MonitorFiles(
            folder: scene.settings.folder, students: students, courses: scene.courses, notes: scene.notes,
            clock: { MonitorScene.start })
        let written = try await files.write(files.students)
        let aside = try #require(written.setAside)
        #expect(aside == path + ".set-aside-20260301T120000Z")
        #expect(try scene.text(of: aside) == "theirs")
        #expect(try scene.studentFile().count == 3)
        #expect(try await files.finding(files.students) == .ours)
        #expect(scene.names.count == 3)
    }

    @Test func `what a killed writer left beside the file goes, unless it is somebody's`() async throws {
        let (scene, text) = try await served()
        let swap = "\(scene.settings.folder)/.student_interests.csv.swap"
        try scene.write(text, to: swap)
        #expect(try await scene.run().setAside.isEmpty)
        #expect(!FileManager.default.fileExists(atPath: swap))
        try scene.write("theirs", to: swap)
        let report = try await scene.run()
        let aside = try #require(report.setAside.keys.first)
        #expect(try scene.text(of: aside) == "theirs" && scene.names.count == 3)
        #expect(try scene.text(of: scene.files.students.path) == text)
    }

    // MARK: A file of students that somebody else writes

    @Test func `a row that stands in the other's file as before does not undo what a student said`() async throws {
        var scene = try await MonitorScene.engine()
        let path = scene.root.path + "/roster.csv"
        scene.settings.studentsFile = path
        let header = "user_id,username,name,hometown,course,interests\n"
        try scene.write(header + "ada,,Ada,Pune,,painting\nbob,,Bob,Leh,,cooking\n", to: path)
        try await scene.run()
        try await scene.take([GenerationFixture.student("guitar", id: "ada")])
        try scene.write(header + "ada,,Ada,Pune,,painting\nbob,,Bob,Leh,,chess\n", to: path)
        #expect(try await scene.run().roster == RosterChanges(changed: 1, unchanged: 1))
        #expect(try await interests("ada", scene) == "guitar")
        #expect(try await interests("bob", scene) == "chess")
        // Where the row is another, it is the latest word.
        try scene.write(header + "ada,,Ada,Pune,,poetry\nbob,,Bob,Leh,,chess\n", to: path)
        #expect(try await scene.run().roster == RosterChanges(changed: 1, unchanged: 1))
        #expect(try await interests("ada", scene) == "poetry")
    }

    @Test func `who was removed stays so while their row stands in the other's file as before`() async throws {
        var scene = try await MonitorScene.engine()
        let path = scene.root.path + "/roster.csv"
        scene.settings.studentsFile = path
        let header = "user_id,username,name,hometown,course,interests\n"
        try scene.write(header + "ada,,Ada,Pune,,painting\n", to: path)
        try await scene.run()
        #expect(try await scene.students.remove(userID: "ada"))
        for course in ["", "Law"] {
            try scene.write(header + "ada,,Ada,Pune,,painting\nbob,,Bob,Leh,\(course),chess\n", to: path)
            #expect(try await scene.run().roster.unchanged == 1)
            #expect(try await scene.students.list(of: "ada") == nil)
        }
        // Another row of theirs is their school's word that they are there.
        try scene.write(header + "ada,,Ada,Pune,,guitar\nbob,,Bob,Leh,Law,chess\n", to: path)
        #expect(try await scene.run().roster == RosterChanges(added: 1, unchanged: 1))
        // What does not stand there any more is forgotten.
        #expect(try await scene.students.remove(userID: "ada"))
        try scene.write(header + "bob,,Bob,Leh,Law,chess\n", to: path)
        try await scene.run()
        try scene.write(header + "ada,,Ada,Pune,,guitar\nbob,,Bob,Leh,Law,chess\n", to: path)
        #expect(try await scene.run().roster.added == 1)
    }

    @Test func `texts longer than are stored are refused by every reader, with their places`() async throws {
        var scene = try await MonitorScene.engine()
        let path = scene.root.path + "/roster.csv"
        scene.settings.studentsFile = path
        let long = String(repeating: "ä", count: 4_001)
        try scene.write("user_id,username,name,hometown,course,interests\nada,,,,,\(long)\n", to: path)
        let problem = try #require(try await scene.run().fileProblems[path])
        #expect(problem.contains("line 2") && problem.contains("interests") && problem.contains("8002"))
        let lines = scene.root.path + "/roster.jsonl"
        let name = String(repeating: "n", count: 1_001)
        try scene.write(#"{"user_id":"ada","interests":"x","name":"\#(name)"}"#, to: lines)
        let roster = Roster(students: scene.students, marker: InputMarker(cipher: PlainColumns()))
        let error = await #expect(throws: MonitorFileError.self) { _ = try await roster.read(lines, as: .jsonl) }
        #expect(error?.code == .tooLong && error?.line == 1 && error?.column == "name")
    }
}
