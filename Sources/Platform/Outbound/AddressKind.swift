/// What an address is for, by the registries of special-purpose addresses (IANA; RFC 6890 and its successors).
package enum AddressKind: String, Sendable, CaseIterable {
    case global
    case loopback
    /// RFC 1918, and site-local addresses of IPv6, which were the same.
    case privateUse = "private"
    case linkLocal = "link-local"
    /// RFC 4193.
    case uniqueLocal = "unique local"
    /// RFC 6598, 100.64.0.0/10: between a provider and its customers.
    case sharedByProvider = "shared by a provider"
    case documentation
    case benchmarking
    /// “This network”: connects to this machine.
    case unspecified
    case multicast
    case broadcast
    /// Set aside for protocols or for the future.
    case reserved

    /// What no setting lets through: nothing that speaks HTTP or SMTP is there, but 0.0.0.0 is this machine.
    var isNeverReached: Bool {
        switch self {
        case .unspecified, .multicast, .broadcast, .reserved: true
        default: false
        }
    }
}

extension IPAddress {
    /// What the address is for. One that carries an IPv4 address for a translator or tunnel is what that one is, unless
    /// that one is global.
    package var kind: AddressKind {
        switch unmapped {
        case .v4(let number): Self.kind(ofIPv4: number)
        case .v6(let number): Self.kind(ofIPv6: number)
        }
    }

    private static func kind(ofIPv4 number: UInt32) -> AddressKind {
        if number == .max { return .broadcast }
        return blocks4.first { $0.block.contains(.v4(number)) }?.kind ?? .global
    }

    private static func kind(ofIPv6 number: UInt128) -> AddressKind {
        if number == 0 { return .unspecified }
        if number == 1 { return .loopback }
        for carried in carriedIPv4(in: number) {
            let kind = kind(ofIPv4: carried)
            if kind != .global { return kind }
        }
        if let found = blocks6.first(where: { $0.block.contains(.v6(number)) }) { return found.kind }
        // 2000::/3 is all that has been given out as global unicast; 64:ff9b::/96 leads to it, through a translator.
        return number >> 125 == 0b001 || isTranslated(number) ? .global : .reserved
    }

    /// The IPv4 addresses for which `number` would stand on the way.
    private static func carriedIPv4(in number: UInt128) -> [UInt32] {
        let lowest = UInt32(truncatingIfNeeded: number)
        // IPv4-compatible, ::/96 (RFC 4291), and NAT64, 64:ff9b::/96 (RFC 6052).
        if number >> 32 == 0 || isTranslated(number) { return [lowest] }
        // 6to4, 2002::/16 (RFC 3056): the 32 bits behind the prefix.
        if number >> 112 == 0x2002 { return [UInt32(truncatingIfNeeded: number >> 80)] }
        // Teredo, 2001::/32 (RFC 4380): the server, and the client with its bits turned over.
        if number >> 96 == 0x2001_0000 { return [UInt32(truncatingIfNeeded: number >> 64), ~lowest] }
        // ISATAP (RFC 5214): an interface identifier 0000:5efe or 0200:5efe, then the address.
        let identifier = UInt32(truncatingIfNeeded: number >> 32)
        if identifier & ~0x0200_0000 == 0x5EFE { return [lowest] }
        return []
    }

    private static func isTranslated(_ number: UInt128) -> Bool { number >> 32 == 0x0064_FF9B << 64 }

    private static func block4(_ a: UInt32, _ b: UInt32, _ c: UInt32, _ prefix: Int) -> AddressBlock {
        AddressBlock(.v4(a << 24 | b << 16 | c << 8), prefix)
    }

    /// The first that contains an address counts.
    private static let blocks4: [(block: AddressBlock, kind: AddressKind)] = [
        (block4(0, 0, 0, 8), .unspecified),
        (block4(10, 0, 0, 8), .privateUse),
        (block4(100, 64, 0, 10), .sharedByProvider),
        (block4(127, 0, 0, 8), .loopback),
        (block4(169, 254, 0, 16), .linkLocal),
        (block4(172, 16, 0, 12), .privateUse),
        (block4(192, 0, 0, 24), .reserved),
        (block4(192, 0, 2, 24), .documentation),
        (block4(192, 88, 99, 24), .reserved),
        (block4(192, 168, 0, 16), .privateUse),
        (block4(198, 18, 0, 15), .benchmarking),
        (block4(198, 51, 100, 24), .documentation),
        (block4(203, 0, 113, 24), .documentation),
        (block4(224, 0, 0, 4), .multicast),
        (block4(240, 0, 0, 4), .reserved),
    ]

    /// A block of IPv6 by its leading 32 bits.
    private static func block6(_ leading: UInt32, _ prefix: Int) -> AddressBlock {
        AddressBlock(.v6(UInt128(leading) << 96), prefix)
    }

    private static let blocks6: [(block: AddressBlock, kind: AddressKind)] = [
        // 64:ff9b:1::/48: a translator of the network's own (RFC 8215).
        (AddressBlock(.v6(0x0064_FF9B_0001 << 80), 48), .privateUse),
        // Teredo with global addresses.
        (block6(0x2001_0000, 32), .global),
        // 2001:2::/48.
        (AddressBlock(.v6(0x2001_0002 << 96), 48), .benchmarking),
        (block6(0x2001_0DB8, 32), .documentation),
        // The rest of 2001::/23 is for protocols.
        (block6(0x2001_0000, 23), .reserved),
        (block6(0x3FFF_0000, 20), .documentation),
        (block6(0xFC00_0000, 7), .uniqueLocal),
        (block6(0xFE80_0000, 10), .linkLocal),
        (block6(0xFEC0_0000, 10), .privateUse),
        (block6(0xFF00_0000, 8), .multicast),
    ]
}
