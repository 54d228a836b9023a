import Foundation
import Store
import Testing

/// What every driver promises about transactions.
struct TransactionTests {
    @Test(arguments: DriverUnderTest.all)
    func `a write is kept and seen by later reads`(driver: DriverUnderTest) async throws {
        try await driver.withTable { database in
            try await database.insert(1, value: "one")
            #expect(try await database.ids() == [1])
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `a body that throws leaves nothing behind and its error comes through`(driver: DriverUnderTest) async throws {
        try await driver.withTable { database in
            await #expect(throws: Refusal()) {
                try await database.write { connection in
                    try connection.execute("INSERT INTO t (id) VALUES (1)")
                    try connection.execute("INSERT INTO t (id) VALUES (2)")
                    throw Refusal()
                }
            }
            let ids = try await database.ids()
            #expect(ids.isEmpty)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `a body sees its own changes`(driver: DriverUnderTest) async throws {
        try await driver.withTable { database in
            let seen = try await database.write { connection in
                try connection.execute("INSERT INTO t (id) VALUES (7)")
                return try connection.query("SELECT id FROM t").map { try $0.integer("id") }
            }
            #expect(seen == [7])
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `a savepoint that fails undoes itself alone`(driver: DriverUnderTest) async throws {
        try await driver.withTable { database in
            try await database.write { connection in
                try connection.execute("INSERT INTO t (id) VALUES (1)")
                do {
                    try connection.savepoint {
                        try connection.execute("INSERT INTO t (id) VALUES (2)")
                        throw Refusal()
                    }
                } catch is Refusal {}
                try connection.savepoint {
                    try connection.execute("INSERT INTO t (id) VALUES (3)")
                    try? connection.savepoint {
                        try connection.execute("INSERT INTO t (id) VALUES (4)")
                        // A failed statement, not only an error of the body.
                        try connection.execute("INSERT INTO t (id) VALUES (1)")
                    }
                }
            }
            #expect(try await database.ids() == [1, 3])
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `after a failed statement nothing more runs`(driver: DriverUnderTest) async throws {
        try await driver.withTable { database in
            try await database.insert(1)
            let codes = Guarded<[StoreError.Code]>([])
            await expectError(.transactionAborted) {
                try await database.write { connection in
                    try connection.execute("INSERT INTO t (id) VALUES (2)")
                    for id in [1, 3] as [Int64] {
                        do {
                            try connection.execute("INSERT INTO t (id) VALUES (?)", [.integer(id)])
                        } catch let error as StoreError {
                            codes.withLock { $0.append(error.code) }
                        }
                    }
                    // Both failures were caught; the transaction is lost all the same.
                }
            }
            #expect(codes.withLock { $0 } == [.uniqueViolation, .transactionAborted])
            #expect(try await database.ids() == [1])
            try await database.insert(2)
            #expect(try await database.ids() == [1, 2])
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `sixteen writers at once lose nothing`(driver: DriverUnderTest) async throws {
        try await driver.withTable { database in
            let writers = 16
            let each = 50
            try await withThrowingTaskGroup(of: Void.self) { group in
                for writer in 0..<writers {
                    group.addTask {
                        for index in 0..<each {
                            let id = Int64(writer * each + index)
                            try await database.insert(id)
                            let isThere = try await database.read { connection in
                                try connection.first("SELECT id FROM t WHERE id = ?", [.integer(id)]) != nil
                            }
                            #expect(isThere, "row \(id) was confirmed and is not there")
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await database.ids() == (0..<Int64(writers * each)).map { $0 })
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `among concurrent writers only those that fail are undone`(driver: DriverUnderTest) async throws {
        try await driver.withTable { database in
            let refused = try await withThrowingTaskGroup(of: Int64?.self) { group in
                for id in 0..<200 as Range<Int64> {
                    group.addTask {
                        do {
                            try await database.write { connection in
                                try connection.execute("INSERT INTO t (id) VALUES (?)", [.integer(id)])
                                // By an error of the body and by a failed statement, in turn.
                                if id % 3 == 1 { throw Refusal() }
                                if id % 3 == 2 {
                                    try connection.execute("INSERT INTO t (id) VALUES (?)", [.integer(id)])
                                }
                            }
                            return nil
                        } catch {
                            return id
                        }
                    }
                }
                return try await group.reduce(into: Set<Int64>()) { refused, id in
                    if let id { refused.insert(id) }
                }
            }
            #expect(refused == Set((0..<200).filter { $0 % 3 != 0 }))
            #expect(try await database.ids() == (0..<200).filter { $0 % 3 == 0 })
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `read-modify-write by many loses no update`(driver: DriverUnderTest) async throws {
        try await driver.withTable { database in
            try await database.insert(1, value: "0")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<100 {
                    group.addTask {
                        try await database.write { connection in
                            let row = try connection.first("SELECT value FROM t WHERE id = 1")
                            let next = (Int(try row?.text("value") ?? "") ?? 0) + 1
                            try connection.execute("UPDATE t SET value = ? WHERE id = 1", [.text(String(next))])
                        }
                    }
                }
                try await group.waitForAll()
            }
            let total = try await database.read { try $0.first("SELECT value FROM t WHERE id = 1")?.text("value") }
            #expect(total == "100")
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `a reader cannot write`(driver: DriverUnderTest) async throws {
        try await driver.withTable { database in
            await expectError(.readOnly) {
                _ = try await database.read { try $0.execute("INSERT INTO t (id) VALUES (1)") }
            }
            let ids = try await database.ids()
            #expect(ids.isEmpty)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `a reader sees one state from beginning to end`(driver: DriverUnderTest) async throws {
        try await driver.withTable { database in
            try await database.insert(1)
            let hasRead = DispatchSemaphore(value: 0)
            let hasWritten = DispatchSemaphore(value: 0)
            async let counts = database.read { connection in
                let before = try connection.query("SELECT id FROM t").count
                hasRead.signal()
                hasWritten.wait()
                return [before, try connection.query("SELECT id FROM t").count]
            }
            try await database.write { connection in
                hasRead.wait()
                try connection.execute("INSERT INTO t (id) VALUES (2)")
            }
            hasWritten.signal()
            #expect(try await counts == [1, 1])
            #expect(try await database.ids() == [1, 2])
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `a cancelled task does not begin to write`(driver: DriverUnderTest) async throws {
        try await driver.withTable { database in
            let task = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                try await database.insert(1)
            }
            await #expect(throws: CancellationError.self) { try await task.value }
            let ids = try await database.ids()
            #expect(ids.isEmpty)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `closing finishes what waits and refuses what comes later`(driver: DriverUnderTest) async throws {
        try await driver.withTable { database in
            await withTaskGroup(of: Void.self) { group in
                for id in 0..<50 as Range<Int64> {
                    group.addTask {
                        do {
                            try await database.insert(id)
                        } catch {
                            #expect((error as? StoreError)?.code == .closed, "\(error)")
                        }
                    }
                }
                group.addTask {
                    do { try await database.close() } catch { Issue.record(error) }
                }
            }
            await expectError(.closed) { try await database.insert(99) }
            await expectError(.closed) { _ = try await database.ids() }
            try await database.close()
        }
    }
}
