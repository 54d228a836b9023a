package import Engine
package import Store

/// What is shown where nothing has been made yet: predefined lists, marked as nobody's own.
package struct DemoLists: Sendable {
    /// Their origin, which nothing stored has.
    package static let origin = "demo"

    private let predefined: PredefinedLists
    private let latestNames = LatestCareerNames()

    package init(_ predefined: PredefinedLists) { self.predefined = predefined }

    /// A list by what a student says, or a general one for somebody of whom nothing is known. Never empty.
    ///
    /// - Throws: `CancellationError` alone.
    package func careers(
        for student: StudentInput?, in generation: CareerGeneration
    ) async throws -> [ListedCareer] {
        let nobody = StudentInput(userID: "", username: "", name: "", hometown: "", course: "", interests: "")
        return try await careers(for: ListQuestion(student: student ?? nobody), in: generation)
    }

    /// Paths by the name of a course. Never empty.
    ///
    /// - Throws: `CancellationError` alone.
    package func paths(for course: String, in generation: CareerGeneration) async throws -> [CoursePath] {
        try await careers(for: ListQuestion(course: course), in: generation).map { CoursePath($0) }
    }

    private func careers(
        for question: ListQuestion, in generation: CareerGeneration
    ) async throws -> [ListedCareer] {
        let names = try await latestNames.names(of: generation)
        return predefined.careers(for: question, names: names, count: ListMaker.listSize).map { career in
            var career = career
            career.origin = Self.origin
            return career
        }
    }
}
