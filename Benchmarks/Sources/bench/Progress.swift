import Foundation

/// What a person waiting sees; standard output is for the report.
enum Progress {
    static func say(_ text: String) {
        FileHandle.standardError.write(Data((text + "\n").utf8))
    }
}
