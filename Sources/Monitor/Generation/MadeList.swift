internal import Platform
package import Store

/// A list that was made for a student's interests, and how.
package struct MadeList: Sendable, Equatable {
    /// `model` where a model worded or added something, `fallback` where the engine could give nothing.
    package var origin: ListOrigin
    package var careers: [ListedCareer]
    /// The generation of the catalogue that the careers were taken from.
    package var generation: Int64?
    /// Of the answer that was used; what failed calls cost is in the gateway's accounts alone.
    package var costNanodollars: Int64
    /// A word for why the model had no part in it, or for why the engine had none; nil where nothing went wrong, and
    /// where no model is to be asked.
    package var problem: String?

    package init(
        origin: ListOrigin, careers: [ListedCareer], generation: Int64? = nil, costNanodollars: Int64 = 0,
        problem: String? = nil
    ) {
        self.origin = origin
        self.careers = careers
        self.generation = generation
        self.costNanodollars = costNanodollars
        self.problem = problem
    }

    /// The careers as one JSON list; equal lists give equal text.
    package var document: String { JSONTree.array(careers.map(\.json)).json }
}

/// The paths that were found for a course, and how.
package struct MadePaths: Sendable, Equatable {
    package var origin: ListOrigin
    package var paths: [CoursePath]
    package var generation: Int64?
    package var costNanodollars: Int64
    package var problem: String?

    package init(
        origin: ListOrigin, paths: [CoursePath], generation: Int64? = nil, costNanodollars: Int64 = 0,
        problem: String? = nil
    ) {
        self.origin = origin
        self.paths = paths
        self.generation = generation
        self.costNanodollars = costNanodollars
        self.problem = problem
    }

    init(_ list: MadeList) {
        self.init(
            origin: list.origin, paths: list.careers.map { CoursePath($0) }, generation: list.generation,
            costNanodollars: list.costNanodollars, problem: list.problem)
    }

    package var document: String { JSONTree.array(paths.map(\.json)).json }
}
