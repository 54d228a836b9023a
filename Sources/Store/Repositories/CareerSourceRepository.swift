import Foundation

/// Where careers come from, and what must be said of it wherever they are shown.
package struct CareerSource: Sendable, Equatable, Codable {
    /// What careers name as their source.
    package var name: String
    /// What people call it.
    package var title: String
    /// The sentence that the licence asks for.
    package var attribution: String?
    package var licence: String?
    package var url: String?
    /// Which release of it was imported.
    package var version: String?

    package init(
        name: String, title: String, attribution: String? = nil, licence: String? = nil, url: String? = nil,
        version: String? = nil
    ) {
        self.name = name
        self.title = title
        self.attribution = attribution
        self.licence = licence
        self.url = url
        self.version = version
    }

    static let columns = "name, title, attribution, licence, url, version"

    init(_ row: SQLRow) throws {
        name = try row.text("name")
        title = try row.text("title")
        attribution = try row.optionalText("attribution")
        licence = try row.optionalText("licence")
        url = try row.optionalText("url")
        version = try row.optionalText("version")
    }
}

/// The sources of the catalogue; `CareerRepository.update` stores them with their careers.
package struct CareerSourceRepository: Sendable {
    private let database: any SQLDatabase

    package init(_ database: any SQLDatabase) { self.database = database }

    /// Every source, in ascending order of name.
    package func all() async throws -> [CareerSource] {
        try await database.read { connection in
            try connection.query("SELECT \(CareerSource.columns) FROM career_sources ORDER BY name")
                .map(CareerSource.init)
        }
    }
}
