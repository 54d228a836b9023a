import Foundation
import VectorMath

// Reading the small files of a model folder: whole, as JSON, with the mistakes named.

/// Bytes and settings of one file in a model folder.
struct ModelFile {
    /// No settings, vocabulary or tokenizer file of a model is larger; it bounds what a wrong file may cost.
    static let maximumBytes = 256 << 20

    let path: String

    init(_ folder: URL, _ name: String) { path = folder.appendingPathComponent(name).path }

    var exists: Bool { FileManager.default.fileExists(atPath: path) }

    /// The whole content.
    ///
    /// - Throws: `EmbedderError.fileMissing`, `.fileUnreadable` or, for a giant, `.malformedFile`.
    func bytes() throws(EmbedderError) -> [UInt8] {
        guard exists else { throw .fileMissing(path: path) }
        do {
            let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            defer { try? handle.close() }
            let data = try handle.read(upToCount: Self.maximumBytes + 1) ?? Data()
            guard data.count <= Self.maximumBytes else {
                throw EmbedderError.malformedFile(path: path, problem: "it is larger than any such file")
            }
            return [UInt8](data)
        } catch let error as EmbedderError {
            throw error
        } catch {
            throw .fileUnreadable(path: path, reason: error.localizedDescription)
        }
    }

    /// SHA-256 of the content, as lower-case hexadecimal digits; the file is read in pieces.
    ///
    /// - Throws: `EmbedderError.fileMissing` or `.fileUnreadable`.
    func sha256() throws(EmbedderError) -> String {
        guard exists else { throw .fileMissing(path: path) }
        do {
            let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            defer { try? handle.close() }
            var hash = SHA256()
            while let chunk = try handle.read(upToCount: 4 << 20), !chunk.isEmpty {
                hash.update(chunk.bytes)
            }
            return hash.finalise()
        } catch {
            throw .fileUnreadable(path: path, reason: error.localizedDescription)
        }
    }

    /// The content as JSON.
    ///
    /// - Throws: as `bytes()`, and `EmbedderError.malformedFile` with the byte where the syntax breaks.
    func json() throws(EmbedderError) -> ModelSettings {
        do {
            return ModelSettings(path: path, value: try JSONReader.parse(bytes()))
        } catch let error as JSONSyntaxError {
            throw .malformedFile(path: path, problem: "at byte \(error.offset) \(error.reason)")
        } catch let error as EmbedderError {
            throw error
        } catch {
            throw .fileUnreadable(path: path, reason: "\(error)")
        }
    }
}

/// One JSON value of a model file together with the file's path, so that a wrong setting can be named.
struct ModelSettings {
    let path: String
    let value: JSONValue

    /// A member, unless it is absent or null.
    subscript(key: StaticString) -> JSONValue? {
        guard let member = value[key], !member.isNull else { return nil }
        return member
    }

    func integer(_ key: StaticString, in range: ClosedRange<Int>) throws(EmbedderError) -> Int? {
        guard let member = self[key] else { return nil }
        guard let integer = member.integer, range.contains(integer) else {
            throw wrong(key, member, "a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return integer
    }

    func real(_ key: StaticString) throws(EmbedderError) -> Double? {
        guard let member = self[key] else { return nil }
        guard let real = member.real else { throw wrong(key, member, "a number") }
        return real
    }

    func bool(_ key: StaticString) throws(EmbedderError) -> Bool? {
        guard let member = self[key] else { return nil }
        guard let bool = member.bool else { throw wrong(key, member, "true or false") }
        return bool
    }

    func string(_ key: StaticString) throws(EmbedderError) -> String? {
        guard let member = self[key] else { return nil }
        guard let string = member.string else { throw wrong(key, member, "a string") }
        return string
    }

    func wrong(_ key: StaticString, _ member: JSONValue, _ expected: String) -> EmbedderError {
        .malformedFile(path: path, problem: "'\(key)' is \(member.kind) where \(expected) is needed")
    }

    func malformed(_ problem: String) -> EmbedderError { .malformedFile(path: path, problem: problem) }

    func unsupported(_ setting: String, _ value: String, supported: String) -> EmbedderError {
        .unsupported(path: path, setting: setting, value: value, supported: supported)
    }
}
