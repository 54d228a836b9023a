import Foundation
import TestSupport
import Testing
import VectorMath

@testable import Embedder

/// Weights files, right and wrong.
struct SafetensorsTests {
    private static func open(_ bytes: [UInt8], _ body: (borrowing SafetensorsFile) throws -> Void) throws {
        let folder = try TemporaryDirectory("safetensors")
        let url = try folder.write(bytes, to: "model.safetensors")
        try withExtendedLifetime(folder) { try body(try SafetensorsFile(path: url.path)) }
    }

    private static func read(_ bytes: [UInt8], _ name: String, _ shape: [Int]) throws -> [Float] {
        var values: [Float] = []
        try open(bytes) { file in
            let buffer = try file.floats(name, shape: shape)
            values = (0..<buffer.count).map { buffer[$0] }
        }
        return values
    }

    @Test func `reads float32, float16 and bfloat16`() throws {
        var writer = SafetensorsWriter()
        writer.add("single", [2, 2], [1, -2.5, 0, 3.25])
        // 1, -2, the largest, the smallest subnormal
        writer.add("half", "F16", [4], [0x00, 0x3C, 0x00, 0xC0, 0xFF, 0x7B, 0x01, 0x00])
        // 1, -2, about pi
        writer.add("brain", "BF16", [3], [0x80, 0x3F, 0x00, 0xC0, 0x49, 0x40])
        #expect(try Self.read(writer.file, "single", [2, 2]) == [1, -2.5, 0, 3.25])
        #expect(try Self.read(writer.file, "half", [4]) == [1, -2, 65504, 0x1p-24])
        #expect(try Self.read(writer.file, "brain", [3]) == [1, -2, 3.140625])
    }

    @Test func `widens every half-precision number exactly`() {
        var bytes: [UInt8] = []
        for pattern in UInt16.min...UInt16.max { bytes += [UInt8(pattern & 0xFF), UInt8(pattern >> 8)] }
        var widened = [Float](repeating: 0, count: 65536)
        var span = widened.mutableSpan
        DenseMath.widen(bytes.span.bytes, from: .float16, into: &span)
        for pattern in UInt16.min...UInt16.max {
            let (sign, exponent, fraction) = (pattern >> 15, Int(pattern >> 10 & 0x1F), Double(pattern & 0x3FF))
            let magnitude =
                exponent == 31
                ? (fraction == 0 ? Double.infinity : .nan)
                : exponent == 0 ? fraction * 0x1p-24 : (1024 + fraction) * pow(2, Double(exponent - 25))
            let value = Double(widened[Int(pattern)])
            #expect(value == (sign == 1 ? -magnitude : magnitude) || (value.isNaN && magnitude.isNaN))
        }
    }

    @Test func `reads across its own pieces`() throws {
        let values = (0..<1_500_000).map { Float($0 % 8191) }
        var writer = SafetensorsWriter()
        writer.add("first", [3], [1, 2, 3])
        writer.add("large", [1000, 1500], values)
        #expect(try Self.read(writer.file, "large", [1000, 1500]) == values)
    }

    @Test func `reads a file without tensors`() throws {
        try Self.open(SafetensorsWriter.file(header: Array("{}   ".utf8))) { #expect($0.header.tensors.isEmpty) }
    }

    /// A way to damage the description of the second of two tensors, and the code of what should be said about it.
    struct Damage: CustomTestStringConvertible {
        let name: String
        let problem: TensorProblem
        let change: @Sendable (inout SafetensorsWriter) -> Void
        var testDescription: String { name }
    }

    static let damages: [Damage] = [
        Damage(name: "unknown type", problem: .unknownType("F7")) { $0.entries[1].type = "F7" },
        Damage(name: "shape of the wrong size", problem: .sizeMismatch(bytes: 16, needed: 20)) {
            $0.entries[1].shape = "[5]"
        },
        Damage(name: "negative extent", problem: .invalidShape) { $0.entries[1].shape = "[-4]" },
        Damage(name: "fractional extent", problem: .invalidShape) { $0.entries[1].shape = "[4.0]" },
        Damage(name: "shape that overflows", problem: .invalidShape) {
            $0.entries[1].shape = "[4294967296,4294967296]"
        },
        Damage(name: "shape that is no list", problem: .invalidShape) { $0.entries[1].shape = "4" },
        Damage(name: "one offset", problem: .invalidOffsets) { $0.entries[1].offsets = "[8]" },
        Damage(name: "descending offsets", problem: .invalidOffsets) { $0.entries[1].offsets = "[24,8]" },
        Damage(name: "negative offset", problem: .invalidOffsets) { $0.entries[1].offsets = "[-8,8]" },
        Damage(name: "offset beyond integers", problem: .invalidOffsets) {
            $0.entries[1].offsets = "[8,99999999999999999999]"
        },
        Damage(name: "offset outside the file", problem: .outsideFile(end: 1008, available: 24)) {
            $0.entries[1].offsets = "[992,1008]"
        },
        Damage(name: "overlap", problem: .overlaps("first")) { $0.entries[1].offsets = "[4,20]" },
        Damage(name: "gap", problem: .gap(bytes: 4)) {
            $0.data += [0, 0, 0, 0]
            $0.entries[1].offsets = "[12,28]"
        },
        Damage(name: "described twice", problem: .duplicate) { $0.entries.append($0.entries[1]) },
        Damage(name: "cut off", problem: .outsideFile(end: 24, available: 23)) { $0.data.removeLast() },
    ]

    @Test(arguments: damages)
    func `refuses a damaged description`(damage: Damage) throws {
        var writer = SafetensorsWriter()
        writer.add("first", [2], [1, 2])
        writer.add("second", [4], [3, 4, 5, 6])
        damage.change(&writer)
        #expect {
            try Self.open(writer.file) { _ in }
        } throws: { error in
            guard case EmbedderError.malformedTensor(_, "second", damage.problem) = error else {
                Issue.record("\(error)")
                return false
            }
            return true
        }
    }

