internal import ArgumentParser
internal import Foundation
internal import Platform
internal import Store

/// `pathlight mail suppressed`: which addresses get no mail, and why.
struct MailSuppressedCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "suppressed", abstract: "Lists the addresses that get no mail, newest first.",
        discussion: "Addresses are stored as an index that cannot be turned back; --address looks for one.")

    @Option(help: "Only what is remembered of this address: name@example.org.")
    var address: String?

    @Option(help: "Only these: bounced, complaint or unsubscribed.")
    var reason: MailSuppressionReason?

    @Option(parsing: .unconditional, help: "How many entries to show at most.")
    var limit = 50

    @Option(parsing: .unconditional, help: "How many entries to leave out before.")
    var skip = 0

    @Flag(help: "Print one JSON document.")
    var json = false

    @OptionGroup var common: CommonOptions

    func validate() throws {
        guard (1...1_000).contains(limit), (0...Int(Int32.max)).contains(skip) else {
            throw ValidationError("--limit must be from 1 to 1000, and --skip from 0 to \(Int32.max)")
        }
    }

    func run() async throws {
        let address = try address.map(MailLiftCommand.canonical)
        let (items, total) = try await MailAccess.with(common, opensKeys: address != nil) { access in
            try await access.suppressions.page(skip: skip, limit: limit, reason: reason, of: address)
        }
        if json {
            var writer = JSONWriter()
            writer.object { writer in
                writer.field("items", arrayOf: items) { writer, entry in MailSuppressionWriter.write(entry, to: &writer)
                }
                writer.field("total", total)
                writer.field("skip", skip)
                writer.field("limit", limit)
            }
            return try Terminal.data(String(decoding: writer.finishBytes(), as: UTF8.self))
        }
        for item in items {
            let columns = [
                item.addressIndex, item.reason.rawValue, item.list ?? "every list", item.detail ?? "",
                SQLTime.text(of: item.createdAt),
            ]
            try Terminal.data(columns.joined(separator: "\t"))
        }
        Terminal.error("\(items.count) of \(total) entries")
    }
}

extension MailSuppressionReason: ExpressibleByArgument {}

/// `pathlight mail lift ADDRESS`: has an address get mail again.
struct MailLiftCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lift", abstract: "Has an address get mail again.",
        discussion: """
            Lifts what concerns every list; what somebody left themselves is lifted with --list. --all forgets every entry \
            without looking at any, for a database whose index key is lost.
            """)

    @Argument(help: "The address: name@example.org.")
    var address: String?

    @Option(help: "The list that the address left, in place of what concerns every list.")
    var list: String?

    @Option(help: "Only this: bounced, complaint or unsubscribed.")
    var reason: MailSuppressionReason?

    @Flag(help: "Every entry of every address.")
    var all = false

    @Flag(help: "Do not ask first.")
    var yes = false

    @OptionGroup var common: CommonOptions

    func validate() throws {
        guard all != (address != nil), !all || list == nil && reason == nil else {
            throw ValidationError("give either an address or --all by itself")
        }
        if let address { _ = try Self.canonical(address) }
    }

    func run() async throws {
        guard let address else { return try await liftAll() }
        let canonical = try Self.canonical(address)
        let lifted = try await MailAccess.with(common) { access in
            var lifted: [String] = []
            for reason in reason.map({ [$0] }) ?? MailSuppressionReason.allCases
            where try await access.suppressions.lift(canonical, list: list, reason: reason) {
                lifted.append(reason.rawValue)
            }
            return lifted
        }
        guard !lifted.isEmpty else {
            throw StartProblem(
                "nothing of the kind keeps mail from that address; “pathlight mail suppressed --address” tells")
        }
        try Terminal.data("lifted: \(lifted.joined(separator: ", "))")
    }

    private func liftAll() async throws {
        if !yes {
            guard isatty(STDIN_FILENO) == 1 else {
                throw ValidationError("--yes is needed where nobody can be asked; nothing was lifted")
            }
            Terminal.error("Who left a list would get its mail again. This cannot be undone. Type “all” to go on:")
            guard readLine() == "all" else { throw StartProblem("nothing was lifted") }
        }
        let count = try await MailAccess.with(common, opensKeys: false) { try await $0.suppressions.removeAll() }
        try Terminal.data("lifted: \(count)")
    }

    /// - Throws: `ValidationError` for what is no address.
    static func canonical(_ address: String) throws -> String {
        do {
            return try MailAddress(parsing: address).canonical
        } catch {
            throw ValidationError("\(error)")
        }
    }
}

/// An address that gets no mail as replies and `pathlight mail suppressed --json` show it.
enum MailSuppressionWriter {
    static func write(_ entry: MailSuppression, to json: inout JSONWriter) {
        json.object { json in
            json.field("id", entry.addressIndex)
            json.field("reason", entry.reason.rawValue)
            json.field("list", entry.list)
            json.field("detail", entry.detail)
            json.field("created_at", entry.createdAt)
        }
    }
}
