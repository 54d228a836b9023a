internal import Foundation
internal import Platform

extension SettingsReader {
    /// How recommendations are kept fresh.
    func read(into monitor: inout MonitorOptions) throws {
        try read(.monitorFolder, into: &monitor.folder)
        try read(.monitorStudentsFile, into: &monitor.studentsFile)
        try read(
            .monitorSchedule, into: &monitor.schedule,
            expected: "five fields as cron has them, in UTC (`11 */6 * * *`), or `off`"
        ) { text -> String?? in
            if text.lowercased() == "off" { return .some(nil) }
            return (try? CronExpression(text)) == nil ? nil : .some(text)
        }
        try read(.monitorStudentDays, into: &monitor.studentDays, in: 1...3650)
        try read(.monitorCourseDays, into: &monitor.courseDays, in: 1...3650)
        try read(.monitorModelCalls, into: &monitor.modelCalls, in: 0...1_000_000)
        try read(.monitorMarket, into: &monitor.market, expected: "one line of at most 200 characters") { text in
            let line = text.trimmingCharacters(in: .whitespaces)
            let isPlain = line.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
            return line.isEmpty || line.count > 200 || !isPlain ? nil : line
        }
        try read(.monitorLogFile, into: &monitor.logFile, expected: "a file, or `off`") { text -> String?? in
            text.isEmpty ? nil : .some(text.lowercased() == "off" ? nil : text)
        }
    }
}
