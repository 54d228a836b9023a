import Foundation
import Store
import Testing

struct FirstAdminLinkTests {
    @Test(arguments: DriverUnderTest.all)
    func `a link holds until it is used, has ended, or somebody administers`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let clock = TestClock()
            let links = SignInLinkRepository(database, clock: clock.read)
            let keys = APIKeyRepository(database, clock: clock.read)
            #expect(try await links.holdsForFirstAdmin(hash: "a") == false)
            #expect(try await links.hasAdministrator() == false)

            #expect(try await links.createForFirstAdmin(hash: "a", expiresAt: clock.now + 60))
            #expect(try await links.holdsForFirstAdmin(hash: "a"))
            #expect(try await links.holdsForFirstAdmin(hash: "a"), "looking uses nothing up")
            #expect(try await links.take(hash: "a") != nil)
            #expect(try await links.holdsForFirstAdmin(hash: "a") == false)

            #expect(try await links.createForFirstAdmin(hash: "b", expiresAt: clock.now + 60))
            clock.advance(by: 60)
            #expect(try await links.holdsForFirstAdmin(hash: "b") == false)

            #expect(try await links.createForFirstAdmin(hash: "c", expiresAt: clock.now + 60))
            try await keys.create(
                APIKeyRecord(
                    id: "k", userID: nil, role: "admin", scopes: [], label: nil, salt: [1], hash: [2],
                    createdAt: clock.now, expiresAt: nil))
            #expect(try await links.hasAdministrator())
            #expect(try await links.holdsForFirstAdmin(hash: "c") == false)
            // Taken back for good, and not only while there is the key.
            #expect(try await keys.revoke(id: "k"))
            #expect(try await links.take(hash: "c") == nil)
        }
    }
}
