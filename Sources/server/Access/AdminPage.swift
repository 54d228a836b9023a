internal import Hummingbird
internal import Platform

/// The form of the administration's lists.
enum AdminPage {
    static let largest = 200
    static let skips = 0...Int(Int32.max)

    /// `skip` and `limit` of a query.
    static func read(_ request: Request) throws -> (skip: Int, limit: Int) {
        try request.readQuery { fields in
            (fields.integer("skip", in: skips) ?? 0, fields.integer("limit", in: 1...largest) ?? 50)
        }
    }

    static func reply<Item>(
        _ items: [Item], total: Int, skip: Int, limit: Int, _ write: (inout JSONWriter, Item) -> Void
    ) -> Response {
        .json(headers: [.cacheControl: "no-store"]) { json in
            json.object { json in
                json.field("items", arrayOf: items) { json, item in write(&json, item) }
                json.field("total", total)
                json.field("skip", skip)
                json.field("limit", limit)
            }
        }
    }

    static func list(_ roles: [Role]) -> String { roles.map { "`\($0.rawValue)`" }.joined(separator: ", ") }
}
