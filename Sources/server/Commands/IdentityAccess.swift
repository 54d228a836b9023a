internal import Foundation
internal import Platform
internal import Store

/// The accounts and keys of the data that a command's options name.
enum IdentityAccess {
    /// Runs `body` with the accounts' columns opened, as the service has them.
    ///
    /// - Parameter makes: whether a database is made where there is none, for what comes before the first start.
    static func withAccounts<Value>(
        _ common: CommonOptions, makes: Bool = false, _ body: (Identity) async throws -> Value
    ) async throws -> Value {
        try await PrivateAccess.with(common, makes: makes, makesKeys: true) { data in
            try await body(Identity(database: data.database, cipher: data.cipher))
        }
    }

    /// Runs `body` for keys alone. Nothing of a key is sealed, so that one can be revoked even where the ring is lost.
    ///
    /// - Parameter makes: whether a database is made where there is none, for what comes before the first start.
    static func withKeys<Value>(
        _ common: CommonOptions, makes: Bool = false, _ body: (Identity) async throws -> Value
    ) async throws -> Value {
        try await PrivateAccess.withDatabase(common, makes: makes) { _, database, _ in
            try await body(Identity(database: database, cipher: PlainColumns()))
        }
    }

    /// All of a list that comes in pages.
    static func all<Item>(
        _ page: (_ skip: Int, _ limit: Int) async throws -> (items: [Item], total: Int)
    ) async throws -> [Item] {
        var items: [Item] = []
        while true {
            let next = try await page(items.count, 500)
            items += next.items
            if next.items.isEmpty || items.count >= next.total { return items }
        }
    }

    /// Prints a list as one document of the form that the API's lists have.
    static func print<Item>(_ items: [Item], _ write: (inout JSONWriter, Item) -> Void) throws {
        var json = JSONWriter(capacity: 4_096 + 512 * items.count)
        json.object { json in
            json.field("items", arrayOf: items) { json, item in write(&json, item) }
            json.field("total", items.count)
        }
        try Terminal.data(Data(json.finishBytes()) + Data("\n".utf8))
    }
}
