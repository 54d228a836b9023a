import Foundation
import Monitor
import Platform
import Store
import TestSupport
import Testing

/// Somebody who is erased goes from the files in the same breath.
struct MonitorErasureTests {
    private static let ada = "student-ada-lovelace"
    private static let bob = "student-bob-the-second"

    private func served() async throws -> MonitorScene {
        let scene = try await MonitorScene.engine()
        try await scene.take([
            GenerationFixture.student("painting", course: "Fine Arts", hometown: "Pune", id: Self.ada),
            GenerationFixture.student("cooking", course: "Hotel kitchens", id: Self.bob),
        ])
        try await scene.run()
        return scene
    }

    private func erase(_ id: String, in scene: MonitorScene) async throws -> ErasureReport {
        try await PersonErasure(
            scene.database, cipher: PlainColumns(),
            written: scene.files.written(studentsFile: scene.settings.studentsFile)
        ).erase(id)
    }

    @Test func `the files are written anew without them, and nothing is left`() async throws {
        let scene = try await served()
        try scene.write(
            "left by a killed writer: \(Self.ada)", to: scene.settings.folder + "/.student_interests.csv.part")
        let report = try await erase(Self.ada, in: scene)
        #expect(report.writtenAnew == [scene.files.students.path, scene.files.courses.path])
        #expect(report.isProven && report.removed["students"] == 1, "\(report)")
        #expect(try scene.studentFile().keys.sorted() == [Self.bob])
        #expect(try scene.courseFile().map(\.course) == ["Hotel kitchens"])
        #expect(scene.names == ["course_careers.csv", "student_interests.csv"])
        // They are as a run would have written them.
        let run = try await scene.run()
        #expect(run.written.isEmpty && run.roster == RosterChanges())
        // Nobody has changed since: they are left alone.
        let before = try await scene.state().files
        #expect(try await erase("somebody-who-is-not-there", in: scene).writtenAnew.isEmpty)
        #expect(try await scene.state().files == before)
    }

    @Test func `files that are not there are not made`() async throws {
        let scene = try await served()
        try FileManager.default.removeItem(atPath: scene.settings.folder)
        let report = try await erase(Self.ada, in: scene)
        #expect(report.isProven && report.writtenAnew.isEmpty, "\(report)")
        #expect(!FileManager.default.fileExists(atPath: scene.settings.folder))
    }

    @Test func `a file that somebody changed is a doubt, and brings nobody back who was erased`() async throws {
        let scene = try await served()
        let path = scene.files.students.path
        try scene.write(try scene.text(of: path) + "eve,,Eve,,,guitar,,,\r\n", to: path)
        let report = try await erase(Self.ada, in: scene)
        #expect(Array(report.doubts.keys) == [path] && !report.isProven && report.removed["students"] == 1)
        #expect(report.writtenAnew == [scene.files.courses.path])
        // What else was changed is taken in; with who was erased it is kept aside, and is named until it is gone.
        let aside = try #require(try await scene.run().setAside.keys.first)
        #expect(try scene.studentFile().keys.sorted() == ["eve", Self.bob].sorted())
        let again = try await erase(Self.ada, in: scene)
        #expect(!again.isProven && again.files == [aside] && again.removed.isEmpty, "\(again)")
        try FileManager.default.removeItem(atPath: aside)
        #expect(try await erase(Self.ada, in: scene).isProven)
    }

    @Test func `a file that cannot be written is a doubt`() async throws {
        let scene = try await served()
        // A folder in the way of what is written aside.
        let part = scene.settings.folder + "/.student_interests.csv.part"
        try scene.write("", to: part + "/x")
        let report = try await erase(Self.ada, in: scene)
        #expect(report.doubts[scene.files.students.path] != nil && !report.isProven && report.removed["students"] == 1)
        #expect(report.writtenAnew == [scene.files.courses.path])
        try FileManager.default.removeItem(atPath: part)
        #expect(try await erase(Self.ada, in: scene).isProven)
        #expect(try scene.studentFile().keys.sorted() == [Self.bob])
    }

    @Test func `what was set aside, and what somebody else writes, is looked through`() async throws {
        var scene = try await served()
        let path = scene.files.students.path
        try scene.write("\(Self.ada) in a file that is no table", to: path)
        let aside = try #require(try await scene.run().setAside.keys.first)
        let roster = scene.root.path + "/roster.csv"
        try scene.write("user_id\n\(Self.ada)\n", to: roster)
        scene.settings.studentsFile = roster
        let report = try await erase(Self.ada, in: scene)
        #expect(report.files.sorted() == [aside, roster].sorted() && !report.isProven, "\(report)")
        try FileManager.default.removeItem(atPath: aside)
        try FileManager.default.removeItem(atPath: roster)
        #expect(try await erase(Self.ada, in: scene).isProven)
    }
}
