package import Platform
package import Store

/// Something that lists have, in the order of its JSON fields.
package protocol ListEntry: Sendable, Equatable {
    var json: JSONTree { get }
}

extension ListedCareer: ListEntry {}
extension CoursePath: ListEntry {}

/// A list that was made, and how.
package struct Made<Entry: ListEntry>: Sendable, Equatable {
    /// `model` where a model worded or added something, `fallback` where the engine could give nothing.
    package var origin: ListOrigin
    package var careers: [Entry]
    /// The generation of the catalogue that the careers were taken from.
    package var generation: Int64?
    /// Of the answer that was used; what failed calls cost is in the gateway's accounts alone.
    package var costNanodollars: Int64
    /// A word for why the model had no part in it, or for why the engine had none; nil where nothing went wrong, and
    /// where no model is to be asked.
    package var problem: String?
    /// The market that a model was told of when it answered, whatever came of that; nil where none answered.
    package var askedMarket: String?

    package init(
        origin: ListOrigin, careers: [Entry], generation: Int64? = nil, costNanodollars: Int64 = 0,
        problem: String? = nil, askedMarket: String? = nil
    ) {
        self.origin = origin
        self.careers = careers
        self.generation = generation
        self.costNanodollars = costNanodollars
        self.problem = problem
        self.askedMarket = askedMarket
    }

    /// The careers as one JSON list; equal lists give equal text.
    package var document: String { JSONTree.array(careers.map(\.json)).json }

    /// The same of something else.
    func map<Other: ListEntry>(_ transform: (Entry) -> Other) -> Made<Other> {
        Made<Other>(
            origin: origin, careers: careers.map(transform), generation: generation, costNanodollars: costNanodollars,
            problem: problem, askedMarket: askedMarket)
    }
}

/// For a student's interests.
package typealias MadeList = Made<ListedCareer>
/// For a course.
package typealias MadePaths = Made<CoursePath>
