import Foundation

/// Builds safetensors files, whole or wrong on purpose.
struct SafetensorsWriter {
    struct Entry {
        var name: String
        var type: String
        var shape: String
        var offsets: String
    }

    var entries: [Entry] = []
    var data: [UInt8] = []

    /// Adds float32 values.
    mutating func add(_ name: String, _ shape: [Int], _ values: [Float]) {
        precondition(values.count == shape.reduce(1, *))
        add(name, "F32", shape, values.flatMap { value in (0..<4).map { UInt8(value.bitPattern >> ($0 * 8) & 0xFF) } })
    }

    /// Adds the raw bytes of a tensor.
    mutating func add(_ name: String, _ type: String, _ shape: [Int], _ bytes: [UInt8]) {
        let start = data.count
        data += bytes
        entries.append(Entry(name: name, type: type, shape: "\(shape)", offsets: "[\(start),\(data.count)]"))
    }

    var header: String {
        let tensors = entries.map {
            #""\#($0.name)":{"dtype":"\#($0.type)","shape":\#($0.shape),"data_offsets":\#($0.offsets)}"#
        }
        return "{" + ([#""__metadata__":{"format":"pt"}"#] + tensors).joined(separator: ",") + "}"
    }

    var file: [UInt8] { Self.file(header: Array(header.utf8), data: data) }

    static func file(header: [UInt8], length: UInt64? = nil, data: [UInt8] = []) -> [UInt8] {
        let length = length ?? UInt64(header.count)
        return (0..<8).map { UInt8(length >> ($0 * 8) & 0xFF) } + header + data
    }
}
