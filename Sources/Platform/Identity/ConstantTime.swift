/// Comparison whose time tells nothing of where two secrets differ.
enum ConstantTime {
    /// Whether two sequences of bytes are the same. Their lengths are no secret.
    @inline(never)
    static func areEqual(_ first: [UInt8], _ second: [UInt8]) -> Bool {
        guard first.count == second.count else { return false }
        var difference: UInt8 = 0
        for position in first.indices { difference |= first[position] ^ second[position] }
        return difference == 0
    }
}
