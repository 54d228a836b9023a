internal import Dispatch

/// Where messages are encoded and files written: off the cooperative pool, one thing at a time.
enum MailWork {
    private static let queue = DispatchQueue(label: "pathlight.mail", qos: .utility)

    static func run<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: body()) }
        }
    }
}
