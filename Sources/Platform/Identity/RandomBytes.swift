/// Where random bytes come from, so that tests can say which.
package struct RandomBytes: Sendable {
    private let draw: @Sendable (_ count: Int) -> [UInt8]

    package init(_ draw: @escaping @Sendable (_ count: Int) -> [UInt8]) { self.draw = draw }

    package func callAsFunction(_ count: Int) -> [UInt8] {
        let bytes = draw(count)
        precondition(bytes.count == count, "as many random bytes as asked for")
        return bytes
    }

    /// The kernel's generator (getrandom on Linux), which is fit for keys.
    package static let system = RandomBytes { count in
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }
}
