internal import Engine
internal import Foundation
internal import Monitor

/// The catalogue and the quiz that the product comes with.
enum BuiltInContent {
    /// How the store names the catalogue's origin.
    static let source = "built-in"
    /// Set where an import took the place of all other careers: the built-in ones then stay away.
    static let retiredSetting = "built_in_careers_retired"

    /// - Throws: `CatalogueError`, which the tests rule out for what is released.
    static func careers() throws -> [Career] {
        var careers: [Career] = []
        for path in Assets.paths(startingWith: "careers/") {
            guard let data = Assets.data(path) else { continue }
            careers += try CareerFile.careers(from: data, named: path)
        }
        try CareerFile.validate(careers)
        return careers
    }

    static func quiz() throws -> Quiz {
        guard let data = Assets.data("quiz.json") else {
            throw CatalogueError.unreadable(what: "the quiz", problem: "it is not in the program")
        }
        return try Quiz(from: data)
    }

    /// Careers by area of interest, for whom nothing else can be found.
    static func predefinedLists() throws -> PredefinedLists {
        guard let data = Assets.data("predefined-lists.json") else {
            throw CatalogueError.unreadable(what: "the predefined lists", problem: "they are not in the program")
        }
        return try PredefinedLists(from: data)
    }
}
