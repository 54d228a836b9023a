import Foundation
import Platform
import Store
import TestSupport
import Testing

struct PriceTableTests {
    @Test func `a price is exact to the billionth of a dollar`() {
        let table = PriceTable.standard
        let (price, isListed) = table.price(of: "gpt-4o-mini")
        #expect(isListed && price == ModelPrice(input: 150_000, output: 600_000))
        #expect(price.cost(of: LLMUsage(inputTokens: 1_000_000, outputTokens: 0)) == 150_000_000)
        #expect(price.cost(of: LLMUsage(inputTokens: 1, outputTokens: 1)) == 750)
        #expect(ModelPrice(input: 1, output: 0).cost(of: LLMUsage(inputTokens: 1, outputTokens: 0)) == 1)
        let dearest = ModelPrice(input: .max, output: .max)
        #expect(dearest.cost(of: LLMUsage(inputTokens: .max, outputTokens: .max)) == ModelPrice.maximumCost)
    }

    @Test func `every built-in price is read`() {
        let entries = PriceTable.builtIn.split(separator: ",").count
        #expect(PriceTable.standard.prices.count == entries && entries > 10)
    }

    @Test func `versions have their family's price, and other models do not`() {
        let table = PriceTable.standard
        #expect(table.price(of: "gpt-4o-mini-2024-07-18").price == table.price(of: "gpt-4o-mini").price)
        #expect(table.price(of: "models/gemini-2.5-flash").price == table.price(of: "gemini-2.5-flash").price)
        #expect(table.price(of: "gpt-4o-audio-preview").isListed == false)
        #expect(table.price(of: "llama-3") == (table.fallback, false))
    }

    @Test func `settings replace and add prices`() throws {
        let table = try PriceTable.standard.adding(" gpt-4o-mini = 0.2/0.7 , local=0/0,*=1/2,").get()
        #expect(table.price(of: "gpt-4o-mini").price == ModelPrice(input: 200_000, output: 700_000))
        #expect(table.price(of: "local") == (ModelPrice(input: 0, output: 0), true))
        #expect(table.price(of: "other").price == ModelPrice(input: 1_000_000, output: 2_000_000))
    }

    @Test(arguments: ["gpt", "gpt=1", "gpt=1/", "gpt=1/2/3", "=1/2", "gpt=-1/2", "gpt=1e3/2", "gpt=1/0.1234567"])
    func `what is no price is named`(text: String) {
        #expect(throws: PriceTable.Problem.self) { try PriceTable.standard.adding(text).get() }
    }

    @Test(arguments: [
        ("0", 0), ("2", 2_000_000_000), ("1.32", 1_320_000_000), ("0.000000001", 1), ("1000000", 1_000_000_000_000_000),
    ])
    func `amounts are read and written`(text: String, amount: Int64) {
        #expect(USD.nanodollars(of: text) == amount)
        #expect(USD.nanodollars(of: USD.decimal(nanodollars: amount)) == amount)
    }

    @Test(arguments: ["", ".", "1.", ".5", "1.2.3", "+1", " 1", "1,5", "1000001", "0.0000000001", "١"])
    func `other forms of amounts are refused`(text: String) {
        #expect(USD.nanodollars(of: text) == nil)
    }
}

struct RetryAfterTests {
    private let now = Date(timeIntervalSince1970: 784_111_777)

    @Test(arguments: [
        ("0", 0), ("120", 120), (" 7 ", 7), ("Sun, 06 Nov 1994 08:49:47 GMT", 10), ("Sun, 06 Nov 1994 08:49:37 GMT", 0),
        ("Sun Nov  6 08:50:37 1994", 60), ("Sat, 05 Nov 1994 08:49:37 GMT", 0),
    ])
    func `seconds and dates are read`(value: String, seconds: Int) {
        #expect(RetryAfter.duration(value, now: now) == .seconds(seconds))
    }

    /// RFC 9110, 5.6.7: one that would be more than 50 years ahead is of the past.
    @Test(arguments: [
        ("Thursday, 26-Feb-26 09:30:05 GMT", 5), ("Sunday, 06-Nov-94 08:49:37 GMT", 0),
        ("Friday, 26-Feb-77 09:30:00 GMT", 0), ("Saturday, 26-Feb-00 09:30:00 GMT", 0),
        ("Wednesday, 26-Feb-76 09:30:00 GMT", 999_999_999),
    ])
    func `a year of two digits is the latest that is not more than 50 years ahead`(value: String, seconds: Int) throws {
        let now = Date(timeIntervalSince1970: 1_772_098_200)
        let wait = try #require(RetryAfter.duration(value, now: now))
        #expect(min(wait, .seconds(999_999_999)) == .seconds(seconds))
    }

