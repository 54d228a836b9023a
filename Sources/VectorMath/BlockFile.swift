internal import Glibc
internal import Synchronization

/// A file that is read in blocks with checksums: straight to where the bytes are used, on all processors.
///
/// Each worker takes the next block, reads a piece of it and adds the piece to the block's CRC-32C while it is in the
/// cache. Nothing is copied but by the system, from its page cache to the place.
@safe package final class BlockFile: Sendable {
    /// Bytes under one checksum; the last block of a section has fewer.
    package static var blockBytes: Int { 4 << 20 }
    /// Bytes read at a time: a quarter of a second-level cache.
    private static var pieceBytes: Int { 256 << 10 }
    /// Blocks that the system is asked for ahead of the workers: keeps a disk busy while bytes are checked.
    private static var blocksAhead: Int { 4 }

    package let path: String
    package let size: Int
    private let descriptor: Int32

    /// - Throws: `BlockFileError.system`.
    package init(opening path: String) throws(BlockFileError) {
        descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system(operation: "opening", path: path, code: errno) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else {
            let code = errno
            _ = close(descriptor)
            throw .system(operation: "looking at", path: path, code: code)
        }
        size = Int(status.st_size)
        self.path = path
    }

    deinit { _ = close(descriptor) }

    /// Whether the file is not there, which is no error of anybody's.
    package static func isMissing(_ path: String) -> Bool { unsafe access(path, F_OK) != 0 && errno == ENOENT }

    /// How many checksums so many bytes have.
    package static func blockCount(of bytes: Int) -> Int { (bytes + blockBytes - 1) / blockBytes }

    /// Bytes without a checksum of their own here.
    package func bytes(_ range: Range<Int>) throws(BlockFileError) -> [UInt8] {
        guard range.lowerBound >= 0, range.upperBound <= size else { throw .cutOff(path: path) }
        let result: Result<[UInt8], BlockFileError> = {
            var failure: BlockFileError?
            let bytes = unsafe [UInt8](unsafeUninitializedCapacity: range.count) { target, count in
                do throws(BlockFileError) {
                    if let base = target.baseAddress {
                        unsafe try read(into: UnsafeMutableRawPointer(base), count: range.count, at: range.lowerBound)
                    }
                    count = range.count
                } catch {
                    failure = error
                    count = 0
                }
            }
            return failure.map { .failure($0) } ?? .success(bytes)
        }()
        return try result.get()
    }

    /// `count` elements from `offset` on as an array.
    package func array<Element: BitwiseCopyable & Sendable>(
        of: Element.Type, count: Int, at offset: Int, checksums: [UInt32]
    ) throws(BlockFileError) -> [Element] {
        let bytes = try byteCount(of: Element.self, count)
        var failure: BlockFileError?
        let array = unsafe [Element](unsafeUninitializedCapacity: count) { target, initialised in
            let base = unsafe target.baseAddress.map { UnsafeMutableRawPointer($0) }
            failure = unsafe load(into: base, bytes: bytes, at: offset, checksums: checksums)
            initialised = failure == nil ? count : 0
        }
        if let failure { throw failure }
        return array
    }

    /// `count` elements from `offset` on, in aligned memory.
    package func buffer<Element: BitwiseCopyable>(
        of: Element.Type, count: Int, at offset: Int, checksums: [UInt32]
    ) throws(BlockFileError) -> FrozenBuffer<Element> {
        let bytes = try byteCount(of: Element.self, count)
        // SAFETY: filled below, or given up.
        let buffer = AlignedBuffer<Element>(unsafeUninitialised: count)
        let failure = unsafe load(
            into: UnsafeMutableRawPointer(buffer.base), bytes: bytes, at: offset, checksums: checksums)
        if let failure { throw failure }
        return FrozenBuffer(buffer)
    }

    /// `count` elements from `offset` on where they are, in the file: they take memory only while they are used.
    ///
    /// The bytes are checked once, here, through a small buffer. The file must not be cut while it is mapped: who replaces
    /// it puts another file in its place (`BlockFileWriter`), and the old one lasts until nobody maps it any more.
    ///
    /// - Parameter offset: a multiple of 64 KiB, the greatest page that systems of ours have.
    package func mapping<Element: BitwiseCopyable>(
        of: Element.Type, count: Int, at offset: Int, checksums: [UInt32]
    ) throws(BlockFileError) -> FrozenBuffer<Element> {
        let bytes = try byteCount(of: Element.self, count)
        try verify(bytes: bytes, at: offset, checksums: checksums)
        guard bytes > 0 else { return FrozenBuffer(AlignedBuffer(zeroed: 0)) }
        let start = unsafe mmap(nil, bytes, PROT_READ, MAP_SHARED, descriptor, offset)
        guard let start = unsafe start, unsafe start != MAP_FAILED else {
            throw .system(operation: "mapping", path: path, code: errno)
        }
        // Rows are picked singly; reading around them would push out what is needed.
        // SAFETY: advice on the mapping that was just made.
        unsafe _ = madvise(start, bytes, MADV_RANDOM)
        return FrozenBuffer(unsafe AlignedBuffer(unsafeMapping: start, bytes: bytes, count: count))
    }

    /// Holds bytes against their checksums without keeping them.
    package func verify(bytes: Int, at offset: Int, checksums: [UInt32]) throws(BlockFileError) {
        if let failure = unsafe load(into: nil, bytes: bytes, at: offset, checksums: checksums) { throw failure }
    }

    private func byteCount<Element>(of: Element.Type, _ count: Int) throws(BlockFileError) -> Int {
        let (bytes, overflow) = count.multipliedReportingOverflow(by: MemoryLayout<Element>.stride)
        guard count >= 0, !overflow, bytes <= size else { throw .cutOff(path: path) }
        return bytes
    }

    /// Reads and checks `bytes` from `offset` on.
    ///
    /// - Parameter target: room for them, or nil to check alone.
    /// - Returns: what was wrong first, or nil.
    private func load(
        into target: UnsafeMutableRawPointer?, bytes: Int, at offset: Int, checksums: [UInt32]
    ) -> BlockFileError? {
        guard offset >= 0, offset <= size, bytes <= size - offset else { return .cutOff(path: path) }
        let blocks = Self.blockCount(of: bytes)
        guard checksums.count == blocks else { return .checksum(block: min(blocks, checksums.count)) }
        let target = unsafe Place(start: target)
        let next = Atomic<Int>(0)
        let failures = Mutex<[(block: Int, error: BlockFileError)]>([])
        for block in 0..<min(blocks, Self.blocksAhead) { expect(block, of: bytes, at: offset) }
        WorkerThreads.concurrently(min(blocks, WorkerThreads.processorCount)) { _ in
            let scratch =
                unsafe target.start == nil
                ? UnsafeMutableRawPointer.allocate(byteCount: Self.pieceBytes, alignment: 64) : nil
            defer { unsafe scratch?.deallocate() }
            while true {
                let block = next.wrappingAdd(1, ordering: .relaxed).oldValue
                guard block < blocks, failures.withLock({ $0.isEmpty }) else { return }
                expect(block + Self.blocksAhead, of: bytes, at: offset)
                let range = block * Self.blockBytes..<min((block + 1) * Self.blockBytes, bytes)
                do throws(BlockFileError) {
                    let found = unsafe try checksum(of: range, at: offset, into: target.start, or: scratch)
                    if found != checksums[block] { throw .checksum(block: block) }
                } catch {
                    failures.withLock { $0.append((block, error)) }
                }
            }
        }
        return failures.withLock { $0.min { $0.block < $1.block }?.error }
    }

    /// - Parameter range: a block of the bytes from `offset` on.
    private func checksum(
        of range: Range<Int>, at offset: Int, into target: UnsafeMutableRawPointer?,
        or scratch: UnsafeMutableRawPointer?
    ) throws(BlockFileError) -> UInt32 {
        var sum = CRC32C()
        for start in stride(from: range.lowerBound, to: range.upperBound, by: Self.pieceBytes) {
            let count = min(Self.pieceBytes, range.upperBound - start)
            guard let place = unsafe target.map({ unsafe $0 + start }) ?? scratch else { return 0 }
            unsafe try read(into: place, count: count, at: offset + start)
            // SAFETY: `count` bytes were just written there.
            sum.update(unsafe Span(_unsafeStart: place.assumingMemoryBound(to: UInt8.self), count: count))
        }
        return sum.value
    }

    private func read(into target: UnsafeMutableRawPointer, count: Int, at offset: Int) throws(BlockFileError) {
        var done = 0
        while done < count {
            // SAFETY: the target has room for `count` bytes.
            let got = unsafe pread(descriptor, target + done, count - done, offset + done)
            if got > 0 {
                done += got
            } else if got == 0 {
                throw .cutOff(path: path)
            } else if errno != EINTR {
                throw .system(operation: "reading", path: path, code: errno)
            }
        }
    }

    private func expect(_ block: Int, of bytes: Int, at offset: Int) {
        let start = block * Self.blockBytes
        guard start < bytes else { return }
        _ = posix_fadvise(descriptor, offset + start, min(Self.blockBytes, bytes - start), POSIX_FADV_WILLNEED)
    }

    /// Memory that workers fill, each its own blocks.
    @safe private struct Place: @unchecked Sendable {
        // SAFETY (of @unchecked Sendable): no two workers take the same block.
        let start: UnsafeMutableRawPointer?
    }
}

extension BlockFileError {
    static func text(of code: Int32) -> String { unsafe strerror(code).map { unsafe String(cString: $0) } ?? "\(code)" }
}
