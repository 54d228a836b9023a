internal import Foundation

extension CareerFileReader {
    /// Reads an array of careers or an object that has one under `careers`.
    static func readJSON(_ bytes: [UInt8], into collection: inout CareerCollection) throws(ImportError) {
        var walker = JSONWalker(bytes, at: ImportText.start(of: bytes))
        walker.skipSpace()
        if walker.current == UInt8(ascii: "[") {
            readCareers(&walker, cluster: nil, into: &collection)
        } else if walker.current == UInt8(ascii: "{") {
            try readDocument(walker, into: &collection)
            return
        } else {
            throw malformed(
                "a list of careers or an object with `careers` was expected\(walker.isAtEnd ? "; the file is empty" : "")",
                collection.file, walker.line)
        }
        walker.skipSpace()
        if !walker.isAtEnd {
            collection.add(problem: "text follows the list; remove it, nothing of it was read", line: walker.line)
        }
    }

    private static func malformed(_ message: String, _ file: String, _ line: Int) -> ImportError {
        .malformed(ImportProblem(file: file, line: line, message: message))
    }

    /// `{"cluster": …, "sources": […], "careers": […]}`, in any order: the members are found first, read then.
    private static func readDocument(
        _ start: JSONWalker, into collection: inout CareerCollection
    ) throws(ImportError) {
        let known = ["careers", "cluster", "sources"]
        var walker = start
        var members: [String: (piece: JSONPiece, walker: JSONWalker)] = [:]
        _ = walker.skip(UInt8(ascii: "{"))
        if !walker.skip(UInt8(ascii: "}")) {
            repeat {
                let line = walker.line
                guard let key = walker.value(), key.isWhole, case .text(let name)? = value(of: key, in: walker.bytes),
                    walker.skip(UInt8(ascii: ":"))
                else {
                    throw malformed("the name of a member in quotes and a colon were expected", collection.file, line)
                }
                walker.skipSpace()
                let before = walker
                guard let piece = walker.value() else {
                    throw malformed("`\(ImportText.excerpt(name))` has no value", collection.file, walker.line)
                }
                guard known.contains(name) else {
                    let isCareer = CareerFields.all.contains(name)
                    let hint =
                        isCareer
                        ? "; put the careers into a list: [ … ], or use JSON Lines (.jsonl) for one a line"
                        : NearestName.hint(for: name, among: known)
                    throw malformed(
                        "`\(ImportText.excerpt(name))` is not a member of a file of careers\(hint)", collection.file,
                        key.line)
                }
                guard members.updateValue((piece, before), forKey: name) == nil else {
                    throw malformed("`\(name)` is there twice; keep one", collection.file, key.line)
                }
            } while walker.skip(UInt8(ascii: ","))
            if !walker.skip(UInt8(ascii: "}")) {
                collection.add(problem: "the object has no end; close it with }", line: walker.line)
            } else {
                walker.skipSpace()
                if !walker.isAtEnd {
                    collection.add(
                        problem: "text follows the document; remove it, nothing of it was read", line: walker.line)
                }
            }
        }
        var cluster: String?
        if let member = members["cluster"] {
            switch value(of: member.piece, in: walker.bytes) {
            case .text(let text)? where !ImportText.trimmed(text).isEmpty: cluster = ImportText.trimmed(text)
            default: throw malformed("`cluster` is not a text, or an empty one", collection.file, member.piece.line)
            }
        }
        if let member = members["sources"] { readSources(member.piece, in: walker.bytes, into: &collection) }
        guard var careers = members["careers"]?.walker, careers.current == UInt8(ascii: "[") else {
            throw malformed(
                "the object has no list `careers`; write {\"careers\": [ … ]}", collection.file, start.line)
        }
        readCareers(&careers, cluster: cluster, into: &collection)
    }

    static func readSources(_ piece: JSONPiece, in bytes: [UInt8], into collection: inout CareerCollection) {
        guard case .list(let values)? = value(of: piece, in: bytes) else {
            collection.add(problem: "`sources` is not a list of sources; it was not read", line: piece.line)
            return
        }
        for value in values {
            let (source, complaints) = SourceReading.source(from: value)
            for complaint in complaints { collection.add(problem: complaint, line: piece.line) }
            if let source, let complaint = collection.sources.describe(source) {
                collection.add(problem: complaint, line: piece.line)
            }
        }
    }

