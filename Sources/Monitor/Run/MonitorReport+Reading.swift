internal import Foundation
internal import Store

extension MonitorReport {
    /// What `json` wrote of a run that was stopped, for the one that goes on with it. What was wrong with files is left
    /// out: that is looked at anew.
    ///
    /// Of a run that was stopped before its first report all is zero.
    package init(goingOnWith json: String) {
        self.init()
        guard let stored = try? JSONDecoder().decode(Stored.self, from: Data(json.utf8)) else { return }
        students = stored.students.tally
        courses = stored.courses.tally
        roster = RosterChanges(
            added: stored.roster.added, changed: stored.roster.changed, renamed: stored.roster.renamed,
            unchanged: stored.roster.unchanged)
        problems = stored.problems
        modelCalls = stored.modelCalls
        costNanodollars = Int64((stored.cost * 1e9).rounded())
        written = stored.files.written
        setAside = stored.files.setAside
        checkSeconds = stored.checkSeconds
        seconds = stored.seconds
    }

    /// Whether it has looked at who is due.
    var hasChecked: Bool { students.checked + courses.checked > 0 }

    private struct Stored: Decodable {
        struct Tally: Decodable {
            let checked, new, changed, outdated, generated, worded, reworded, reused: Int
            let fallenBack: Int

            enum CodingKeys: String, CodingKey {
                case checked, new, changed, outdated, generated, worded, reworded, reused
                case fallenBack = "fallen_back"
            }

            var tally: MonitorReport.Tally {
                var tally = MonitorReport.Tally()
                (tally.checked, tally.new, tally.changed, tally.outdated) = (checked, new, changed, outdated)
                (tally.worded, tally.reworded, tally.reused) = (worded, reworded, reused)
                // What is predefined, and what failed, is tried and counted again.
                tally.generated = generated - fallenBack
                return tally
            }
        }

        struct Roster: Decodable {
            let added, changed, renamed, unchanged: Int
        }

        struct Files: Decodable {
            let written: [String]
            let setAside: [String: String]

            enum CodingKeys: String, CodingKey {
                case written
                case setAside = "set_aside"
            }
        }

        let students, courses: Tally
        let roster: Roster
        let problems: [String: Int]
        let modelCalls: Int
        let cost: Double
        let files: Files
        let checkSeconds, seconds: Double

        enum CodingKeys: String, CodingKey {
            case students, courses, roster, problems, files, seconds
            case modelCalls = "model_calls"
            case cost = "cost_usd"
            case checkSeconds = "check_seconds"
        }
    }
}
