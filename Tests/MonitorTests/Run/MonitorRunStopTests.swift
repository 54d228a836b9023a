import Engine
import Foundation
import Monitor
import Store
import Testing

/// Runs that do not come to their end.
struct MonitorRunStopTests {
    private struct Stop: Error {}

    /// Several pages of lists and of courses.
    private static let crowd = (0..<150).map { number in
        let careers = SmallCatalogue.careers
        let (course, career) = (number % 70, careers[number % careers.count])
        return GenerationFixture.student(
            "\(career.description), club \(number)",
            course: "\(careers[course % careers.count].cluster) course \(course)",
            hometown: number.isMultiple(of: 2) ? "Pune" : "Leh", id: "student-\(number)")
    }

    /// Whom a second run finds changed, beside those that are as they were.
    private static let changed = crowd.prefix(80).map { student in
        var student = student
        student.interests += ", chess"
        return student
    }

    /// What a run leaves in the end, whatever was in between.
    private func content(_ scene: MonitorScene) async throws -> (rows: [String: [[SQLValue]]], files: [String: Data]) {
        let state = try await scene.state()
        return (state.rows, state.content)
    }

    @Test func `stopped after any step and run again, it ends as if it had never been stopped`() async throws {
        let maker = try await GenerationFixture().maker
        let steps = Guarded(0)
        let undisturbed = try await MonitorScene(maker: maker)
        try await undisturbed.take(Self.crowd)
        try await undisturbed.run()
        try await undisturbed.take(Self.changed)
        try await undisturbed.run { _ in _ = steps.next() }
        let wanted = try await content(undisturbed)
        let count = steps.withLock { $0 }
        // The check, two pages of changed lists; no course is another.
        try #require(count == 3)

        for step in 1...count {
            let scene = try await MonitorScene(maker: maker)
            try await scene.take(Self.crowd)
            try await scene.run()
            try await scene.take(Self.changed)
            let seen = Guarded(0)
            await #expect(throws: Stop.self) {
                try await scene.run { _ in
                    if seen.next() == step {
                        throw Stop()
                    }
                }
            }
            let again = try await scene.run()
            // What was made is not made again.
            let left = max(0, 80 - 64 * (step - 1))
            #expect(again.students.generated == left, "step \(step)")
            let found = try await content(scene)
            #expect(found.rows == wanted.rows && found.files == wanted.files, "step \(step)")
        }
    }

    @Test func `a first run that is stopped after any step leaves the same`() async throws {
        let maker = try await GenerationFixture().maker
        let undisturbed = try await MonitorScene(maker: maker)
        try await undisturbed.take(Self.crowd)
        let steps = Guarded(0)
        try await undisturbed.run { _ in _ = steps.next() }
        let wanted = try await content(undisturbed)
        let count = steps.withLock { $0 }
        try #require(count == 6)

        for step in 1...count {
            let scene = try await MonitorScene(maker: maker)
            try await scene.take(Self.crowd)
            let seen = Guarded(0)
            await #expect(throws: Stop.self) {
                try await scene.run { _ in
                    if seen.next() == step {
                        throw Stop()
                    }
                }
            }
            // Nothing was written before its time.
            #expect(scene.names.isEmpty)
            let again = try await scene.run()
            #expect(again.students.generated == max(0, 150 - 64 * (step - 1)), "step \(step)")
            let found = try await content(scene)
            #expect(found.rows == wanted.rows && found.files == wanted.files, "step \(step)")
        }
    }

    /// Runs until a step, where the run's task is cancelled.
    private func cancel(_ scene: MonitorScene, atStep step: Int) async {
        let seen = Guarded(0)
        let task = Task {
            try await scene.run { _ in
                if seen.next() == step { withUnsafeCurrentTask { $0?.cancel() } }
            }
        }
        await #expect(throws: CancellationError.self) { _ = try await task.value }
    }

    @Test func `a cancelled run goes on where it was`() async throws {
        let scene = try await MonitorScene.engine()
        try await scene.take(Self.crowd)
        // With the first page of lists stored.
        await cancel(scene, atStep: 2)
        let counts = try await scene.students.counts(outdatedBefore: .distantPast)
        #expect(counts.students == 150 && counts.new == 86 && scene.names.isEmpty)
        let report = try await scene.run()
        #expect(report.students.new == 86 && report.students.generated == 86 && report.courses.generated == 70)
        #expect(try scene.studentFile().count == 150)
    }

    @Test func `a run that is cancelled before its files leaves those that were there`() async throws {
        let scene = try await MonitorScene.engine()
        try await scene.take(Trio.students)
        try await scene.run()
        let before = try await scene.state().files
        try await scene.take([Trio.chen("guitar")])
        // The lists are the last step that is told of.
        await cancel(scene, atStep: 2)
        #expect(try await scene.state().files == before)
        let report = try await scene.run()
        #expect(report.students.generated == 0 && report.written.contains("student_interests.csv"))
        #expect(try scene.studentFile()["chen"]?.input.interests == "guitar")
    }

    @Test func `what a killed writer left goes, and a file that it had named is known for ours`() async throws {
        let scene = try await MonitorScene.engine()
        try await scene.take(Trio.students)
        try await scene.run()
        let name = StudentFile.name
        let old = try #require(try await scene.notes.state(of: name))
        let revision = try #require(try await scene.notes.revision(of: name))
        try await scene.take([Trio.chen("guitar")])
        try await scene.run()
        // As it is where the file has its name and the note of it was never written.
        let new = try #require(try await scene.notes.state(of: name))
        #expect(new.sha256 != old.sha256)
        try await scene.notes.set("\(name).next", sha256: new.sha256, bytes: new.bytes)
        try await scene.notes.set(name, sha256: old.sha256, bytes: old.bytes, revision: revision)
        try scene.write("half of a row", to: "\(scene.settings.folder)/.\(name).part")
        #expect(try await scene.files.finding(scene.files.students) == .ours)
        #expect(try await scene.files.isStale(scene.files.students))
        let report = try await scene.run()
        #expect(report.roster == RosterChanges() && report.setAside.isEmpty && report.written == [name])
        #expect(scene.names == ["course_careers.csv", "student_interests.csv"])
        let noted = try #require(try await scene.notes.state(of: name))
        #expect(noted.sha256 == new.sha256 && noted.bytes == new.bytes)
        #expect(try await scene.run().written.isEmpty)
    }
}
