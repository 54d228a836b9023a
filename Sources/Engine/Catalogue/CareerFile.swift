package import Foundation

/// A file of one cluster's careers, as the built-in catalogue has them.
package enum CareerFile {
    private struct Document: Decodable {
        let cluster: String
        let careers: [Career]
    }

    /// The careers of a file `{"cluster": …, "careers": […]}`.
    ///
    /// - Throws: `CatalogueError` naming the career and field.
    package static func careers(from data: Data, named name: String) throws(CatalogueError) -> [Career] {
        let document: Document
        do {
            document = try JSONDecoder().decode(Document.self, from: data)
        } catch let error as CatalogueError {
            throw error
        } catch {
            throw .unreadable(what: name, problem: "\(error)")
        }
        return document.careers.map { career in
            var career = career
            if career.cluster.isEmpty { career.cluster = document.cluster }
            return career
        }
    }

    /// Checks what a catalogue promises as a whole: distinct ids, known related careers, numbers in range.
    package static func validate(_ careers: [Career]) throws(CatalogueError) {
        var ids: Set<String> = []
        for career in careers {
            guard ids.insert(career.id).inserted else {
                throw .invalidCareer(id: career.id, problem: "its id is used twice")
            }
        }
        for career in careers {
            func fail(_ problem: String) -> CatalogueError { .invalidCareer(id: career.id, problem: problem) }
            for (field, text) in [
                ("id", career.id), ("name", career.name), ("description", career.description),
                ("suitable_for", career.suitableFor), ("cluster", career.cluster),
            ] where text.isEmpty {
                throw fail("\(field) is empty")
            }
            if career.requiredSkills.isEmpty { throw fail("required_skills is empty") }
            for (ability, value) in zip(Ability.allCases, career.abilities) where !abilityRange.contains(value) {
                throw fail("\(ability.rawValue) is \(value); abilities lie between 0 and 10")
            }
            if let salary = career.salary, salary.min < 0 || salary.max < salary.min {
                throw fail("the salary runs from \(salary.min) to \(salary.max)")
            }
            for related in career.relatedCareers where !ids.contains(related) {
                throw fail("the related career “\(related)” is not in the catalogue")
            }
        }
    }
}
