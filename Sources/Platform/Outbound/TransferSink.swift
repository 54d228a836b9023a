/// What curl's callbacks of one transfer write to and read from, on the engine's thread alone.
///
/// No error passes through C: what is wrong is remembered here, and curl is told to stop.
final class TransferSink {
    private let maximumBytes: Int
    private let hasBody: Bool
    private let message: [UInt8]
    private var messageOffset = 0
    private let addressGuard: AddressGuard
    let lifeline: SocketLifeline?

    private(set) var head = ResponseHead()
    private(set) var body: [UInt8] = []
    private(set) var dialogue = SMTPDialogue()
    /// Why a callback made curl stop.
    private(set) var failure: OutboundError?
    /// Why no socket was opened for an address. Others of the same name may have been.
    private(set) var objection: String?

    init(_ plan: TransferPlan) {
        addressGuard = plan.addressGuard
        lifeline = plan.lifeline
        switch plan.work {
        case .exchange(let exchange):
            maximumBytes = exchange.maximumBytes
            hasBody = exchange.method != "HEAD"
            message = []
        case .delivery(let delivery):
            maximumBytes = 0
            hasBody = false
            message = delivery.message
            dialogue = SMTPDialogue(recipients: delivery.recipients.count)
        }
    }

    /// - Returns: whether to go on.
    func takeHead(_ line: UnsafeRawBufferPointer) -> Bool {
        do throws(OutboundError) {
            try unsafe head.take(line)
        } catch {
            return stop(error)
        }
        // Known before the first byte comes.
        if hasBody, (200..<300).contains(head.status), let length = head.contentLength, length > maximumBytes {
            return stop(Self.tooLarge(maximumBytes))
        }
        return true
    }

    /// Takes a piece of the body, decompressed: a bomb comes in small pieces and is cut here.
    func takeBody(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard bytes.count <= maximumBytes - body.count else { return stop(Self.tooLarge(maximumBytes)) }
        // SAFETY: the bytes are curl's for the length of the callback, and copied.
        unsafe body.append(contentsOf: bytes)
        return true
    }

    /// Writes the next bytes of the message into `room` and returns how many; 0 is the end.
    func giveMessage(_ room: UnsafeMutableRawBufferPointer) -> Int {
        let count = min(room.count, message.count - messageOffset)
        // SAFETY: `count` bytes are there on both sides.
        unsafe room.copyBytes(from: message[messageOffset..<messageOffset + count])
        messageOffset += count
        return count
    }

    /// Whether a socket may be opened to `address`, nil being none of the internet's.
    func admits(_ address: IPAddress?) -> Bool {
        guard let address else {
            objection = "the address is none of the internet's"
            return false
        }
        guard let found = addressGuard.objection(to: address) else { return true }
        objection = found
        return false
    }

    /// Whether a request may go out on a connection to `address`, which may be one that an earlier transfer opened.
    func admitsConnection(to address: IPAddress?) -> Bool {
        guard !admits(address) else { return true }
        return stop(OutboundError(.forbiddenAddress, objection ?? "the address is forbidden"))
    }

    func sent(_ line: UnsafeRawBufferPointer) {
        unsafe dialogue.sent(line)
        // curl would wait for the farewell, and everything else with it.
        if dialogue.isQuitting { lifeline?.stopReading() }
    }

    func received(_ line: UnsafeRawBufferPointer) { unsafe dialogue.received(line) }

    private func stop(_ error: OutboundError) -> Bool {
        failure = failure ?? error
        return false
    }

    private static func tooLarge(_ maximum: Int) -> OutboundError {
        OutboundError(.tooLarge, "the body is larger than the \(maximum) bytes allowed")
    }
}
