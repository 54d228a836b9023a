/// A block of addresses in the form `10.0.0.0/8`; one address is a block of itself.
package struct AddressBlock: Sendable, Hashable {
    let base: IPAddress
    /// How many leading bits an address shares with `base`.
    let prefix: Int

    /// Reads `address` or `address/bits`; nil where it is neither, or where the address has bits beyond its prefix.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let base = IPAddress(String(first)) else { return nil }
        let width = base.width
        var prefix = width
        if parts.count == 2 {
            guard parts[1].utf8.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }), let bits = Int(parts[1]),
                bits <= width
            else { return nil }
            prefix = bits
        }
        self.init(base, prefix)
        // Somebody who writes 10.1.2.3/8 has meant something else.
        guard base.number & ~mask == 0 else { return nil }
    }

    init(_ base: IPAddress, _ prefix: Int) {
        self.base = base
        self.prefix = prefix
    }

    package func contains(_ address: IPAddress) -> Bool {
        address.width == base.width && address.number & mask == base.number
    }

    /// The leading `prefix` bits of the base's width. A shift by the whole width leaves nothing.
    private var mask: UInt128 {
        let all = base.width == 32 ? UInt128(UInt32.max) : UInt128.max
        return (all << UInt128(base.width - prefix)) & all
    }
}

extension AddressBlock: CustomStringConvertible {
    package var description: String { "\(base)/\(prefix)" }
}

extension IPAddress {
    /// Bits.
    var width: Int {
        switch self {
        case .v4: 32
        case .v6: 128
        }
    }

    var number: UInt128 {
        switch self {
        case .v4(let number): UInt128(number)
        case .v6(let number): number
        }
    }
}
