package import Foundation

/// A career as a source gives it.
package struct CareerContent: Sendable, Equatable {
    package var id: String
    /// Who gave it: the built-in catalogue, a file, a feed.
    package var source: String
    package var name: String
    package var cluster: String
    /// The whole career as JSON.
    package var document: String
    /// Abilities from 0 to 10, in the fixed order.
    package var abilities: [Double]

    package init(
        id: String, source: String, name: String, cluster: String, document: String, abilities: [Double]
    ) {
        self.id = id
        self.source = source
        self.name = name
        self.cluster = cluster
        self.document = document
        self.abilities = abilities
    }

    /// Equal for equal contents.
    ///
    /// - Throws: `StoreError` of code `invalidValue` where an ability is not finite.
    func hash() throws -> String {
        var hash = ContentHash()
        for field in [source, name, cluster, document, try NumberList.text(of: abilities)] { hash.update(field) }
        return hash.text
    }
}

/// A career as it is stored.
package struct CareerRecord: Sendable, Equatable {
    package let content: CareerContent
    /// False once its source no longer gives it; what refers to it stays valid.
    package let isActive: Bool
    package let contentHash: String
    package let createdAt: Date
    package let updatedAt: Date

    static let columns =
        "id, source, name, cluster, document, ability_vector, is_active, content_hash, created_at, updated_at"

    init(_ row: SQLRow) throws {
        content = CareerContent(
            id: try row.text("id"), source: try row.text("source"), name: try row.text("name"),
            cluster: try row.text("cluster"), document: try row.text("document"),
            abilities: try NumberList.numbers(of: try row.text("ability_vector")))
        isActive = try row.bool("is_active")
        contentHash = try row.text("content_hash")
        createdAt = try row.time("created_at")
        updatedAt = try row.time("updated_at")
    }
}
