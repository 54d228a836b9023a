internal import Foundation
internal import Monitor
internal import Platform
internal import Store

/// Runs the monitor as a task: one at a time, and again where a run was stopped.
struct MonitorHandler: TaskHandler {
    static let kind = "monitor"
    /// Of each of its tasks, whether somebody asked for it or its time came: there is never a second one that waits.
    static let uniqueKey = Scheduler.uniqueKey(of: Self.kind)

    private struct Payload: Decodable {
        let reason: String?
    }

    let monitor: MonitorService

    var kind: String { Self.kind }
    /// A first run over many students takes its time; it is never begun anew for that.
    var deadline: Duration { .seconds(6 * 3_600) }

    static func payload(_ reason: MonitorRunRecord.Reason) -> String { #"{"reason":"\#(reason.rawValue)"}"# }

    func perform(_ context: TaskContext) async throws -> TaskOutcome {
        let payload: Payload = try context.decode()
        let reason = payload.reason.flatMap(MonitorRunRecord.Reason.init) ?? .schedule
        do {
            let report = try await monitor.run(id: context.id, reason: reason) { report in
                let (students, courses) = (report.students, report.courses)
                // Who comes due meanwhile is seen to as well.
                let done = students.seenTo + courses.seenTo
                try await context.progress(done, of: max(done, students.due + courses.due))
            }
            return .done(result: report.json)
        } catch is MonitorService.Busy {
            // A command beside the service, as a rule; it does not take for ever.
            return .postponed(until: Date().addingTimeInterval(60))
        }
    }
}
