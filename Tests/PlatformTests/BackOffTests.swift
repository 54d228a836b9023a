import Platform
import Testing

struct BackOffTests {
    private let backOff = BackOff(first: .seconds(1), longest: .seconds(10))

    @Test func `the bound doubles up to the longest`() {
        #expect((1...6).map { backOff.bound(afterFailures: $0) } == [1, 2, 4, 8, 10, 10].map { .seconds($0) })
        #expect(backOff.bound(afterFailures: 10_000) == .seconds(10))
    }

    @Test func `a wait lies between half of the bound and the bound`() {
        #expect(backOff.wait(afterFailures: 3, random: 0) == .seconds(2))
        #expect(backOff.wait(afterFailures: 3, random: 0.5) == .seconds(3))
        #expect(backOff.wait(afterFailures: 3, random: 0.999) < .seconds(4))
    }
}