    @Test(
        arguments: [
            [], [1, 2, 3], SafetensorsWriter.file(header: Array("{}".utf8), length: 3),
            SafetensorsWriter.file(header: Array("{}".utf8), length: .max),
            SafetensorsWriter.file(header: Array("{}".utf8), length: 99_999_999),
            SafetensorsWriter.file(header: Array("[]".utf8)), SafetensorsWriter.file(header: Array("{".utf8)),
            SafetensorsWriter.file(header: [0xFF, 0xFE]), SafetensorsWriter.file(header: []),
            SafetensorsWriter.file(header: Array("{}".utf8), data: [0]),
            Array("version https://git-lfs.github.com/spec/v1\noid sha256:53aa".utf8),
        ] as [[UInt8]])
    func `refuses a damaged file`(bytes: [UInt8]) {
        #expect {
            try Self.open(bytes) { _ in }
        } throws: { ($0 as? EmbedderError)?.code == "malformed_file" }
    }

    @Test func `refuses what is not the wanted tensor`() throws {
        var writer = SafetensorsWriter()
        writer.add("whole", "I64", [1], [1, 0, 0, 0, 0, 0, 0, 0])
        writer.add("bad", [2], [1, .nan])
        writer.add("vector", [4], [1, 2, 3, 4])
        let bytes = writer.file
        #expect { try Self.read(bytes, "absent", [4]) } throws: { ($0 as? EmbedderError)?.code == "tensor_missing" }
        let problems: [(String, [Int], TensorProblem)] = [
            ("whole", [1], .notFloatingPoint("I64")), ("bad", [2], .notFinite),
            ("vector", [2, 2], .unexpectedShape([4], expected: [2, 2])),
        ]
        for (name, shape, problem) in problems {
            #expect { try Self.read(bytes, name, shape) } throws: { error in
                guard case EmbedderError.malformedTensor(_, name, problem) = error else { return false }
                return true
            }
        }
        #expect { _ = try SafetensorsFile(path: "/nonexistent/model.safetensors") } throws: {
            ($0 as? EmbedderError)?.code == "file_missing"
        }
    }

    @Test func `survives any damage with a typed error`() throws {
        let whole = TinyModel(hidden: 8, heads: 2, layers: 1, intermediate: 8, positions: 8).weights
        var random = SeededGenerator(seed: 5)
        var refused = 0
        for _ in 0..<2000 {
            var header = Array(whole.header.utf8)
            switch Int.random(in: 0..<4, using: &random) {
            case 0:
                header[Int.random(in: header.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
            case 1:
                // A digit for a digit: offsets and extents that look right.
                let digits = header.indices.filter { header[$0] >= 0x30 && header[$0] <= 0x39 }
                if let place = digits.randomElement(using: &random) {
                    header[place] = UInt8.random(in: 0x30...0x39, using: &random)
                }
            case 2:
                header.insert(
                    UInt8.random(in: 0x30...0x39, using: &random), at: Int.random(in: header.indices, using: &random))
            default:
                header.removeLast(Int.random(in: 0..<header.count, using: &random))
            }
            var bytes = SafetensorsWriter.file(header: header, data: whole.data)
            if Bool.random(using: &random) { bytes.removeLast(Int.random(in: 0...bytes.count, using: &random)) }
            let length = Array(bytes.prefix(8))
            do {
                let count = try SafetensorsHeader.headerLength(prefix: length, fileBytes: bytes.count, path: "f")
                let parsed = try SafetensorsHeader(json: Array(bytes[8..<8 + count]), fileBytes: bytes.count, path: "f")
                let available = bytes.count - parsed.dataStart
                for tensor in parsed.tensors.values {
                    #expect(tensor.bytes.upperBound <= available && tensor.bytes.lowerBound >= 0, "\(random)")
                    #expect(tensor.shape.reduce(tensor.type.byteCount, *) == tensor.bytes.count, "\(random)")
                }
            } catch {
                refused += 1
            }
        }
        #expect(refused > 1000)
    }
}
