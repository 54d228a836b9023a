import Monitor
import Store
import TestSupport
import Testing

struct CSVReaderTests {
    /// All records, read in chunks of `chunk` bytes.
    private func records(
        _ bytes: [UInt8], chunk: Int = 1 << 16, limits given: CSVReader.Limits = CSVReader.Limits()
    ) throws -> [CSVRow] {
        var limits = given
        limits.chunkBytes = chunk
        var reader = CSVReader(file: "f.csv", limits: limits) { offset, count in
            Array(bytes.dropFirst(offset).prefix(count))
        }
        var rows: [CSVRow] = []
        while let row = try reader.next() { rows.append(row) }
        #expect(reader.digest.bytes == Int64(bytes.count))
        return rows
    }

    private func objection(to text: String) -> MonitorFileError? {
        problem { _ = try records(Array(text.utf8)) }
    }

    @Test(arguments: 1...20)
    func `chunks may end anywhere`(chunk: Int) throws {
        let text = "\u{FEFF}a,\"b\"\"\",\"c\r\n,d\"\r\n\"\",é,\"x\ry\nz\"\n1,2,3\r,,\"\"\"\"\r\n\r\nlast"
        let rows = try records(Array(text.utf8), chunk: chunk)
        #expect(
            rows.map(\.cells) == [
                ["a", "b\"", "c\r\n,d"], ["", "é", "x\ry\nz"], ["1", "2", "3"], ["", "", "\""], [""], ["last"],
            ])
        #expect(rows.map(\.line) == [1, 3, 6, 7, 8, 9])
    }

    @Test func `random records of random texts come back byte by byte`() throws {
        var generator = SeededGenerator()
        for _ in 0..<400 {
            let width = Int.random(in: 1...5, using: &generator)
            var written: [[String]] = []
            var bytes: [UInt8] = []
            // The separator is found in the first record, which in a file of ours is the header.
            for row in 0..<Int.random(in: 2...6, using: &generator) {
                let cells = (0..<width).map { place in
                    row == 0 ? "column_\(place)" : RandomTexts.text(using: &generator)
                }
                written.append(cells)
                CSVWriting.append(cells, to: &bytes)
            }
            let read = try records(bytes, chunk: Int.random(in: 1...50, using: &generator))
            #expect(read.map { utf8($0.cells) } == written.map { utf8($0) }, "\(generator)")
        }
    }

    @Test func `the first separator outside quotes is the file's`() throws {
        #expect(try records(Array("\"a;b\",c\n1;2,3\n".utf8)).map(\.cells) == [["a;b", "c"], ["1;2", "3"]])
        #expect(try records(Array("a;b\n1,2;3\n".utf8)).map(\.cells) == [["a", "b"], ["1,2", "3"]])
        #expect(try records(Array("a\tb\n1\t2;3,4".utf8)).map(\.cells) == [["a", "b"], ["1", "2;3,4"]])
        #expect(try records(Array("a\n1;2,3".utf8)).map(\.cells) == [["a"], ["1;2", "3"]])
        // Not of lines without anything in them.
        #expect(try records(Array("\r\na;b\n1,2;3\n".utf8)).map(\.cells) == [[""], ["a", "b"], ["1,2", "3"]])
        #expect(try records(Array("\u{FEFF},,\n\"\"\na;b".utf8)).map(\.cells) == [["", "", ""], [""], ["a", "b"]])
    }

    @Test func `a separator at the very end opens one more cell`() throws {
        #expect(try records(Array("a,b\n1,".utf8)).map(\.cells) == [["a", "b"], ["1", ""]])
        #expect(try records([]).isEmpty)
    }

    @Test func `broken quoting is refused with its line and column`() {
        let inside = objection(to: "a,b\r\n1,x\"y\r\n")
        #expect(inside?.code == .quoting && inside?.line == 2 && inside?.column == "2")
        let behind = objection(to: "a,b\r\n\"x\"y,2\r\n")
        #expect(behind?.code == .quoting && behind?.line == 2 && behind?.column == "1")
        let unclosed = objection(to: "a,b\r\n1,2\r\n3,\"x\r\ny,z\r\n")
        #expect(unclosed?.code == .quoting && unclosed?.line == 3 && unclosed?.column == "2")
    }

    @Test func `what is not UTF-8 is refused, and so is what a crash leaves`() {
        let start = Array("a,b\n1,".utf8)
        for bytes in [start + [0xFF, 0xFE], start + [0xC3], [UInt8](repeating: 0, count: 99)] {
            let error = problem { _ = try records(bytes) }
            #expect(error?.code == .notText)
            #expect(error?.isDamage == true)
        }
    }

    @Test func `more cells than any file of ours has are refused`() {
        var limits = CSVReader.Limits()
        limits.cells = 3
        let error = problem { _ = try records(Array("a,b,c\n1,2,3,4".utf8), limits: limits) }
        #expect(error?.code == .cells)
        #expect(error?.line == 2)
    }

    @Test(arguments: [("a,b\n1,\"", "x"), ("a,b\n1,", "x"), ("a,b\n\"", "\"\"")])
    func `of a row that never ends no more is read than a row may have`(beginning: String, rest: String) {
        var limits = CSVReader.Limits()
        limits.recordBytes = 1 << 16
        limits.chunkBytes = 1 << 12
        let start = Array(beginning.utf8)
        let filler = Array(String(repeating: rest, count: limits.chunkBytes).utf8)
        let furthest = Guarded(0)
        let endless = CSVReader(file: "f.csv", limits: limits) { offset, count in
            furthest.withLock { $0 = max($0, offset + count) }
            return Array((start.dropFirst(offset) + filler).prefix(count))
        }
        let error = problem {
            var reader = endless
            while try reader.next() != nil {}
        }
        #expect(error?.code == .tooLong)
        #expect(error?.line == 2)
        // A doubled quote is two bytes of the file and one of the row.
        #expect(furthest.withLock { $0 } <= 3 << 16)
    }

    @Test func `mutated files are read or refused, and nothing else happens`() throws {
        var generator = SeededGenerator()
        for _ in 0..<4_000 {
            var bytes: [UInt8] = []
            CSVWriting.append(StudentFile.columns, to: &bytes)
            for row in 0..<3 {
                let cells = (0..<StudentFile.columns.count).map { place in
                    place == 0 ? "\(row)" : RandomTexts.text(atMost: 4, using: &generator)
                }
                CSVWriting.append(cells, to: &bytes)
            }
            for _ in 0..<Int.random(in: 1...6, using: &generator) { Self.mutate(&bytes, using: &generator) }
            var limits = CSVReader.Limits()
            limits.chunkBytes = Int.random(in: 1...200, using: &generator)
            limits.recordBytes = Int.random(in: 50...2_000, using: &generator)
            let file = bytes
            do {
                var reader = try StudentFileReader(
                    CSVReader(file: "f.csv", limits: limits) { offset, count in
                        Array(file.dropFirst(offset).prefix(count))
                    })
                var rows = 0
                while let row = try reader.next() {
                    rows += 1
                    #expect(!row.input.userID.isEmpty, "\(generator)")
                }
                #expect(rows <= file.count && reader.digest.bytes == Int64(file.count), "\(generator)")
            } catch let error as MonitorFileError {
                #expect(error.isDamage && error.line != nil, "\(generator) \(error)")
            }
        }
    }

    private static func mutate(_ bytes: inout [UInt8], using generator: inout SeededGenerator) {
        guard !bytes.isEmpty else { return }
        let place = Int.random(in: 0..<bytes.count, using: &generator)
        let other = Int.random(in: 0..<bytes.count, using: &generator)
        let hazards = Array("\"\",;\r\n\t\0'=".utf8) + [0xFF, 0xC3, 0xEF]
        switch Int.random(in: 0..<6, using: &generator) {
        case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
        case 1: bytes.insert(hazards.randomElement(using: &generator) ?? 0, at: place)
        case 2: bytes.remove(at: place)
        case 3: bytes.removeLast(bytes.count - place)
        case 4: bytes.insert(contentsOf: bytes[min(place, other)..<max(place, other)], at: other)
        default: bytes.swapAt(place, other)
        }
    }
}
