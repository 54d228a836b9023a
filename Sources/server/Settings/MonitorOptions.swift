package import Monitor

/// The settings of career monitoring.
package struct MonitorOptions: Sendable, Equatable {
    /// Where the two files lie; nil for `input` in the data folder.
    package var folder: String?
    package var studentsFile: String?
    /// When it runs by itself, as cron has it, in UTC; nil for never.
    package var schedule: String? = "11 */6 * * *"
    package var studentDays = 7
    package var courseDays = 30
    package var modelCalls = 100
    package var market = "India"
    /// Where each run's lines go besides the log; nil for nowhere.
    package var logFile: String? = "logs/career_monitor.log"

    package init() {}

    package func settings(dataDirectory: String) -> MonitorSettings {
        MonitorSettings(
            folder: folder ?? dataDirectory + "/input", studentsFile: studentsFile, studentDays: studentDays,
            courseDays: courseDays, modelCalls: modelCalls, market: market)
    }
}
