import Foundation
package import Logging
import NIOCore

/// Writes each log event as one line of JSON on standard error.
package struct JSONLogHandler: LogHandler {
    package var logLevel: Logger.Level
    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?
    private let label: String
    private let write: @Sendable (String) -> Void

    /// - Parameter write: takes each line with its line break; standard error where nil.
    package init(label: String, level: Logger.Level, write: (@Sendable (String) -> Void)? = nil) {
        self.label = label
        logLevel = level
        // One call a line: lines of different threads do not mix.
        self.write = write ?? { line in try? FileHandle.standardError.write(contentsOf: Data(line.utf8)) }
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var all = metadata
        if let provided = metadataProvider?.get() { all.merge(provided) { $1 } }
        if let own = event.metadata { all.merge(own) { $1 } }
        if let error = event.error { all["error"] = .string(String(reflecting: error)) }
        write(line(event, all))
    }

    private func line(_ event: LogEvent, _ metadata: Logger.Metadata) -> String {
        var json = JSONWriter(capacity: 256)
        json.object { json in
            json.field("time", Date.now)
            json.field("level", event.level.rawValue)
            json.field("logger", label)
            json.field("message", event.message.description)
            guard !metadata.isEmpty else { return }
            json.name("metadata")
            Self.write(.dictionary(metadata), to: &json)
        }
        return String(buffer: json.finish()) + "\n"
    }

    private static func write(_ value: Logger.Metadata.Value, to json: inout JSONWriter) {
        switch value {
        case .string(let text): json.value(text)
        case .stringConvertible(let number as Int): json.value(number)
        case .stringConvertible(let number as Double): json.value(number)
        case .stringConvertible(let other): json.value(other.description)
        case .array(let values): json.array(of: values) { write($1, to: &$0) }
        case .dictionary(let values):
            json.object { json in
                for (key, value) in values.sorted(by: { $0.key < $1.key }) {
                    json.name(key)
                    write(value, to: &json)
                }
            }
        }
    }
}

extension ServiceSettings {
    /// The handler for `LoggingSystem.bootstrap`: standard error, in the format and from the level set here.
    package func makeLogHandler(label: String) -> any LogHandler {
        switch logFormat {
        case .json: return JSONLogHandler(label: label, level: logLevel)
        case .text:
            var handler = StreamLogHandler(label: label, stream: TextLogStream())
            handler.logLevel = logLevel
            return handler
        }
    }
}
