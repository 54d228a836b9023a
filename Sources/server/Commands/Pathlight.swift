internal import ArgumentParser
internal import Foundation

/// The program: one binary, one command for each thing that it does.
@main
struct Pathlight: AsyncParsableCommand {
    static let version = "0.1.0"

    static let configuration = CommandConfiguration(
        commandName: "pathlight",
        abstract: "Recommends careers, jobs and learning to people.",
        version: version,
        subcommands: [
            ServeCommand.self, RecommendCommand.self, EmbedCommand.self, ReembedCommand.self, ImportCommand.self,
            ExportCommand.self, EvaluateCommand.self, MonitorCommand.self, TasksCommand.self, KeysCommand.self,
            UsersCommand.self, MailCommand.self, BackupCommand.self, RestoreCommand.self, ModelsCommand.self,
            DoctorCommand.self,
        ])

    /// Runs the command and ends with 0 for done, 1 for failed, 2 for a mistake in usage, 78 for wrong settings.
    static func main() async {
        // A reader that goes away (`pathlight embed | head`) ends the command by an error, not by a signal.
        signal(SIGPIPE, SIG_IGN)
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            let code = exitCode(for: error)
            if code == .success {
                print(fullMessage(for: error))
                Foundation.exit(0)
            }
            if code == .validationFailure {
                Terminal.error(fullMessage(for: error))
                Foundation.exit(2)
            }
            if let code = error as? ExitCode { Foundation.exit(code.rawValue) }
            Terminal.error("pathlight: \(error)")
            Foundation.exit(SettingsError.exitCode(for: error))
        }
    }
}

/// Where words go: data to standard output, all else to standard error.
enum Terminal {
    static func error(_ text: String) {
        FileHandle.standardError.write(Data((text + "\n").utf8))
    }

    /// - Throws: `StartProblem` where it cannot be written.
    static func data(_ bytes: Data) throws {
        do {
            try FileHandle.standardOutput.write(contentsOf: bytes)
        } catch {
            // A reader that has seen enough (`| head -1`) is no failure.
            let cause = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError ?? error as NSError
            if cause.domain == NSPOSIXErrorDomain, cause.code == Int(EPIPE) { Foundation.exit(0) }
            throw StartProblem("standard output cannot be written: \(cause.localizedDescription)")
        }
    }

    static func data(_ text: String) throws { try data(Data((text + "\n").utf8)) }
}
