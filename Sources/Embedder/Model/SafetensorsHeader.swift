// The header of a safetensors file: parsed and proven consistent before any of the data is touched.
// Format: https://github.com/huggingface/safetensors (8 bytes of length, JSON, data without gaps).

/// Element types of the format, by the bytes of one element.
enum TensorType: String, Sendable {
    case bool = "BOOL"
    case u8 = "U8"
    case i8 = "I8"
    case float8e5m2 = "F8_E5M2"
    case float8e4m3 = "F8_E4M3"
    case i16 = "I16"
    case u16 = "U16"
    case f16 = "F16"
    case bf16 = "BF16"
    case i32 = "I32"
    case u32 = "U32"
    case f32 = "F32"
    case i64 = "I64"
    case u64 = "U64"
    case f64 = "F64"

    var byteCount: Int {
        switch self {
        case .bool, .u8, .i8, .float8e5m2, .float8e4m3: 1
        case .i16, .u16, .f16, .bf16: 2
        case .i32, .u32, .f32: 4
        case .i64, .u64, .f64: 8
        }
    }
}

/// One tensor: its type, its shape and where its bytes lie, counted from the start of the data.
struct TensorDescription: Equatable, Sendable {
    let name: String
    let type: TensorType
    let shape: [Int]
    let bytes: Range<Int>
}

/// A header whose every tensor lies inside the file, has the size its shape needs, and shares no byte.
struct SafetensorsHeader: Sendable {
    static let lengthBytes = 8
    /// The reference implementation's own limit.
    static let maximumHeaderBytes = 100_000_000

    let tensors: [String: TensorDescription]
    let headerBytes: Int

    /// Offset of the data from the start of the file.
    var dataStart: Int { Self.lengthBytes + headerBytes }

    /// The header's length as the first 8 bytes of a file of `fileBytes` bytes give it.
    ///
    /// - Throws: `EmbedderError.malformedFile`.
    static func headerLength(
        prefix: [UInt8], fileBytes: Int, path: String
    ) throws(EmbedderError) -> Int {
        guard prefix.count == lengthBytes else {
            throw .malformedFile(path: path, problem: "it is too short for a header: it was cut off")
        }
        let length = prefix.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard length <= UInt64(maximumHeaderBytes) else {
            throw .malformedFile(path: path, problem: "it gives its header \(length) bytes: it is no safetensors file")
        }
        guard Int(length) <= fileBytes - lengthBytes else {
            throw .malformedFile(
                path: path, problem: "its header needs \(length) bytes, the file has \(fileBytes): it was cut off")
        }
        return Int(length)
    }

    /// Parses `header`, the JSON of a file of `fileBytes` bytes.
    ///
    /// - Throws: `EmbedderError.malformedFile` or `.malformedTensor`.
    init(json header: [UInt8], fileBytes: Int, path: String) throws(EmbedderError) {
        headerBytes = header.count
        let available = fileBytes - Self.lengthBytes - header.count
        precondition(available >= 0, "the header is longer than its file")
        let root: JSONValue
        do {
            root = try JSONReader.parse(header)
        } catch {
            throw .malformedFile(path: path, problem: "its header is no JSON: at byte \(error.offset) \(error.reason)")
        }
        guard let members = root.members else {
            throw .malformedFile(path: path, problem: "its header is \(root.kind) instead of an object")
        }
        var tensors: [String: TensorDescription] = [:]
        for member in members where member.key != "__metadata__" {
            let tensor: TensorDescription
            do {
                tensor = try Self.tensor(named: member.key, member.value, available: available)
            } catch {
                throw .malformedTensor(path: path, tensor: member.key, problem: error)
            }
            guard tensors.updateValue(tensor, forKey: member.key) == nil else {
                throw .malformedTensor(path: path, tensor: member.key, problem: .duplicate)
            }
        }
        try Self.checkLayout(tensors.values, available: available, path: path)
        self.tensors = tensors
    }

    private static func tensor(
        named name: String, _ value: JSONValue, available: Int
    ) throws(TensorProblem) -> TensorDescription {
        guard let typeName = value["dtype"]?.string else { throw .unknownType("") }
        guard let type = TensorType(rawValue: typeName) else { throw .unknownType(typeName) }
        guard let elements = value["shape"]?.elements else { throw .invalidShape }
        var shape: [Int] = []
        var needed = type.byteCount
        for element in elements {
            guard let extent = element.integer, extent >= 0 else { throw .invalidShape }
            let (product, overflow) = needed.multipliedReportingOverflow(by: extent)
            guard !overflow else { throw .invalidShape }
            needed = product
            shape.append(extent)
        }
        guard let offsets = value["data_offsets"]?.elements, offsets.count == 2,
            let begin = offsets[0].integer, let end = offsets[1].integer, begin >= 0, begin <= end
        else { throw .invalidOffsets }
        guard end <= available else { throw .outsideFile(end: end, available: available) }
        guard end - begin == needed else { throw .sizeMismatch(bytes: end - begin, needed: needed) }
        return TensorDescription(name: name, type: type, shape: shape, bytes: begin..<end)
    }

    /// The format wants the data covered exactly: no byte in two tensors, none in no tensor.
    private static func checkLayout(
        _ tensors: some Collection<TensorDescription>, available: Int, path: String
    ) throws(EmbedderError) {
        var end = 0
        var previous = ""
        let ordered = tensors.sorted {
            ($0.bytes.lowerBound, $0.bytes.upperBound) < ($1.bytes.lowerBound, $1.bytes.upperBound)
        }
        for tensor in ordered {
            guard tensor.bytes.lowerBound >= end else {
                throw .malformedTensor(path: path, tensor: tensor.name, problem: .overlaps(previous))
            }
            guard tensor.bytes.lowerBound == end else {
                let gap = tensor.bytes.lowerBound - end
                throw .malformedTensor(path: path, tensor: tensor.name, problem: .gap(bytes: gap))
            }
            end = tensor.bytes.upperBound
            previous = tensor.name
        }
        guard end == available else {
            throw .malformedFile(path: path, problem: "\(available - end) bytes follow its last tensor")
        }
    }
}

extension TensorProblem: Error {}
