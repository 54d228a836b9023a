import Platform
import TestSupport
import Testing

struct OutboundAddressTests {
    @Test(
        arguments: [
            ("8.8.8.8", .global), ("0.0.0.0", .unspecified), ("0.1.2.3", .unspecified), ("10.0.0.1", .privateUse),
            ("9.255.255.255", .global), ("11.0.0.0", .global), ("100.63.255.255", .global),
            ("100.64.0.0", .sharedByProvider),
            ("100.127.255.255", .sharedByProvider), ("100.128.0.0", .global), ("127.0.0.1", .loopback),
            ("127.255.255.255", .loopback), ("169.254.169.254", .linkLocal), ("172.15.255.255", .global),
            ("172.16.0.0", .privateUse), ("172.31.255.255", .privateUse), ("172.32.0.0", .global),
            ("192.0.0.8", .reserved),
            ("192.0.2.1", .documentation), ("192.88.99.1", .reserved), ("192.168.0.1", .privateUse),
            ("192.169.0.0", .global),
            ("198.17.255.255", .global), ("198.18.0.0", .benchmarking), ("198.19.255.255", .benchmarking),
            ("198.20.0.0", .global), ("198.51.100.1", .documentation), ("203.0.113.1", .documentation),
            ("223.255.255.255", .global), ("224.0.0.1", .multicast), ("239.255.255.255", .multicast),
            ("240.0.0.1", .reserved),
            ("255.255.255.255", .broadcast), ("255.255.255.254", .reserved),
            ("::", .unspecified), ("::1", .loopback), ("::2", .unspecified), ("2606:4700::1111", .global),
            ("2001:4860:4860::8888", .global), ("fe80::1", .linkLocal), ("febf::1", .linkLocal),
            ("fec0::1", .privateUse),
            ("fc00::1", .uniqueLocal), ("fdff::1", .uniqueLocal), ("ff02::1", .multicast),
            ("2001:db8::1", .documentation),
            ("3fff::1", .documentation), ("2001:2::1", .benchmarking), ("2001:10::1", .reserved), ("100::1", .reserved),
            ("5f00::1", .reserved), ("4000::1", .reserved),
            // IPv4 inside: mapped, compatible, NAT64, 6to4, Teredo, ISATAP.
            ("::ffff:127.0.0.1", .loopback), ("::ffff:8.8.8.8", .global), ("::ffff:169.254.169.254", .linkLocal),
            ("::10.0.0.1", .privateUse), ("::8.8.8.8", .reserved), ("64:ff9b::10.0.0.1", .privateUse),
            ("64:ff9b::8.8.8.8", .global), ("64:ff9b:1::8.8.8.8", .privateUse), ("2002:7f00:1::", .loopback),
            ("2002:808:808::1", .global), ("2002:a9fe:a9fe::1", .linkLocal),
            // Teredo turns the client's bits over: 10.0.0.1 and 8.8.8.8, behind the server 8.8.8.8; then a private server.
            ("2001:0:808:808::f5ff:fffe", .privateUse), ("2001:0:808:808::f7f7:f7f7", .global),
            ("2001:0:a00:1::f7f7:f7f7", .privateUse), ("2606:4700::5efe:10.0.0.1", .privateUse),
            ("2606:4700::200:5efe:192.168.0.1", .privateUse), ("2606:4700::5efe:8.8.8.8", .global),
        ] as [(String, AddressKind)])
    func `what an address is for`(text: String, kind: AddressKind) throws {
        let address = try #require(IPAddress(text))
        #expect(address.kind == kind)
        #expect(IPAddress("\(address)") == address)
        #expect((AddressGuard().objection(to: address) == nil) == (kind == .global))
    }

    /// The blocks once more, as the first and last address of each, written by hand.
    private static let naive: [(ClosedRange<UInt32>, AddressKind)] = [
        (0x0000_0000...0x00FF_FFFF, .unspecified), (0x0A00_0000...0x0AFF_FFFF, .privateUse),
        (0x6440_0000...0x647F_FFFF, .sharedByProvider), (0x7F00_0000...0x7FFF_FFFF, .loopback),
        (0xA9FE_0000...0xA9FE_FFFF, .linkLocal), (0xAC10_0000...0xAC1F_FFFF, .privateUse),
        (0xC000_0000...0xC000_00FF, .reserved), (0xC000_0200...0xC000_02FF, .documentation),
        (0xC058_6300...0xC058_63FF, .reserved), (0xC0A8_0000...0xC0A8_FFFF, .privateUse),
        (0xC612_0000...0xC613_FFFF, .benchmarking), (0xC633_6400...0xC633_64FF, .documentation),
        (0xCB00_7100...0xCB00_71FF, .documentation), (0xE000_0000...0xEFFF_FFFF, .multicast),
        (0xF000_0000...0xFFFF_FFFE, .reserved), (0xFFFF_FFFF...0xFFFF_FFFF, .broadcast),
    ]

