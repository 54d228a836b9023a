import Store
import Testing
import server

struct RepeatedRunsTests {
    private struct Mishap: Error {}

    @Test func `each run follows what it builds on, and what fails keeps nothing else from its turn`() async throws {
        let (done, problems, times) = (Guarded<[String]>([]), Guarded(0), Guarded<[ContinuousClock.Instant]>([]))
        let began = ContinuousClock.now
        await #expect(throws: CancellationError.self) {
            try await RepeatedRuns.run(
                every: .seconds(60),
                before: [
                    {
                        done.withLock { $0.append("follow") }
                        throw Mishap()
                    },
                    { done.withLock { $0.append("complete") } },
                ],
                sleep: { time in
                    times.withLock { $0.append(time) }
                    if times.withLock({ $0.count }) == 2 { throw CancellationError() }
                },
                problem: { error in
                    #expect(error is Mishap)
                    problems.withLock { $0 += 1 }
                },
                run: {
                    done.withLock { $0.append("run") }
                    throw Mishap()
                })
        }
        #expect(done.withLock { $0 } == ["follow", "complete", "run", "follow", "complete", "run"])
        #expect(problems.withLock { $0 } == 4)
        #expect(times.withLock { $0 }.allSatisfy { $0 >= began + .seconds(60) })
    }

    @Test func `who is told to stop does not run once more`() async throws {
        let isRun = Guarded(false)
        await #expect(throws: CancellationError.self) {
            try await RepeatedRuns.run(
                every: .seconds(60), before: [{ throw CancellationError() }], problem: { _ in },
                run: { isRun.withLock { $0 = true } })
        }
        #expect(!isRun.withLock { $0 })
    }
}
