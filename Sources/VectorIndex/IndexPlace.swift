internal import VectorMath

/// Where an index is kept between starts, and how much of it in memory.
package struct IndexPlace: Sendable, Equatable {
    /// Of the index file; the folder exists.
    package let path: String
    package let memory: IndexMemory

    package init(path: String, memory: IndexMemory) {
        self.path = path
        self.memory = memory
    }
}

extension LiveIndex {
    /// An index of `items`: read from its file where that was made of just these, else made, and written for the next time.
    ///
    /// The file only ever spares work. Where it is missing, of other items, damaged or cannot be written, the index is the
    /// same, in memory. Full indexes too small for codes have no file: they are made as quickly as read.
    ///
    /// - Returns: also what was wrong with the file, in words.
    /// - Throws: `IndexError` naming the item that does not fit.
    package static func kept(
        _ items: [IndexItem], at place: IndexPlace, layout: RowLayout = .standard,
        codesFrom: Int = CodePolicy.defaultLeastRows
    ) throws(IndexError) -> (index: LiveIndex, notes: [String]) {
        var notes: [String] = []
        let isFileDue = place.memory == .lean || items.count >= codesFrom
        let fingerprint = isFileDue ? ItemFingerprint.of(items, layout: layout) : ""
        var index: LiveIndex?
        if isFileDue {
            do throws(IndexFileError) {
                let reading = try open(place.path, layout: layout, memory: place.memory, codesFrom: codesFrom)
                if reading.fingerprint == fingerprint {
                    guard let remade = reading.codesRemade else { return (reading.index, notes) }
                    notes.append("the codes of \(place.path) were made anew: \(remade)")
                    index = reading.index
                }
            } catch {
                if case .missing = error {} else { notes.append("\(error)") }
            }
        }
        let kept: LiveIndex
        if let index {
            kept = index
        } else {
            kept = LiveIndex(layout: layout, memory: place.memory, codesFrom: codesFrom)
            try kept.replaceAll(with: items)
        }
        guard isFileDue else { return (kept, notes) }
        do throws(IndexFileError) {
            try kept.save(to: place.path, fingerprint: fingerprint)
        } catch {
            notes.append("the index is in memory alone: \(error)")
        }
        return (kept, notes)
    }
}

/// Tells collections of items apart by all that an index has of them.
private enum ItemFingerprint {
    /// 64 hexadecimal digits: SHA-256 of every item in order, its embedding as a CRC-32C.
    static func of(_ items: [IndexItem], layout: RowLayout) -> String {
        var hash = SHA256()
        var bytes: [UInt8] = []
        for number in [layout.embeddingCount, layout.abilityCount, items.count] { bytes.append32(number) }
        for item in items {
            bytes.append(sized: item.id.text)
            var checksum = CRC32C()
            switch item.source {
            case .values(let values):
                bytes.append32(values.count)
                checksum.update(values.span)
            case .snapshot(let rows, let row):
                bytes.append32(rows.dimension)
                rows.read(row: row) { checksum.update($0) }
            }
            bytes.append32(Int(checksum.value))
            bytes.append32(item.abilities.count)
            for value in item.abilities { bytes.append32(Int(value.bitPattern)) }
            bytes.append(sized: item.cluster)
            append(item.attributes, to: &bytes)
            if bytes.count >= 1 << 16 { flush(&bytes, into: &hash) }
        }
        flush(&bytes, into: &hash)
        return hash.finalise()
    }

    private static func append(_ attributes: [String: AttributeValue], to bytes: inout [UInt8]) {
        bytes.append32(attributes.count)
        for (name, value) in attributes.sorted(by: { $0.key < $1.key }) {
            bytes.append(sized: name)
            switch value {
            case .keywords(let words):
                bytes.append32(words.count)
                for word in words { bytes.append(sized: word) }
            case .number(let number):
                bytes.append32(Int(UInt32.max))
                bytes.append32(Int(number.bitPattern >> 32))
                bytes.append32(Int(number.bitPattern & 0xFFFF_FFFF))
            }
        }
    }

    private static func flush(_ bytes: inout [UInt8], into hash: inout SHA256) {
        // SAFETY: every byte of an array of bytes is initialised.
        hash.update(unsafe bytes.span.bytes)
        bytes.removeAll(keepingCapacity: true)
    }
}
