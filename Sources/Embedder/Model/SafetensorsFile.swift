import Foundation
import VectorMath

// Reading weights. The file is read, not mapped: a mapped file that another process cuts off ends the
// service with SIGBUS, a short read is an error that can be told.

/// An open safetensors file whose header has been checked.
struct SafetensorsFile: ~Copyable {
    /// Bytes read at a time; bounds the memory beside the weights themselves.
    private static let chunkBytes = 4 << 20

    let path: String
    let header: SafetensorsHeader
    private let handle: FileHandle

    /// Opens the file and checks its header against its size.
    ///
    /// - Throws: `EmbedderError`, naming the file, the tensor and how to mend it.
    init(path: String) throws(EmbedderError) {
        self.path = path
        (handle, header) = try Self.open(path)
    }

    private static func open(_ path: String) throws(EmbedderError) -> (FileHandle, SafetensorsHeader) {
        guard FileManager.default.fileExists(atPath: path) else { throw .fileMissing(path: path) }
        do {
            let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            let size = try Int(clamping: handle.seekToEnd())
            try handle.seek(toOffset: 0)
            let prefix = try handle.read(upToCount: SafetensorsHeader.lengthBytes) ?? Data()
            let length = try SafetensorsHeader.headerLength(prefix: [UInt8](prefix), fileBytes: size, path: path)
            let json = try handle.read(upToCount: length) ?? Data()
            guard json.count == length else {
                throw EmbedderError.malformedFile(path: path, problem: "its header was cut off")
            }
            return (handle, try SafetensorsHeader(json: [UInt8](json), fileBytes: size, path: path))
        } catch let error as EmbedderError {
            throw error
        } catch {
            throw .fileUnreadable(path: path, reason: error.localizedDescription)
        }
    }

    deinit { try? handle.close() }

    /// Checks that tensor `name` is there, holds weights and has `shape`.
    ///
    /// - Throws: `EmbedderError.tensorMissing` or `.malformedTensor`.
    @discardableResult
    func check(_ name: String, shape: [Int]) throws(EmbedderError) -> DenseMath.StoredFloat {
        guard let tensor = header.tensors[name] else { throw .tensorMissing(path: path, tensor: name) }
        guard tensor.shape == shape else {
            throw malformed(name, .unexpectedShape(tensor.shape, expected: shape))
        }
        switch tensor.type {
        case .f32: return .float32
        case .f16: return .float16
        case .bf16: return .bfloat16
        default: throw malformed(name, .notFloatingPoint(tensor.type.rawValue))
        }
    }

    /// Tensor `name` of `shape` as float32; F16 and BF16 are widened.
    ///
    /// - Throws: as `check(_:shape:)`, and `EmbedderError` if reading fails or finds a number that is not finite.
    func floats(_ name: String, shape: [Int]) throws(EmbedderError) -> AlignedBuffer<Float> {
        // Before the memory is taken: a shape that only config.json believes in may be gigantic.
        let format = try check(name, shape: shape)
        var buffer = AlignedBuffer<Float>(count: shape.reduce(1, *), repeating: 0)
        var span = buffer.mutableSpan
        try read(name, as: format, into: &span)
        return buffer
    }

    private func read(
        _ name: String, as format: DenseMath.StoredFloat, into output: inout MutableSpan<Float>
    ) throws(EmbedderError) {
        guard let tensor = header.tensors[name] else { throw .tensorMissing(path: path, tensor: name) }
        do {
            try handle.seek(toOffset: UInt64(header.dataStart + tensor.bytes.lowerBound))
            var done = 0
            while done < output.count {
                let elements = min(Self.chunkBytes / format.byteCount, output.count - done)
                let wanted = elements * format.byteCount
                let chunk = try handle.read(upToCount: wanted) ?? Data()
                guard chunk.count == wanted else {
                    throw EmbedderError.malformedFile(path: path, problem: "it was cut off while it was read")
                }
                var part = output.part(done..<done + elements)
                DenseMath.widen(chunk.bytes, from: format, into: &part)
                done += elements
            }
        } catch let error as EmbedderError {
            throw error
        } catch {
            throw .fileUnreadable(path: path, reason: error.localizedDescription)
        }
        guard DenseMath.allFinite(output.span) else { throw malformed(name, .notFinite) }
    }

    private func malformed(_ name: String, _ problem: TensorProblem) -> EmbedderError {
        .malformedTensor(path: path, tensor: name, problem: problem)
    }
}
