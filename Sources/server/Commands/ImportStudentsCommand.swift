internal import ArgumentParser
internal import Foundation
internal import Monitor
internal import Platform
internal import Store

extension StudentFormat: ExpressibleByArgument {}

extension ImportCommand {
    /// `pathlight import students FILE`
    struct Students: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Students whose recommendations are kept ready, from a CSV or JSON Lines file.",
            discussion: """
                A CSV file has the columns user_id, username, name, hometown, course and interests, with or without those \
                that the career monitor adds. In JSON Lines each line is an object of these fields, of which user_id and \
                interests must be there. A row takes the place of what is stored of its user_id; who is not in the file \
                stays. Of a damaged file nothing is taken. The next run of the monitor makes the recommendations: \
                “pathlight monitor --once”, or the service's schedule.
                """)

        @Argument(help: "The file.")
        var file: String

        @Option(help: "The file's format (default: by its name).")
        var format: StudentFormat?

        @Flag(help: "Print one JSON document.")
        var json = false

        @OptionGroup var common: CommonOptions

        func run() async throws {
            guard let format = format ?? StudentFormat(fileName: file) else {
                let names = StudentFormat.allCases.map(\.rawValue).joined(separator: ", ")
                throw StartProblem("\(file): the name does not tell the format; add --format with one of \(names)")
            }
            try await PrivateAccess.with(common, makes: true, makesKeys: true) { data in
                let roster = Roster(
                    students: StudentRepository(data.database, cipher: data.cipher),
                    marker: InputMarker(cipher: data.cipher))
                let changes = try await take(format, roster)
                try Terminal.data(json ? Self.json(changes) : Self.text(changes))
            }
        }

        /// - Throws: `StartProblem` for a file that is damaged or cannot be read.
        private func take(_ format: StudentFormat, _ roster: Roster) async throws -> RosterChanges {
            do {
                return try await roster.read(file, as: format, from: .command).changes
            } catch let error as MonitorFileError where error.code == .busy {
                throw StartProblem("\(file) changed while it was read, and a part of it may be stored; import it again")
            } catch let error as MonitorFileError {
                throw StartProblem("\(error.description); nothing was imported")
            }
        }

        private static func text(_ changes: RosterChanges) -> String {
            "students: \(changes.added) added, \(changes.changed) changed, \(changes.renamed) with other words for the same, "
                + "\(changes.unchanged) unchanged"
        }

        private static func json(_ changes: RosterChanges) -> String {
            JSONTree.members([
                "added": .int(changes.added), "changed": .int(changes.changed), "renamed": .int(changes.renamed),
                "unchanged": .int(changes.unchanged),
            ]).json
        }
    }
}
