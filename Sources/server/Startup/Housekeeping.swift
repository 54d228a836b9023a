internal import Foundation
package import Platform
package import Store

/// The tasks that every service has.
package enum BuiltInTasks {
    package static let housekeeping = Schedule(
        name: HousekeepingHandler.kind, kind: HousekeepingHandler.kind, expression: "17 3 * * *", zone: "UTC",
        catchUp: .once)

    /// Names of those that never have two tasks: each would do what the other does.
    package static let single: Set<String> = [MonitorHandler.kind]

    /// - Parameter monitor: when students' recommendations are brought up to date; nil for never.
    package static func schedules(monitor: String?) -> [Schedule] {
        let watching = monitor.map { expression in
            Schedule(
                name: MonitorHandler.kind, kind: MonitorHandler.kind, expression: expression, zone: "UTC",
                catchUp: .once, payload: MonitorHandler.payload(.schedule))
        }
        return [housekeeping] + [watching].compactMap(\.self)
    }
}

/// Removes what has expired, once a day.
package struct HousekeepingHandler: TaskHandler {
    /// Something that expires.
    package struct Step: Sendable {
        /// In snake_case, for the task's result.
        let name: String
        /// Removes it, and returns how much went.
        let work: @Sendable () async throws -> Int

        package init(_ name: String, _ work: @escaping @Sendable () async throws -> Int) {
            self.name = name
            self.work = work
        }
    }

    private struct Failure: Error, CustomStringConvertible {
        let problems: [String]

        var description: String { "not everything that expired could be removed: " + problems.joined(separator: "; ") }
    }

    package static let kind = "housekeeping"
    private static let day: TimeInterval = 86_400

    private let steps: [Step]

    package init(steps: [Step]) { self.steps = steps }

    package var kind: String { Self.kind }

    /// What belongs to no feature: tasks that are over.
    package static func standardSteps(tasks: TaskRepository) -> [Step] {
        [
            Step("tasks") {
                try await tasks.purge([.done, .cancelled], finishedBefore: tasks.now() - 7 * day)
            },
            // Somebody may still want to see why, or to retry.
            Step("dead_tasks") { try await tasks.purge([.dead], finishedBefore: tasks.now() - 90 * day) },
        ]
    }

    package func perform(_ context: TaskContext) async throws -> TaskOutcome {
        var removed: [String: Int] = [:]
        var problems: [String] = []
        for (place, step) in steps.enumerated() {
            try await context.progress(place, of: steps.count, note: step.name)
            do {
                removed[step.name] = try await step.work()
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                // One table that is in trouble keeps the others from nothing.
                problems.append("\(step.name): \(error)")
            }
        }
        guard problems.isEmpty else { throw Failure(problems: problems) }
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return .done(result: String(decoding: try encoder.encode(removed), as: UTF8.self))
    }
}