    @Test(arguments: [
        "", "soon", "-1", "1.5", "Sun, 31 Feb 2026 08:49:37 GMT", "Sun, 06 Nov 1994 25:00:00 GMT",
        "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 06 Foo 1994 08:49:37 GMT", "1994-11-06T08:49:37Z",
    ])
    func `anything else is nothing`(value: String) {
        #expect(RetryAfter.duration(value, now: now) == nil)
    }

    @Test func `no text does harm`() {
        var generator = SeededGenerator()
        let pieces = ["Sun", ",", " ", "-", ":", "06", "Nov", "1994", "94", "GMT", "0", "99999999999999999999", "é"]
        for _ in 0..<5000 {
            let count = Int.random(in: 0...10, using: &generator)
            let text = (0..<count).map { _ in pieces.randomElement(using: &generator) ?? "" }
            let wait = RetryAfter.duration(text.joined(), now: now) ?? .zero
            #expect(wait >= .zero, "\(generator)")
        }
    }
}

struct CircuitBreakerTests {
    private let start = ContinuousClock.Instant.now

    private func opened() -> CircuitBreaker {
        var breaker = CircuitBreaker(failureLimit: 2, pause: .seconds(10))
        for _ in 0..<2 {
            guard case .admitted(let ticket) = breaker.admit(at: start) else { continue }
            breaker.failed(ticket, at: start)
        }
        return breaker
    }

    private func ticket(
        _ breaker: inout CircuitBreaker, at time: ContinuousClock.Instant
    ) throws -> CircuitBreaker.Ticket {
        guard case .admitted(let ticket) = breaker.admit(at: time) else { throw CancellationError() }
        return ticket
    }

    @Test func `failures in a row open it, others do not`() throws {
        var breaker = CircuitBreaker(failureLimit: 2, pause: .seconds(10))
        for _ in 0..<5 {
            breaker.failed(try ticket(&breaker, at: start), at: start)
            breaker.succeeded(try ticket(&breaker, at: start))
        }
        #expect(breaker.state(at: start) == .closed)
        #expect(opened().state(at: start) == .open)
    }

    @Test func `it refuses for its pause and then tries one`() throws {
        var breaker = opened()
        #expect(breaker.admit(at: start + .seconds(4)) == .refused(retryAfter: .seconds(6)))
        let probe = try ticket(&breaker, at: start + .seconds(10))
        #expect(breaker.state(at: start + .seconds(10)) == .halfOpen)
        #expect(breaker.admit(at: start + .seconds(10)) == .refused(retryAfter: .seconds(1)))
        breaker.succeeded(probe)
        #expect(breaker.state(at: start + .seconds(10)) == .closed)
    }

    @Test func `a trial that fails opens it again, and one that is abandoned lets another try`() throws {
        var breaker = opened()
        let later = start + .seconds(10)
        breaker.abandoned(try ticket(&breaker, at: later))
        breaker.failed(try ticket(&breaker, at: later), at: later)
        #expect(breaker.state(at: later) == .open)
        #expect(breaker.refusal(at: later) == .seconds(10))
    }

    @Test func `the results of calls from before change nothing`() throws {
        var breaker = CircuitBreaker(failureLimit: 1, pause: .seconds(10))
        let (old, other) = (try ticket(&breaker, at: start), try ticket(&breaker, at: start))
        breaker.failed(old, at: start)
        breaker.succeeded(other)
        #expect(breaker.state(at: start) == .open)
        let probe = try ticket(&breaker, at: start + .seconds(10))
        breaker.failed(other, at: start + .seconds(10))
        breaker.succeeded(probe)
        #expect(breaker.state(at: start + .seconds(10)) == .closed)
    }

