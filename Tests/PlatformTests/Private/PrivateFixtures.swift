import Foundation
import Platform
import Store

enum PrivateFixtures {
    /// The bytes 0…31, 32…63 and 64…95.
    static let secrets = (0..<3).map { group in
        Data((0..<32).map { UInt8(group * 32 + $0) }).base64EncodedString()
    }

    /// A ring of these keys, the current one first, with a line for the index.
    static func ring(_ ids: String..., index: Int? = 1) throws -> KeyRing {
        var lines = ids.map { id in
            let number = Int(id.drop { !$0.isNumber }) ?? 0
            return "\(id) \(Data((0..<32).map { UInt8(truncatingIfNeeded: number * 37 + $0) }).base64EncodedString())"
        }
        if let index { lines.append("index \(secrets[index])") }
        return try KeyRing.parse(Array(lines.joined(separator: "\n").utf8), place: "test")
    }

    static let now = SQLTime.date(of: "2026-03-01T12:00:00.000Z") ?? .distantPast

    /// Makes somebody a student of the career monitor, with a list and a course of these marks.
    static func serve(
        _ id: String, list: String, course: String, _ database: any SQLDatabase, _ cipher: any ColumnCipher
    ) async throws {
        let students = StudentRepository(database, cipher: cipher, clock: { now })
        let input = StudentInput(
            userID: id, username: "", name: "Somebody", hometown: "Turin", course: course, interests: "sailing")
        let marks = StudentMarks(input: list, course: course, row: "\(list) \(course)")
        _ = try await students.upsert([(input, marks)], source: .api)
        _ = try await students.serve(
            InterestListRecord(
                mark: list, origin: .engine, document: #"[{"career":"Sailor"}]"#, count: 1, generation: 7,
                costNanodollars: 0, madeAt: now))
        _ = try await CourseRepository(database, clock: { now }).serve(
            CoursePathsRecord(
                mark: course, course: course, origin: .engine, document: #"[{"career":"Sailor"}]"#, count: 1,
                generation: 7, costNanodollars: 0, madeAt: now))
    }

    /// Runs `body` on a database with the whole schema.
    static func withDatabase(_ body: (SQLiteDatabase) async throws -> Void) async throws {
        let database = try await SQLiteDatabase.temporary()
        do {
            _ = try await SchemaMigrator().migrate(database)
            try await body(database)
        } catch {
            try? await database.close()
            throw error
        }
        try await database.close()
    }
}

extension SQLDatabase {
    func run(_ sql: String, _ arguments: [SQLValue] = []) async throws {
        try await write { _ = try $0.execute(sql, arguments) }
    }

    func count(_ table: String, where condition: String = "1 = 1") async throws -> Int {
        try await read { try $0.first("SELECT COUNT(*) AS n FROM \(table) WHERE \(condition)")?.int("n") ?? 0 }
    }

    func texts(_ column: String, of table: String) async throws -> [String] {
        try await read { connection in
            try connection.query("SELECT \(column) FROM \(table) WHERE \(column) IS NOT NULL").map {
                try $0.text(column)
            }
        }
    }
}
