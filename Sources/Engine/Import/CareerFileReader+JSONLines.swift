extension CareerFileReader {
    /// Reads one career a line. A line `{"sources": […]}` describes sources, as an export begins.
    static func readJSONLines(_ bytes: [UInt8], into collection: inout CareerCollection) {
        var start = ImportText.start(of: bytes)
        var line = 0
        while start < bytes.count {
            line += 1
            let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
            readLine(Array(bytes[start..<end]), line: line, into: &collection)
            if collection.isHopeless(line: line) { return }
            start = end + 1
        }
    }

    private static func readLine(_ bytes: [UInt8], line: Int, into collection: inout CareerCollection) {
        var walker = JSONWalker(bytes)
        walker.skipSpace()
        if walker.isAtEnd { return }
        guard let found = walker.value() else {
            return collection.refuse(["this is not a career; write one object a line: { … }"], line: line)
        }
        walker.skipSpace()
        guard walker.isAtEnd else {
            return collection.refuse(["text follows the career; write one object a line"], line: line)
        }
        let piece = JSONPiece(range: found.range, line: line, depth: found.depth, isWhole: found.isWhole)
        if found.isWhole, let sources = sources(in: bytes) {
            let place = JSONPiece(range: sources.range, line: line, depth: sources.depth, isWhole: true)
            return readSources(place, in: bytes, into: &collection)
        }
        read(piece, of: bytes, cluster: nil, into: &collection)
    }

    /// The list of a line that is `{"sources": […]}` and nothing else.
    private static func sources(in bytes: [UInt8]) -> JSONPiece? {
        var walker = JSONWalker(bytes)
        guard walker.skip(UInt8(ascii: "{")), let key = walker.value(),
            bytes[key.range].elementsEqual("\"sources\"".utf8), walker.skip(UInt8(ascii: ":")),
            let list = walker.value(), walker.skip(UInt8(ascii: "}"))
        else { return nil }
        return list
    }
}
