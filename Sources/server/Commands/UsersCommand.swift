internal import ArgumentParser
internal import Foundation
internal import Platform
internal import Store

/// `pathlight users create | list | disable | enable | role | password | assign | unassign | learners`
struct UsersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "users", abstract: "Makes, lists and changes accounts.",
        subcommands: [
            Create.self, List.self, Disable.self, Enable.self, SetRole.self, Password.self, Assign.self,
            Unassign.self, Learners.self, UsersExportCommand.self, UsersEraseCommand.self, RotateKeyCommand.self,
        ])

    enum AccountRole: String, ExpressibleByArgument, CaseIterable {
        case user, educator, admin

        var role: Role {
            switch self {
            case .user: .user
            case .educator: .educator
            case .admin: .admin
            }
        }
    }

    /// `pathlight users create --email E`
    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Makes an account and prints its id.")

        @Option(help: "The address to sign in with.")
        var email: String

        @Option(help: "user, educator or admin.")
        var role: AccountRole = .user

        @Option(help: "What the person is called.")
        var name: String?

        @Flag(help: "Read the password from the first line of standard input.")
        var passwordStdin = false

        @OptionGroup var common: CommonOptions

        func run() async throws {
            let password = passwordStdin ? try PasswordInput.read() : nil
            let user = try await IdentityAccess.withAccounts(common, makes: true) { identity in
                try await identity.createUser(email: email, password: password, name: name, role: role.role)
            }
            try Terminal.data(user.id)
            if password == nil {
                Terminal.error("without a password nobody signs in; “pathlight users password \(user.id)” sets one")
            }
        }
    }

    /// `pathlight users list`
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists the accounts.")

        @Flag(help: "Print one JSON document.")
        var json = false

        @OptionGroup var common: CommonOptions

        func run() async throws {
            let users = try await IdentityAccess.withAccounts(common) { identity in
                try await IdentityAccess.all { try await identity.users(skip: $0, limit: $1) }
            }
            if json { return try IdentityAccess.print(users) { UserWriter.write($1, to: &$0) } }
            guard !users.isEmpty else {
                return Terminal.error("there are no accounts; “pathlight users create” makes one")
            }
            try Terminal.data(users.map(Self.line).joined(separator: "\n"))
        }

        static func line(_ user: UserRecord) -> String {
            [user.id, user.role, user.state.rawValue, user.email ?? "", user.name ?? ""].joined(separator: "\t")
        }
    }

    /// `pathlight users disable ID`
    struct Disable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shuts an account out: it is signed out everywhere, and its keys hold no longer.")

        @Argument(help: "The account's id.")
        var id: String

        @OptionGroup var common: CommonOptions

        func run() async throws {
            try await IdentityAccess.withAccounts(common) { try await $0.setState(.disabled, of: id) }
            Terminal.error("\(id) is disabled")
        }
    }

    /// `pathlight users enable ID`
    struct Enable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lets a disabled account in again.")

        @Argument(help: "The account's id.")
        var id: String

        @OptionGroup var common: CommonOptions

        func run() async throws {
            try await IdentityAccess.withAccounts(common) { try await $0.setState(.active, of: id) }
            Terminal.error("\(id) is enabled")
        }
    }

    /// `pathlight users role ID ROLE`
    struct SetRole: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "role", abstract: "Gives an account another role; keys that may more are revoked.")

        @Argument(help: "The account's id.")
        var id: String

        @Argument(help: "user, educator or admin.")
        var role: AccountRole

        @OptionGroup var common: CommonOptions

        func run() async throws {
            try await IdentityAccess.withAccounts(common) { try await $0.setRole(role.role, of: id) }
            Terminal.error("\(id) is of the role \(role.rawValue)")
        }
    }

    /// `pathlight users password ID`
    struct Password: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Sets a password, read from the first line of standard input, and signs out everywhere.")

        @Argument(help: "The account's id.")
        var id: String

        @OptionGroup var common: CommonOptions

        func run() async throws {
            let password = try PasswordInput.read()
            try await IdentityAccess.withAccounts(common) { try await $0.setPassword(password, of: id) }
            Terminal.error("the password of \(id) is set")
        }
    }

    struct LearnerAndEducator: ParsableArguments {
        @Argument(help: "The learner's id.")
        var learner: String

        @Argument(help: "The educator's id.")
        var educator: String
    }

    /// `pathlight users assign LEARNER EDUCATOR`
    struct Assign: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lets an educator see a learner.")

        @OptionGroup var pair: LearnerAndEducator
        @OptionGroup var common: CommonOptions

        func run() async throws {
            try await IdentityAccess.withAccounts(common) {
                try await $0.assign(learner: pair.learner, to: pair.educator)
            }
            Terminal.error("\(pair.educator) sees \(pair.learner)")
        }
    }

    /// `pathlight users unassign LEARNER EDUCATOR`
    struct Unassign: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Ends that an educator sees a learner.")

        @OptionGroup var pair: LearnerAndEducator
        @OptionGroup var common: CommonOptions

        func run() async throws {
            let was = try await IdentityAccess.withAccounts(common) { identity in
                try await identity.unassign(learner: pair.learner, from: pair.educator)
            }
            guard was else { throw StartProblem("\(pair.learner) was not assigned to \(pair.educator)") }
            Terminal.error("\(pair.educator) does not see \(pair.learner) any more")
        }
    }
}

extension UsersCommand {
    /// `pathlight users learners EDUCATOR`
    struct Learners: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists the learners that an educator sees.")

        @Argument(help: "The educator's id.")
        var educator: String

        @Flag(help: "Print one JSON document.")
        var json = false

        @OptionGroup var common: CommonOptions

        func run() async throws {
            let users = try await IdentityAccess.withAccounts(common) { identity in
                try await IdentityAccess.all { try await identity.learners(of: educator, skip: $0, limit: $1) }
            }
            if json { return try IdentityAccess.print(users) { UserWriter.write($1, to: &$0) } }
            guard !users.isEmpty else {
                return Terminal.error("\(educator) sees nobody; “pathlight users assign” assigns a learner")
            }
            try Terminal.data(users.map(List.line).joined(separator: "\n"))
        }
    }
}

/// A password from standard input: never from an argument, which every process of the machine may read.
enum PasswordInput {
    private static let maximumBytes = 4_096

    /// The first line, without its end.
    ///
    /// - Throws: `StartProblem` where there is none.
    static func read() throws -> String {
        var bytes: [UInt8] = []
        while bytes.count <= maximumBytes, !bytes.contains(UInt8(ascii: "\n")) {
            guard let piece = try FileHandle.standardInput.read(upToCount: 512), !piece.isEmpty else { break }
            bytes += piece
        }
        var line = bytes.prefix { $0 != UInt8(ascii: "\n") }
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        guard !line.isEmpty, line.count <= maximumBytes, let text = String(validating: line, as: UTF8.self) else {
            throw StartProblem("standard input holds no password in its first line, in UTF-8")
        }
        return text
    }
}
