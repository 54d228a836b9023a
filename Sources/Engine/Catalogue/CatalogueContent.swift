internal import Foundation
package import Store

/// The active careers as the store has them, who described them, and which were retired.
package struct CatalogueContent: Sendable {
    /// In ascending order of id.
    package var careers: [Career]
    /// By name.
    package var sources: [String: CareerSource]
    /// Ids of careers that were active once, which integrators may still hold.
    package var retired: [String]
    /// Counts up with every change of careers, sources or the vectors in use.
    package var revision: Int64

    package init(
        careers: [Career], sources: [String: CareerSource] = [:], retired: [String] = [], revision: Int64 = 0
    ) {
        self.careers = careers
        self.sources = sources
        self.retired = retired
        self.revision = revision
    }

    /// Reads the catalogue.
    ///
    /// The revision is read first: a change that comes between is then read again by whoever watches it, never missed.
    ///
    /// - Throws: `CatalogueError.damaged` naming the career, `StoreError`.
    package static func read(from database: any SQLDatabase) async throws -> CatalogueContent {
        let repository = CareerRepository(database)
        let revision = try await repository.revision()
        let records: [CareerRecord]
        do {
            records = try await repository.active()
        } catch let error as StoreError where error.code == .unexpectedValue {
            throw CatalogueError.damaged(what: "a career", location: database.location, problem: "\(error)")
        }
        // Half a second for a thousand careers with their titles: not on the threads that answer requests.
        let location = database.location
        let careers = try await OwnThread.run { try records.map { try career($0, at: location) } }
        let sources = try await CareerSourceRepository(database).all()
        return CatalogueContent(
            careers: careers, sources: Dictionary(uniqueKeysWithValues: sources.map { ($0.name, $0) }),
            retired: try await repository.retiredIDs(), revision: revision)
    }

    /// One career as the store has it, active or retired; nil where it has none of that id.
    ///
    /// - Throws: `CatalogueError.damaged` naming the career, `StoreError`.
    package static func career(
        _ id: String, in database: any SQLDatabase
    ) async throws -> (career: Career, isActive: Bool)? {
        guard let record = try await CareerRepository(database).career(id: id) else { return nil }
        return (try career(record, at: database.location), record.isActive)
    }

    private static func career(_ record: CareerRecord, at location: String) throws -> Career {
        do {
            var career = try JSONDecoder().decode(Career.self, from: Data(record.content.document.utf8))
            career.source = record.content.source
            return career
        } catch {
            throw CatalogueError.damaged(
                what: "the career “\(record.content.id)”", location: location, problem: "\(error)")
        }
    }
}

extension Career {
    /// The career as the store keeps it.
    ///
    /// - Parameter source: takes the place of a missing one.
    package func content(defaultSource source: String) throws -> CareerContent {
        var career = self
        career.source = career.source ?? source
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return CareerContent(
            id: id, source: career.source ?? source, name: name, cluster: cluster,
            document: String(decoding: try encoder.encode(career), as: UTF8.self), abilities: abilities)
    }
}
