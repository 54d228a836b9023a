/// What an index file says of its codes: enough that a program which cuts planes in another way knows them for foreign.
///
///       0    4    version of the codes: how a coordinate becomes a code and what the records say
///       4    4    P, planes
///       8    4    floats of a record
///      12    4    floats of a row's abilities beside the codes
///      16    4    coordinates
///      20    4    zero
///      24    8    the greatest norm of an embedding, float64
///      32    8    mean squared norm past the first plane, float64
///      40         for each plane: its first coordinate (4), its coordinates (4), bits of a code (4), the greatest residual
///                 of a row (float32)
struct CodeHeader: Equatable {
    struct Plane: Equatable {
        let coordinates: Range<Int>
        var bits = 8
        let greatestResidual: Float
    }

    /// 2: records end with the coarse residual.
    static let currentVersion: UInt32 = 2

    var version = currentVersion
    let recordCount: Int
    let abilityWidth: Int
    let coordinateCount: Int
    let greatestEmbeddingNorm: Double
    let meanTail: Double
    let planes: [Plane]

    init(
        recordCount: Int, abilityWidth: Int, coordinateCount: Int, greatestEmbeddingNorm: Double, meanTail: Double,
        planes: [Plane]
    ) {
        self.recordCount = recordCount
        self.abilityWidth = abilityWidth
        self.coordinateCount = coordinateCount
        self.greatestEmbeddingNorm = greatestEmbeddingNorm
        self.meanTail = meanTail
        self.planes = planes
    }

    func encoded() -> [UInt8] {
        var bytes = ByteWriter(count: 40 + planes.count * 16)
        let numbers = [
            version, UInt32(planes.count), UInt32(recordCount), UInt32(abilityWidth), UInt32(coordinateCount),
        ]
        for (i, number) in numbers.enumerated() { bytes.put(number, at: i * 4) }
        bytes.put(greatestEmbeddingNorm.bitPattern, at: 24)
        bytes.put(meanTail.bitPattern, at: 32)
        for (p, plane) in planes.enumerated() {
            let start = 40 + p * 16
            bytes.put(UInt32(plane.coordinates.lowerBound), at: start)
            bytes.put(UInt32(plane.coordinates.count), at: start + 4)
            bytes.put(UInt32(plane.bits), at: start + 8)
            bytes.put(plane.greatestResidual.bitPattern, at: start + 12)
        }
        return bytes.bytes
    }

    /// - Returns: nil where the bytes are none of a version that is known here.
    init?(_ bytes: Span<UInt8>) {
        guard bytes.count >= 40, bytes.number32(at: 0) == Self.currentVersion else { return nil }
        let count = Int(bytes.number32(at: 4))
        guard bytes.count == 40 + count * 16 else { return nil }
        recordCount = Int(bytes.number32(at: 8))
        abilityWidth = Int(bytes.number32(at: 12))
        coordinateCount = Int(bytes.number32(at: 16))
        greatestEmbeddingNorm = Double(bitPattern: bytes.number64(at: 24))
        meanTail = Double(bitPattern: bytes.number64(at: 32))
        planes = (0..<count).map { p in
            let first = Int(bytes.number32(at: 40 + p * 16))
            return Plane(
                coordinates: first..<first + Int(bytes.number32(at: 44 + p * 16)),
                bits: Int(bytes.number32(at: 48 + p * 16)),
                greatestResidual: Float(bitPattern: bytes.number32(at: 52 + p * 16)))
        }
        guard greatestEmbeddingNorm >= 0, greatestEmbeddingNorm.isFinite, meanTail >= 0, meanTail.isFinite,
            planes.allSatisfy({ $0.greatestResidual >= 0 && $0.greatestResidual.isFinite })
        else { return nil }
    }
}
