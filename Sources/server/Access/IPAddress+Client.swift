import Glibc
package import NIOCore
package import Platform

extension IPAddress {
    /// The address of a connection's other end; nil for one that has none, such as a socket in the file system.
    package init?(_ address: SocketAddress?) {
        switch address {
        case .v4(let v4): self = .v4(UInt32(bigEndian: v4.address.sin_addr.s_addr))
        case .v6(let v6):
            // SAFETY: the structure is 16 bytes without padding, highest first, and is read inside the call.
            let number = unsafe withUnsafeBytes(of: v6.address.sin6_addr) { bytes in
                unsafe bytes.reduce(UInt128(0)) { $0 << 8 | UInt128($1) }
            }
            self = IPAddress.v6(number).unmapped
        case .unixDomainSocket, nil: return nil
        }
    }

    /// An entry of X-Forwarded-For: `203.0.113.7`, `2001:db8::1`, and what some proxies make of them, `203.0.113.7:443`,
    /// `[2001:db8::1]:443`.
    init?(forwarded entry: some StringProtocol) {
        var text = String(entry).filter { $0 != " " && $0 != "\t" }
        if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
            text = String(text[text.index(after: text.startIndex)..<end])
        } else if text.utf8.count(where: { $0 == UInt8(ascii: ":") }) == 1, let colon = text.firstIndex(of: ":") {
            text = String(text[..<colon])
        }
        guard let address = IPAddress(text) else { return nil }
        self = address.unmapped
    }

    /// Whether the address is of the loopback interface: 127.0.0.0/8, ::1. Narrower than its `kind`, which counts what a
    /// tunnel carries.
    package var isThisMachine: Bool {
        switch unmapped {
        case .v4(let number): number >> 24 == 127
        case .v6(let number): number == 1
        }
    }

    /// Whose bucket it is: one address of IPv4; of IPv6 the network of 64 bits, all of which one customer has.
    package var limitKey: TokenBucketTable.Key {
        switch self {
        case .v4(let number): .address(0, UInt64(number))
        case .v6(let number): .address(UInt64(number >> 64), .max)
        }
    }
}
