/// What tells one embedding space from another; vectors of two are never compared.
package struct SpaceRecord: Sendable, Equatable {
    package let id: String
    package let modelID: String
    package let weightsSHA256: String
    /// The rest of what defines it (pooling, prefixes, views) as JSON.
    package let description: String

    package init(id: String, modelID: String, weightsSHA256: String, description: String) {
        self.id = id
        self.modelID = modelID
        self.weightsSHA256 = weightsSHA256
        self.description = description
    }
}

/// Which text of which item a vector stands for.
package struct VectorKey: Sendable, Hashable {
    /// `career`, `phrase`, …
    package let itemKind: String
    /// For a phrase, the hash of its text.
    package let itemID: String
    package let view: String

    package init(itemKind: String, itemID: String, view: String) {
        self.itemKind = itemKind
        self.itemID = itemID
        self.view = view
    }
}

/// A vector of a space with what it was made from.
package struct VectorRecord: Sendable, Equatable {
    package let key: VectorKey
    /// Of the text that was embedded; another hash means that the vector is stale.
    package let textHash: String
    package let vector: [Float]

    package init(key: VectorKey, textHash: String, vector: [Float]) {
        self.key = key
        self.textHash = textHash
        self.vector = vector
    }

    /// CRC-32C of what the row says and of the vector's bytes, so that a vector in the wrong row is found too.
    static func checksum(space: String, key: VectorKey, textHash: String, bytes: [UInt8]) -> UInt32 {
        var checksum = CRC32C()
        for text in [space, key.itemKind, key.itemID, key.view, textHash] { checksum.update(text) }
        checksum.update(bytes)
        return checksum.value
    }
}

/// A stored vector that must not be used.
package struct DamagedVector: Sendable, Equatable {
    package enum Reason: String, Sendable {
        /// A column holds another type than it should; parts of the key may be empty.
        case unreadable
        /// Its bytes are not four for each of its dimensions.
        case length
        case checksum
        /// It holds NaN or an infinity.
        case notFinite = "not_finite"
    }

    package let key: VectorKey
    package let textHash: String
    package let reason: Reason
}

/// The vectors of a space: the sound ones, and those to be made anew.
package struct VectorSet: Sendable, Equatable {
    /// In ascending order of kind, item and view.
    package internal(set) var vectors: [VectorRecord] = []
    package internal(set) var damaged: [DamagedVector] = []
}
