internal import Engine
internal import Foundation
internal import Hummingbird
internal import Monitor
internal import Platform
internal import Store

/// Where courses lead: `GET /api/monitor/courses/`, all that are known or, with `name`, one.
extension MonitorRoutes {
    private enum Wanted {
        case one(name: String, mark: String)
        case page(skip: Int, limit: Int)
    }

    /// Who name a course that everybody may see: students write what they like, and whoever could ask for one that a
    /// single student wrote would learn that somebody did.
    private static let minimumStudents = 3

    func coursePaths(_ request: Request, _ scope: RequestScope) async throws -> Response {
        let wanted = try request.readQuery { fields -> Wanted in
            guard fields.has("name") else {
                return .page(
                    skip: fields.integer("skip", in: AdminPage.skips) ?? 0,
                    limit: fields.integer("limit", in: 1...AdminPage.largest) ?? 50)
            }
            let name = fields.requiredString("name", maxBytes: StudentInput.maximumNameBytes)
            return .one(name: InputMarker.line(name), mark: marker.mark(ofCourse: name) ?? "")
        }
        switch wanted {
        case .one(let name, let mark): return try await course(name, mark, for: scope.principal)
        case .page(let skip, let limit): return try await list(skip: skip, limit: limit)
        }
    }

    /// Without the paths.
    private func list(skip: Int, limit: Int) async throws -> Response {
        let now = clock()
        let before = settings.coursesOutdatedBefore(now)
        let page = try await courses.page(
            skip: skip, limit: limit, minimumStudents: Self.minimumStudents)
        return AdminPage.reply(page.items, total: page.total, skip: skip, limit: limit) { json, paths in
            json.object { json in
                json.field("course", paths.course)
                ListNote(paths, outdatedBefore: before, now: now).write(to: &json, now: now)
                json.field("count", paths.count)
            }
        }
    }

    private func course(_ name: String, _ mark: String, for principal: Principal) async throws -> Response {
        let now = clock()
        // Who may read each student may read their courses.
        let isTrusted = principal.role == .service || principal.role == .admin
        let minimum = isTrusted ? 0 : Self.minimumStudents
        let found = try await courses.paths(mark: mark, minimumStudents: minimum, orNamedBy: principal.userID)
        let generation = recommender.current
        let note: ListNote
        let paths: [CoursePath]
        if let found {
            note = ListNote(found, outdatedBefore: settings.coursesOutdatedBefore(now), now: now)
            paths = try Self.stored(found.document)
        } else {
            note = .demo
            paths = try await demo.paths(for: name, in: generation)
        }
        let catalogue = try await ListedCatalogue(paths.compactMap(\.careerID), generation, in: database)
        return .json(headers: [.cacheControl: "no-store"], capacity: 8_192) { json in
            json.object { json in
                json.field("course", found?.course ?? name)
                note.write(to: &json, now: now)
                json.field("paths", arrayOf: paths) { json, path in
                    MonitorWriter.write(path, isGone: catalogue.isGone(path.careerID), to: &json)
                }
                catalogue.writeAttributions(to: &json)
            }
        }
    }
}
