internal import Glibc

/// An address of the internet protocol, as a number.
package enum IPAddress: Sendable, Hashable {
    case v4(UInt32)
    case v6(UInt128)

    /// Reads the usual written form, without brackets, zone or surrounding space; nil where it is none.
    package init?(_ text: String) {
        guard !text.utf8.contains(0) else { return nil }
        var four = in_addr()
        var six = in6_addr()
        // SAFETY: inet_pton reads the text up to its end and fills the structure that belongs to the family.
        if unsafe inet_pton(AF_INET, text, &four) == 1 {
            self = .v4(UInt32(bigEndian: four.s_addr))
        } else if unsafe inet_pton(AF_INET6, text, &six) == 1 {
            self = .v6(Self.number(six))
        } else {
            return nil
        }
    }

    /// The address that a socket is about to be connected to; nil for a family other than the internet's.
    init?(unsafe address: UnsafePointer<sockaddr>, length: UInt32) {
        let raw = unsafe UnsafeRawPointer(address)
        // SAFETY: the structure of a family is read only where the length says that all of it is there; loadUnaligned, as
        // the alignment of curl's buffer is that of `sockaddr`.
        switch unsafe Int32(address.pointee.sa_family) {
        case AF_INET where Int(length) >= MemoryLayout<sockaddr_in>.size:
            let four = unsafe raw.loadUnaligned(as: sockaddr_in.self)
            self = .v4(UInt32(bigEndian: four.sin_addr.s_addr))
        case AF_INET6 where Int(length) >= MemoryLayout<sockaddr_in6>.size:
            let six = unsafe raw.loadUnaligned(as: sockaddr_in6.self)
            self = .v6(Self.number(six.sin6_addr))
        default:
            return nil
        }
    }

    /// The same address with an IPv4 address in IPv6 clothes (`::ffff:a.b.c.d`) as what it is: a socket for it speaks IPv4.
    package var unmapped: IPAddress {
        if case .v6(let number) = self, number >> 32 == 0xFFFF { return .v4(UInt32(truncatingIfNeeded: number)) }
        return self
    }

    private static func number(_ address: in6_addr) -> UInt128 {
        // SAFETY: in6_addr is 16 bytes, highest first, without padding.
        unsafe withUnsafeBytes(of: address) { bytes in
            unsafe bytes.reduce(UInt128(0)) { $0 << 8 | UInt128($1) }
        }
    }
}

extension IPAddress: CustomStringConvertible {
    package var description: String {
        switch self {
        case .v4(let number):
            return stride(from: 24, through: 0, by: -8).map { String(number >> UInt32($0) & 0xFF) }
                .joined(separator: ".")
        case .v6(let number):
            // Not shortened: it is for messages, and reads back as the same address.
            return stride(from: 112, through: 0, by: -16)
                .map { String(UInt16(truncatingIfNeeded: number >> UInt128($0)), radix: 16) }.joined(separator: ":")
        }
    }
}
