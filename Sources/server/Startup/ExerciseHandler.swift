internal import Foundation
internal import Platform

/// Exercises the queue for its tests: each task notes its number as its effect, in one transaction with its end, after a
/// random time in which its worker may be killed.
struct ExerciseHandler: TaskHandler {
    static let kind = "exercise"

    /// The longest that an attempt takes.
    let longest: Duration

    var kind: String { Self.kind }

    func perform(_ context: TaskContext) async throws -> TaskOutcome {
        try await Task.sleep(for: longest * Double.random(in: 0..<1))
        return try await context.complete { _ = try context.recordEffect(context.payload, in: $0) }
    }
}