    @Test func `whatever happens it comes back`() throws {
        var generator = SeededGenerator()
        for _ in 0..<200 {
            var breaker = CircuitBreaker(failureLimit: 3, pause: .seconds(5))
            var now = start
            var tickets: [CircuitBreaker.Ticket] = []
            for _ in 0..<100 {
                switch Int.random(in: 0..<5, using: &generator) {
                case 0: now = now + .seconds(Int.random(in: 0...6, using: &generator))
                case 1: if case .admitted(let ticket) = breaker.admit(at: now) { tickets.append(ticket) }
                case 2: if let ticket = tickets.popLast() { breaker.succeeded(ticket) }
                case 3: if let ticket = tickets.popLast() { breaker.failed(ticket, at: now) }
                default: if let ticket = tickets.popLast() { breaker.abandoned(ticket) }
                }
            }
            for ticket in tickets { breaker.abandoned(ticket) }
            now = now + .seconds(5)
            breaker.succeeded(try ticket(&breaker, at: now))
            #expect(breaker.state(at: now) == .closed, "\(generator)")
        }
    }
}

struct CallSlotsTests {
    @Test func `those who wait come in their order`() async throws {
        let slots = CallSlots(count: 1, maximumWaiting: 10)
        #expect(await slots.acquire() == .acquired)
        let order = Guarded<[Int]>([])
        var tasks: [Task<Void, Never>] = []
        for number in 0..<5 {
            tasks.append(
                Task {
                    _ = await slots.acquire()
                    order.withLock { $0.append(number) }
                    slots.release()
                })
            while slots.waiting <= number { await Task.yield() }
        }
        slots.release()
        for task in tasks { await task.value }
        #expect(order.withLock { $0 } == [0, 1, 2, 3, 4])
        #expect(slots.inUse == 0)
    }

    @Test func `who is cancelled leaves the line`() async {
        let slots = CallSlots(count: 1, maximumWaiting: 10)
        _ = await slots.acquire()
        let waiter = Task { await slots.acquire() }
        while slots.waiting == 0 { await Task.yield() }
        waiter.cancel()
        #expect(await waiter.value == .cancelled)
        #expect(slots.waiting == 0)
        slots.release()
        #expect(await slots.acquire() == .acquired)
    }

    @Test func `no slot is lost, whoever gives up when`() async {
        let slots = CallSlots(count: 3, maximumWaiting: 1000)
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<300 {
                group.addTask {
                    let task = Task {
                        guard await slots.acquire() == .acquired else { return }
                        await Task.yield()
                        slots.release()
                    }
                    if number.isMultiple(of: 3) { task.cancel() }
                    await task.value
                }
            }
        }
        #expect(slots.inUse == 0 && slots.waiting == 0)
    }

    @Test func `who rests counts among those who wait, and comes back in turn`() async {
        let slots = CallSlots(count: 1, maximumWaiting: 1)
        #expect(await slots.acquire() == .acquired)
        #expect(slots.rest())
        #expect(slots.inUse == 0 && slots.waiting == 1)
        #expect(await slots.acquire() == .acquired)
        #expect(!slots.rest(), "as many wait as may")
        #expect(await slots.acquire() == .full)
        let back = Task { await slots.acquire(isBack: true) }
        slots.release()
        #expect(await back.value == .acquired)
        #expect(slots.inUse == 1 && slots.waiting == 0)
        #expect(slots.rest())
        slots.leave()
        #expect(slots.inUse == 0 && slots.waiting == 0)
    }

    @Test func `who comes reckons with what those before it take`() async {
        func pace(_ mean: Duration) -> CallPace {
            var pace = CallPace()
            pace.note(mean, isWhole: true)
            return pace
        }
        let (answer, search) = (pace(.seconds(20)), pace(.milliseconds(300)))
        let slots = CallSlots(count: 1, maximumWaiting: 10)
        #expect(await slots.acquire(pace: answer) == .acquired)
        #expect(await slots.acquire(of: .milliseconds(1500), pace: search) == .tooLate)
        slots.release(pace: answer)
        #expect(await slots.acquire(pace: search) == .acquired)
        // Behind another search there is time for both.
        let second = Task { await slots.acquire(of: .milliseconds(1500), pace: search) }
        while slots.waiting < 1 { await Task.yield() }
        let third = Task { await slots.acquire(of: .seconds(25), pace: answer) }
        while slots.waiting < 2 { await Task.yield() }
        #expect(await slots.acquire(of: .milliseconds(1500), pace: search) == .tooLate)
        slots.release(pace: search)
        #expect(await second.value == .acquired)
        slots.release(pace: search)
        #expect(await third.value == .acquired)
        slots.release(pace: answer)
        #expect(slots.inUse == 0 && slots.waiting == 0)
    }
}
