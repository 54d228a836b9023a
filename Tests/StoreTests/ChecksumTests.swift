import Store
import Testing

struct ChecksumTests {
    // RFC 3720, appendix B.4, and the check value of the CRC catalogue.
    private static let published: [(bytes: [UInt8], checksum: UInt32)] = [
        ([UInt8](repeating: 0, count: 32), 0x8A91_36AA),
        ([UInt8](repeating: 0xFF, count: 32), 0x62A8_AB43),
        (Array(0..<32), 0x46DD_794E),
        (Array((0..<32).reversed()), 0x113F_DB5C),
        (Array("123456789".utf8), 0xE306_9283),
        ([], 0),
    ]

    @Test(arguments: published)
    func `CRC-32C gives the published values`(bytes: [UInt8], checksum expected: UInt32) {
        var checksum = CRC32C()
        checksum.update(bytes)
        #expect(checksum.value == expected)
    }

    @Test func `CRC-32C of parts is that of the whole`() {
        let bytes = (0..<257).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        var whole = CRC32C()
        whole.update(bytes)
        for cut in bytes.indices {
            var parts = CRC32C()
            parts.update(Array(bytes[..<cut]))
            parts.update(Array(bytes[cut...]))
            #expect(parts.value == whole.value, "cut at \(cut)")
        }
    }

    @Test func `a content hash tells apart how text is divided`() {
        func hash(_ fields: [String]) -> String {
            var hash = ContentHash()
            for field in fields { hash.update(field) }
            return hash.text
        }
        let all = [[], [""], ["", ""], ["ab"], ["a", "b"], ["b", "a"], ["ab", ""], ["", "ab"], ["abc"]].map(hash)
        #expect(Set(all).count == all.count)
        #expect(all.allSatisfy { $0.utf8.count == 16 })
        #expect(hash([]) == "cbf29ce484222325")
    }
}
