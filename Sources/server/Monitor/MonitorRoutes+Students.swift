internal import Engine
internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import Monitor
internal import Platform
internal import Store

/// What students say, and the recommendations that are ready for them.
extension MonitorRoutes {
    /// Students of one request, stored in one transaction.
    private static let maximumStudents = 1_000

    // MARK: Saying

    /// Takes in what another program knows of students; sent again, it changes nothing.
    func takeStudents(_ request: Request, _ scope: RequestScope) async throws -> Response {
        let inputs = try await request.readFields(in: scope) { fields -> [StudentInput] in
            guard let field = fields.requiredField("students"),
                let rows = field.list(maxCount: Self.maximumStudents)
            else { return [] }
            if rows.isEmpty { field.fail("must have at least 1 element") }
            return rows.compactMap { $0.object() }.map { StudentFields.read($0) }
        }
        let changes = try await roster.take(inputs, from: .api)
        return .json { json in
            json.object { json in
                json.field("added", changes.added)
                json.field("changed", changes.changed)
                json.field("renamed", changes.renamed)
                json.field("unchanged", changes.unchanged)
            }
        }
    }

    /// Takes in what somebody says of themselves, in place of all they said before.
    func putStudent(_ request: Request, _ scope: RequestScope) async throws -> Response {
        let id = try studentID(scope)
        if let problem = StudentFields.problem(ofID: id) {
            throw HTTPProblem(
                .invalidFields, "user_id: \(problem)", errors: [FieldError(path: "user_id", message: problem)])
        }
        let input = try await request.readFields(in: scope) { StudentFields.read($0, userID: id) }
        let changes = try await roster.take([input], from: .api)
        return try await reply(id, scope, status: changes.added > 0 ? .created : .ok)
    }

    // MARK: Reading

    func student(_ request: Request, _ scope: RequestScope) async throws -> Response {
        let id = try studentID(scope)
        try request.readQuery { _ in }
        return try await reply(id, scope)
    }

    private func reply(
        _ id: String, _ scope: RequestScope, status: HTTPResponse.Status = .ok
    ) async throws -> Response {
        let now = clock()
        let found = try await students.list(of: id)
        // Who is let in for somebody's own sake knows that there is such a person; a program may be mistaken.
        guard found != nil || scope.principal.userID == id || scope.principal.role == .educator else {
            throw Self.missing(id)
        }
        let generation = recommender.current
        let note: ListNote
        let careers: [ListedCareer]
        if let list = found?.list {
            note = ListNote(list, outdatedBefore: settings.studentsOutdatedBefore(now), now: now)
            careers = try Self.stored(list.document)
        } else {
            note = .demo
            careers = try await demo.careers(for: found?.student.input, in: generation)
        }
        let catalogue = try await ListedCatalogue(careers.compactMap(\.careerID), generation, in: database)
        let student = found?.student
        let isChanged = student.map { $0.servedMark != nil && $0.servedMark != $0.marks.input } ?? false
        return .json(status: status, headers: [.cacheControl: "no-store"], capacity: 8_192) { json in
            json.object { json in
                json.field("user_id", id)
                json.name("student")
                if let student { MonitorWriter.write(student, to: &json) } else { json.null() }
                note.write(to: &json, now: now)
                json.field("served_interests_changed", isChanged)
                json.field("recommendations", arrayOf: careers) { json, career in
                    MonitorWriter.write(career, isGone: catalogue.isGone(career.careerID), to: &json)
                }
                catalogue.writeAttributions(to: &json)
            }
        }
    }

    // MARK: Removing

    /// Removes what is known of somebody, and their list and the paths of their course with the last student who has
    /// them. The files are written without them by the next run.
    func removeStudent(_ request: Request, _ scope: RequestScope) async throws -> Response {
        let id = try studentID(scope)
        try request.readQuery { _ in }
        guard try await students.remove(userID: id) else { throw Self.missing(id) }
        return Response(status: .noContent, headers: [.cacheControl: "no-store"])
    }

    // MARK: Helpers

    private func studentID(_ scope: RequestScope) throws -> String {
        try scope.pathID("user_id", missing: Self.missing)
    }

    private static func missing(_ id: String) -> HTTPProblem {
        HTTPProblem(.studentNotFound, "There is no student “\(excerpt(of: id))”.")
    }

    /// A list as it is stored; if it is damaged, that is no mistake of the client's.
    static func stored<Item: Decodable>(_ document: String) throws -> [Item] {
        do {
            return try JSONDecoder().decode([Item].self, from: Data(document.utf8))
        } catch {
            // Without the decoder's words, which may quote what somebody said.
            throw HTTPProblem(.internalError, "What is stored here is damaged.")
        }
    }
}
