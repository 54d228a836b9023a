import Platform
import TestSupport
import Testing

struct OutboundHeadTests {
    private func head(_ lines: String...) throws -> ResponseHead {
        var head = ResponseHead()
        for line in lines { try head.take(Array((line + "\r\n").utf8)) }
        return head
    }

    @Test func `fields are trimmed, folded lines joined, lines without colon left out`() throws {
        let head = try head("HTTP/1.1 200 OK", "A:  b \t", "C: d", "  e", "nonsense", "Empty:", "")
        #expect(head.status == 200)
        #expect(head.headers == OutboundHeaders(["A": "b", "C": "d e", "Empty": ""]))
    }

    @Test func `an interim head gives way to the next, a trailer to nothing`() throws {
        let head = try head("HTTP/1.1 103 Hints", "A: b", "", "HTTP/2 204", "C: d", "", "Trailer: x", "HTTP/1.1 500 No")
        #expect(head.status == 204 && head.headers == OutboundHeaders(["C": "d"]))
    }

    @Test func `any bytes are taken or refused as too large`() {
        var generator = SeededGenerator(seed: 9112)
        let pieces: [[UInt8]] = ["HTTP/1.1 200", "HTTP/", ":", "a: b", "\r\n", " ", "\t", "1xx", "content-length: 9"]
            .map { Array($0.utf8) }
        for _ in 0..<200 {
            var head = ResponseHead()
            var bytes = 0
            for _ in 0..<Int.random(in: 1...300, using: &generator) {
                var line: [UInt8] = []
                for _ in 0..<Int.random(in: 0...4, using: &generator) {
                    line +=
                        Bool.random(using: &generator)
                        ? pieces.randomElement(using: &generator) ?? []
                        : (0..<Int.random(in: 0...300, using: &generator)).map { _ in
                            UInt8.random(in: .min ... .max, using: &generator)
                        }
                }
                bytes += line.count
                do throws(OutboundError) {
                    try head.take(line)
                } catch {
                    #expect(error.code == .tooLarge)
                    break
                }
                #expect(bytes <= ResponseHead.maximumBytes && head.headers.fields.count <= ResponseHead.maximumFields)
            }
        }
    }

    @Test func `names are the same whatever their case, and letters beyond ASCII are not folded`() {
        #expect(OutboundHeaders.isSame("Content-TYPE", "content-type"))
        #expect(!OutboundHeaders.isSame("Content-Type", "Content_Type") && !OutboundHeaders.isSame("a", "ab"))
        // The Kelvin sign is lowered to k by Unicode, and is no k here.
        #expect(!OutboundHeaders.isSame("\u{212A}", "k") && !OutboundHeaders.isSame("[", "{"))
    }
}