    private func naiveKind(_ number: UInt32) -> AddressKind {
        Self.naive.first { $0.0.contains(number) }?.1 ?? .global
    }

    @Test func `every edge and a hundred thousand others are what a naive table says`() {
        var generator = SeededGenerator(seed: 1918)
        var numbers = Self.naive.flatMap { range, _ in
            [range.lowerBound &- 1, range.lowerBound, range.upperBound, range.upperBound &+ 1]
        }
        for _ in 0..<100_000 { numbers.append(UInt32.random(in: .min ... .max, using: &generator)) }
        for number in numbers {
            let address = IPAddress.v4(number)
            let expected = naiveKind(number)
            guard address.kind == expected else {
                Issue.record("\(generator): \(address) is \(address.kind), not \(expected)")
                return
            }
        }
    }

    @Test func `an IPv6 address that carries an IPv4 address is never better than it`() {
        var generator = SeededGenerator(seed: 6052)
        for _ in 0..<20_000 {
            let edge = Self.naive.randomElement(using: &generator)?.0.lowerBound ?? 0
            let carried = Bool.random(using: &generator) ? edge : UInt32.random(in: .min ... .max, using: &generator)
            let expected = naiveKind(carried)
            let wide = UInt128(carried)
            let random = UInt128(UInt64.random(in: .min ... .max, using: &generator))
            let forms: [UInt128] = [
                0xFFFF << 32 | wide, 0x0064_FF9B << 96 | wide, 0x2002 << 112 | wide << 80 | random,
                0x2001_0000_0808_0808 << 64 | random & 0xFFFF_FFFF << 32 | UInt128(~carried),
                0x2001_0000 << 96 | wide << 64 | 0xF7F7_F7F7, 0x2606_4700 << 96 | 0x5EFE << 32 | wide,
            ]
            for form in forms {
                let kind = IPAddress.v6(form).kind
                let isRight = expected == .global ? kind == .global || carriesMore(form) : kind != .global
                guard isRight else {
                    Issue.record("\(generator): \(IPAddress.v6(form)) is \(kind), and what it carries is \(expected)")
                    return
                }
            }
        }
    }

    /// Whether a random interface identifier has happened to make an ISATAP or other special form.
    private func carriesMore(_ number: UInt128) -> Bool {
        UInt32(truncatingIfNeeded: number >> 32) & ~0x0200_0000 == 0x5EFE
    }

    @Test func `a block contains what it says`() throws {
        let block = try #require(AddressBlock("10.1.0.0/16"))
        #expect(block.contains(try #require(IPAddress("10.1.255.255"))))
        #expect(!block.contains(try #require(IPAddress("10.2.0.0"))))
        #expect(!block.contains(try #require(IPAddress("::ffff:10.1.0.0"))))
        let all = try #require(AddressBlock("0.0.0.0/0"))
        #expect(all.contains(.v4(0)) && all.contains(.v4(.max)) && !all.contains(.v6(0)))
        let every = try #require(AddressBlock("::/0"))
        #expect(every.contains(.v6(0)) && every.contains(.v6(.max)))
        #expect(try #require(AddressBlock("fd00::/8")).contains(try #require(IPAddress("fd12::1"))))
        #expect(
            try #require(AddressBlock("::1")).contains(.v6(1)) && !(try #require(AddressBlock("::1")).contains(.v6(2))))
        for text in [
            "", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.1/8", "::1/129", "::1/64", "a",
            "10.0.0.0/8/8", "10.0.0.0 /8", "10.0.0/8", "10.0.0.0\0/8",
        ] {
            #expect(AddressBlock(text) == nil, "\(text)")
        }
    }

    @Test func `what is allowed by a block or by name, and what by nothing`() throws {
        let allowed = AddressGuard(allowed: [
            try #require(AddressBlock("10.0.0.0/8")), try #require(AddressBlock("::/0")),
        ])
        let named = AddressGuard(reach: .named)
        let own = AddressGuard(reach: .loopback)
        func passes(_ addressGuard: AddressGuard, _ text: String) throws -> Bool {
            addressGuard.objection(to: try #require(IPAddress(text))) == nil
        }
        #expect(
            try passes(allowed, "10.9.9.9") && passes(allowed, "::ffff:10.9.9.9") && !passes(allowed, "192.168.0.1"))
        #expect(try passes(named, "192.168.0.1") && passes(named, "127.0.0.1") && passes(named, "8.8.8.8"))
        #expect(try passes(own, "127.0.0.1") && passes(own, "::1") && passes(own, "::ffff:127.0.0.1"))
        #expect(try !passes(own, "8.8.8.8") && !passes(own, "10.0.0.1") && !passes(own, "0.0.0.0"))
        for never in ["0.0.0.0", "::", "224.0.0.1", "255.255.255.255", "240.0.0.1", "ff02::1"] {
            #expect(try !passes(allowed, never) && !passes(named, never), "\(never)")
        }
    }
}
