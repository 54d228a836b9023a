import Engine
import Store
import Testing
import server

struct CatalogueWatchTests {
    @Test func `a problem is news once, until it is another one or was mended`() {
        var problems = StandingProblems()
        #expect(problems.summary == nil)
        let first = [problems.note("a", in: .embedding), problems.note("a", in: .embedding)]
        #expect(first == [true, false] && problems.summary == "a")
        let second = [problems.note("b", in: .following), problems.note("a", in: .embedding)]
        #expect(second == [true, false] && problems.summary == "b; a")
        let third = problems.note("c", in: .following)
        #expect(third && problems.summary == "c; a")
        let mended = [problems.mended(.following), problems.mended(.following)]
        #expect(mended == ["c", nil] && problems.summary == "a")
        let again = problems.note("c", in: .following)
        #expect(again)
    }

    @Test func `what everybody reads of a failing store names no place`() {
        let place = "/srv/data/pathlight.db"
        let broken = StoreError(
            .damaged, "the database file is damaged", location: place, cause: "SQLite 11: malformed")
        #expect(StandingProblems.words(for: broken, of: place) == "the database file is damaged")
        let career = CatalogueError.damaged(what: "the career “nurse”", location: place, problem: "\(broken)")
        let words = StandingProblems.words(for: career, of: place)
        #expect(words.hasPrefix("the career “nurse” in the database is damaged") && !words.contains("/srv"), "\(words)")
    }

    @Test func `attempts grow seldom, up to a limit`() {
        var retry = RetrySchedule()
        var now = ContinuousClock.now
        #expect(retry.isDue(at: now, revision: 1))
        for seconds in [2, 4, 8, 16, 32, 64, 128, 256, 300, 300] + Array(repeating: 300, count: 60) {
            retry.failed(at: now, revision: 1)
            #expect(!retry.isDue(at: now + .seconds(seconds) - .milliseconds(1), revision: 1))
            now += .seconds(seconds)
            #expect(retry.isDue(at: now, revision: 1))
        }
        retry.failed(at: now, revision: 1, longest: .seconds(10))
        #expect(!retry.isDue(at: now + .seconds(9), revision: 1) && retry.isDue(at: now + .seconds(10), revision: 1))
        retry.succeeded()
        #expect(retry.isDue(at: now, revision: 1))
    }

    @Test func `another state of the catalogue is tried at once`() {
        var retry = RetrySchedule()
        let now = ContinuousClock.now
        for _ in 0..<5 { retry.failed(at: now, revision: 1) }
        #expect(!retry.isDue(at: now, revision: 1) && retry.isDue(at: now, revision: 2))
        // And is as patient as the first was.
        retry.failed(at: now, revision: 2)
        #expect(!retry.isDue(at: now + .seconds(1), revision: 2) && retry.isDue(at: now + .seconds(2), revision: 2))
        // What cannot be read at all is no change.
        retry.failed(at: now, revision: nil)
        #expect(!retry.isDue(at: now + .seconds(1), revision: nil))
    }
}
