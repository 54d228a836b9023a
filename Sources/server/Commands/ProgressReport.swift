internal import Foundation
internal import Synchronization

/// Tells on standard error how far long work is: a bar on a terminal, plain lines elsewhere.
final class ProgressReport: Sendable {
    private struct State {
        var lastPercent = -1
        var lastTime = ContinuousClock.now - .seconds(10)
        var isOpen = false
    }

    private let title: String
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private let state = Mutex(State())

    init(_ title: String) { self.title = title }

    func update(_ done: Int, of total: Int) {
        let percent = total > 0 ? done * 100 / total : 100
        state.withLock { state in
            let now = ContinuousClock.now
            // A file is read later by somebody: a line every few seconds says enough.
            let isDue = isTerminal ? percent != state.lastPercent : now - state.lastTime >= .seconds(5)
            guard isDue || done == total, percent != state.lastPercent else { return }
            state.lastPercent = percent
            state.lastTime = now
            if isTerminal {
                let filled = percent * 30 / 100
                let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: 30 - filled)
                write("\r\(title) \(bar) \(done)/\(total)\(done == total ? "\n" : "")")
                state.isOpen = done != total
            } else {
                write("\(title): \(done) of \(total)\n")
            }
        }
    }

    /// Ends a bar that did not come to its end, so that the next line begins at its beginning.
    func end() {
        state.withLock { state in
            if state.isOpen { write("\n") }
            state.isOpen = false
        }
    }

    private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
