import Foundation

/// Values as lines of JSON on standard output, as a program that asks line by line reads them.
enum JSONLines {
    static func say(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        var line = try encoder.encode(value)
        line.append(0x0A)
        try FileHandle.standardOutput.write(contentsOf: line)
    }
}
