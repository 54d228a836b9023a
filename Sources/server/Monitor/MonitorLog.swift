internal import Foundation
internal import Logging
internal import Monitor
internal import Platform
internal import Store

/// What runs tell: in the service's log, and in a file of their own. Counts and reasons, nobody's name.
struct MonitorLog: Sendable {
    private let file: RotatingFile?
    private let logger: Logger
    private let clock: @Sendable () -> Date
    /// Whether it was said that the file cannot be written; once is enough.
    private let isTold = Guarded(false)

    /// - Parameter path: nil for no file.
    init(path: String?, logger: Logger, clock: @escaping @Sendable () -> Date = { Date() }) {
        file = path.map { RotatingFile(path: $0) }
        self.logger = logger
        self.clock = clock
    }

    func begins(_ id: String, _ reason: MonitorRunRecord.Reason) {
        note(.info, "monitor run begins", ["run": id, "reason": reason.rawValue])
    }

    func ended(_ id: String, _ report: MonitorReport) {
        for (path, reason) in report.setAside.sorted(by: { $0.key < $1.key }) {
            note(.warning, "a file was set aside", ["file": path, "problem": reason])
        }
        for (path, problem) in report.fileProblems.sorted(by: { $0.key < $1.key }) {
            note(.error, "a file could not be read or written", ["file": path, "problem": problem])
        }
        let (students, courses) = (report.students, report.courses)
        note(
            report.hasFailed ? .error : .info, report.hasFailed ? "monitor run failed in part" : "monitor run ended",
            [
                "run": id, "checked": "\(students.checked)", "new": "\(students.new)", "changed": "\(students.changed)",
                "outdated": "\(students.outdated)", "generated": "\(students.generated)",
                "reused": "\(students.reused)", "worded": "\(students.worded)", "reworded": "\(students.reworded)",
                "fallen_back": "\(students.fallenBack)", "failed": "\(students.failed)",
                "courses": "\(courses.checked)", "courses_generated": "\(courses.generated)",
                "cost_usd": "\(USD.text(nanodollars: report.costNanodollars))", "seconds": "\(report.seconds)",
            ])
    }

    func broke(_ id: String, _ error: any Error) {
        if error is CancellationError {
            note(.notice, "monitor run stopped; the next one goes on", ["run": id])
        } else {
            note(.error, "monitor run failed", ["run": id, "problem": "\(error)"])
        }
    }

    private func note(_ level: Logger.Level, _ message: String, _ values: KeyValuePairs<String, String>) {
        logger.log(
            level: level, "\(message)",
            metadata: Logger.Metadata(values.map { ($0.key, "\($0.value)") }, uniquingKeysWith: { first, _ in first }))
        guard let file else { return }
        let pairs = values.map { name, value in "\(name)=\(value.contains(" ") ? "\"\(value)\"" : value)" }
        // One line whatever is in it, as in the service's own log.
        let line = "\(ISO8601.string(from: clock())) \(level.rawValue) \(message): \(pairs.joined(separator: " "))"
        do {
            try file.append(TextLogStream.line(of: line))
        } catch {
            guard
                isTold.withLock({ told in
                    defer { told = true }; return !told
                })
            else { return }
            logger.warning(
                "the monitor's own log cannot be written; `monitor.log_file` names another, or “off”",
                metadata: ["problem": "\(error)"])
        }
    }
}
