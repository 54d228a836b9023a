import Foundation
import Monitor
import Store
import TestSupport

/// A monitor over a database and a folder of its own, at a time that is set.
struct MonitorScene {
    static let start = SQLTime.date(of: "2026-03-01T12:00:00.000Z") ?? .distantPast
    static let day = 86_400.0

    /// All that a run leaves: rows, and files with what tells whether they were written anew.
    struct State: Equatable {
        struct File: Equatable {
            let bytes: Data
            let inode: Int?
            let time: Date?
        }

        var revision: Int64
        var rows: [String: [[SQLValue]]]
        var files: [String: File]

        /// Without what differs between two folders.
        var content: [String: Data] { files.mapValues(\.bytes) }
    }

    let root: TemporaryDirectory
    let database: any SQLDatabase
    let students: StudentRepository
    let courses: CourseRepository
    let notes: MonitorFileRepository
    let files: MonitorFiles
    let time: Guarded<Date>
    var settings: MonitorSettings
    private let maker: ListMaker

    init(maker: ListMaker) async throws {
        self.maker = maker
        root = try TemporaryDirectory("monitor-run")
        database = try await SQLiteDatabase.temporary()
        _ = try await SchemaMigrator().migrate(database)
        let time = Guarded(Self.start)
        self.time = time
        let clock: @Sendable () -> Date = { time.withLock { $0 } }
        students = StudentRepository(database, cipher: PlainColumns(), clock: clock)
        courses = CourseRepository(database, clock: clock)
        notes = MonitorFileRepository(database, clock: clock)
        settings = MonitorSettings(folder: root.path + "/data/input")
        files = MonitorFiles(folder: settings.folder, students: students, courses: courses, notes: notes)
    }

    /// Over the small catalogue, without a model.
    static func engine() async throws -> MonitorScene {
        try await MonitorScene(maker: try await GenerationFixture().maker)
    }

    func pass(_ seconds: Double) { time.withLock { $0 = $0.addingTimeInterval(seconds) } }

    @discardableResult
    func take(_ inputs: [StudentInput]) async throws -> RosterChanges {
        try await Roster(students: students, marker: InputMarker(cipher: PlainColumns())).take(inputs, from: .command)
    }

    @discardableResult
    func run(
        maker other: ListMaker? = nil,
        observe: @escaping @Sendable (MonitorReport) async throws -> Void = { _ in }
    ) async throws -> MonitorReport {
        try await MonitorRun(
            database, cipher: PlainColumns(), settings: settings, maker: other ?? maker,
            clock: { [time] in time.withLock { $0 } }, observe: observe
        ).perform()
    }

    func state() async throws -> State {
        var state = State(revision: try await students.revision(), rows: [:], files: [:])
        let keys = ["students": "user_id", "interest_lists": "input_mark", "course_paths": "course_mark"]
        for (table, key) in keys {
            state.rows[table] = try await database.read { connection in
                try connection.query("SELECT * FROM \(table) ORDER BY \(key)").map(\.values)
            }
        }
        for name in names {
            let path = "\(settings.folder)/\(name)"
            let attributes = try FileManager.default.attributesOfItem(atPath: path)
            state.files[name] = State.File(
                bytes: FileManager.default.contents(atPath: path) ?? Data(),
                inode: (attributes[.systemFileNumber] as? NSNumber)?.intValue,
                time: attributes[.modificationDate] as? Date)
        }
        return state
    }

    /// Of the files in the folder.
    var names: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: settings.folder)) ?? []).sorted()
    }

    /// The rows of the student file by their ids.
    func studentFile() throws -> [String: StudentRow] {
        var reader = try StudentFileReader(files.students.path)
        var rows: [String: StudentRow] = [:]
        while let row = try reader.next() { rows[row.input.userID] = row }
        return rows
    }

    func courseFile() throws -> [CourseRow] {
        var reader = try CourseFileReader(files.courses.path)
        var rows: [CourseRow] = []
        while let row = try reader.next() { rows.append(row) }
        return rows
    }

    func write(_ text: String, to path: String) throws {
        let folder = (path as NSString).deletingLastPathComponent
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    }

    func text(of path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }
}

/// Ada and Bob say the same in other words, Chen something else.
enum Trio {
    static let students = [
        GenerationFixture.student("Painting, pictures", course: "Fine Arts", hometown: "Pune", id: "ada"),
        GenerationFixture.student("pictures ; PAINTING", course: "fine  arts", hometown: "pune", id: "bob"),
        GenerationFixture.student("cooking meals", course: "Hotel kitchens", hometown: "Leh", id: "chen"),
    ]

    static func chen(_ interests: String) -> StudentInput {
        GenerationFixture.student(interests, course: "Hotel kitchens", hometown: "Leh", id: "chen")
    }
}

extension Guarded<Int> {
    /// Counts up, beginning with 1.
    func next() -> Int {
        withLock { count in
            count += 1
            return count
        }
    }
}
