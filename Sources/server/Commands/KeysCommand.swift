internal import ArgumentParser
internal import Foundation
internal import Platform
internal import Store

/// `pathlight keys create | list | revoke`
struct KeysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys", abstract: "Makes, lists and revokes API keys.",
        subcommands: [Create.self, List.self, Revoke.self])

    enum KeyRole: String, ExpressibleByArgument, CaseIterable {
        case admin, service, educator, user

        var role: Role {
            switch self {
            case .admin: .admin
            case .service: .service
            case .educator: .educator
            case .user: .user
            }
        }
    }

    /// `pathlight keys create --role R`
    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes a key and prints it, alone and this once, on standard output.")

        @Option(help: "What the key may do.")
        var role: KeyRole

        @Option(help: "The id of the user whose data the key reaches; user and educator need one.")
        var user: String?

        @Option(help: "What the key is limited to; may be given more than once (default: all that the role may).")
        var scope: [String] = []

        @Option(help: "When the key ends: 12h, 90d, 2w, 1y (default: never).")
        var expiresIn: TimeSpan?

        @Option(help: "What the key is for.")
        var label: String?

        @OptionGroup var common: CommonOptions

        func validate() throws {
            for scope in scope where !RouteRule.Scope.all.contains(scope) {
                throw ValidationError(
                    "--scope must be one of \(RouteRule.Scope.all.joined(separator: ", ")), not “\(scope)”")
            }
            // Here as well, so that no database is made for a key that nobody gets.
            if role.role.isOfOneUser, user == nil {
                throw ValidationError(
                    "--role \(role.rawValue) needs --user ID: the key reaches that user's data; “pathlight users list” "
                        + "shows the ids, and a program that speaks for everybody has --role service")
            }
        }

        func run() async throws {
            let made = try await IdentityAccess.withKeys(common, makes: true) { identity in
                try await identity.createKey(
                    role: role.role, userID: user, scopes: scope, label: label,
                    expiresAt: expiresIn.map { Date(timeIntervalSinceNow: $0.seconds) })
            }
            try Terminal.data(made.secret)
            Terminal.error("the key is shown this once; “pathlight keys revoke \(made.record.id)” ends it")
        }
    }

    /// `pathlight keys list`
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists the keys, without their secrets.")

        @Flag(help: "Print one JSON document.")
        var json = false

        @OptionGroup var common: CommonOptions

        func run() async throws {
            let keys = try await IdentityAccess.withKeys(common) { identity in
                try await IdentityAccess.all { try await identity.listKeys(skip: $0, limit: $1) }
            }
            let now = Date()
            if json { return try IdentityAccess.print(keys) { APIKeyWriter.write($1, now: now, to: &$0) } }
            guard !keys.isEmpty else {
                return Terminal.error("there are no keys; “pathlight keys create --role admin” makes one")
            }
            try Terminal.data(keys.map { Self.line($0, now: now) }.joined(separator: "\n"))
        }

        /// Id, role, state, user and label, with tabs between them.
        private static func line(_ key: APIKeyRecord, now: Date) -> String {
            let state: String
            if let date = key.revokedAt {
                state = "revoked \(ISO8601.string(from: date))"
            } else if let date = key.expiresAt {
                state = "\(date <= now ? "ended" : "until") \(ISO8601.string(from: date))"
            } else {
                state = "active"
            }
            let scopes = key.scopes.isEmpty ? "" : key.scopes.joined(separator: ",")
            return [key.id, key.role, state, key.userID ?? "", scopes, key.label ?? ""].joined(separator: "\t")
        }
    }

    /// `pathlight keys revoke ID`
    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Revokes a key, at once and for good.")

        @Argument(help: "The key's id, which is the 16 characters between its underscores.")
        var id: String

        @OptionGroup var common: CommonOptions

        func run() async throws {
            try await IdentityAccess.withKeys(common) { try await $0.revokeKey(id: id) }
            Terminal.error("the key is revoked")
        }
    }
}