    /// Reads the elements of the list that begins at the walker, each on its own.
    private static func readCareers(
        _ walker: inout JSONWalker, cluster: String?, into collection: inout CareerCollection
    ) {
        _ = walker.skip(UInt8(ascii: "["))
        if walker.skip(UInt8(ascii: "]")) { return }
        while true {
            guard let piece = walker.value() else {
                return collection.add(
                    problem: walker.isAtEnd
                        ? "the list has no end; close it with ]"
                        : "a career was expected; nothing from here on was read (is there a comma too many?)",
                    line: walker.line)
            }
            read(piece, of: walker.bytes, cluster: cluster, into: &collection)
            guard piece.isWhole, !collection.isHopeless(line: walker.line) else { return }
            if walker.skip(UInt8(ascii: ",")) { continue }
            if walker.skip(UInt8(ascii: "]")) { return }
            if walker.current == UInt8(ascii: "{") {
                // Where one career ends and the next begins is plain even so.
                collection.add(problem: "a comma is missing before the career that begins here", line: walker.line)
                continue
            }
            return collection.add(
                problem: walker.isAtEnd
                    ? "the list has no end; close it with ]"
                    : "a comma or ] was expected; nothing from here on was read", line: walker.line)
        }
    }

    /// Reads one career; anything wrong goes to the collection's problems.
    static func read(
        _ piece: JSONPiece, of bytes: [UInt8], cluster: String?, into collection: inout CareerCollection
    ) {
        guard piece.isWhole else {
            return collection.refuse(
                ["the value that begins here has no end: a brace, bracket or quote is missing"], line: piece.line)
        }
        guard bytes[piece.range.lowerBound] == UInt8(ascii: "{") else {
            return collection.refuse(["this is not a career; write an object: { … }"], line: piece.line)
        }
        guard piece.depth <= ImportedValue.maximumDepth else {
            return collection.refuse(
                ["brackets are nested \(piece.depth) deep; a career needs 2 levels"], line: piece.line)
        }
        do {
            guard case .object(let fields) = try decode(piece, of: bytes) else { return }
            collection.accept(fields, line: piece.line, cluster: cluster) { $0 }
        } catch {
            collection.refuse([syntaxProblem(error, piece: piece, bytes: bytes)], line: piece.line)
        }
    }

    private static func decode(_ piece: JSONPiece, of bytes: [UInt8]) throws -> ImportedValue {
        try JSONDecoder().decode(ImportedValue.self, from: Data(bytes[piece.range]))
    }

    private static func value(of piece: JSONPiece, in bytes: [UInt8]) -> ImportedValue? {
        guard piece.isWhole, piece.depth <= ImportedValue.maximumDepth else { return nil }
        return try? JSONDecoder().decode(ImportedValue.self, from: Data("[".utf8) + bytes[piece.range] + Data("]".utf8))
            .only
    }

    /// What the decoder found, in words; it says the line and column within the piece.
    private static func syntaxProblem(_ error: any Error, piece: JSONPiece, bytes: [UInt8]) -> String {
        if ImportText.string(bytes, piece.range) == nil {
            return "this career is not UTF-8; save the file in that encoding"
        }
        guard case DecodingError.dataCorrupted(let context)? = error as? DecodingError else {
            return "this is not valid JSON"
        }
        let detail = (context.underlyingError as NSError?)?.userInfo["NSDebugDescription"] as? String
        guard let detail, let place = detail.firstMatch(of: /\s*around line (\d+), column (\d+)/),
            let line = Int(place.output.1)
        else { return "this is not valid JSON" + (detail.map { ": \($0)" } ?? "") }
        let what = detail[..<place.range.lowerBound]
        return "this is not valid JSON: in line \(piece.line + line - 1), column \(place.output.2): \(what)"
    }
}

extension ImportedValue {
    /// The element of a list of one.
    fileprivate var only: ImportedValue? {
        if case .list(let values) = self, values.count == 1 { values[0] } else { nil }
    }
}
