/// A provider outside this process that turns texts into vectors: slow at times, refusing at others, or gone.
///
/// The engine knows neither who it is nor how it is reached; the server fulfils this with the gateway to models outside.
package protocol TextVectorSource: Sendable {
    /// Unit vectors of 768 numbers, in the order of the texts; there within `limit`, or an error is.
    ///
    /// - Throws: `VectorsUnavailable`; `CancellationError` where the caller was cancelled.
    func vectors(of texts: [String], role: TextRole, within limit: Duration) async throws -> [[Float]]
}

/// Why a provider outside gave no vectors. What people asked is answered without those texts.
package struct VectorsUnavailable: Error, Sendable, Equatable, CustomStringConvertible {
    /// A stable word for replies marked degraded and for metrics.
    package let reason: String
    /// What is wrong, in words that hold neither a key nor anything that people wrote.
    package let description: String
    /// Whether the same may succeed later without anybody mending anything.
    package let isTransient: Bool
    /// How long to wait at least before the next attempt, where that is known.
    package let retryAfter: Duration?
    /// Whether it may be for what one of the texts is: without that one the others may be read.
    package let isAboutTexts: Bool

    package init(
        reason: String, description: String, isTransient: Bool, retryAfter: Duration? = nil, isAboutTexts: Bool = false
    ) {
        self.reason = reason
        self.description = description
        self.isTransient = isTransient
        self.retryAfter = retryAfter
        self.isAboutTexts = isAboutTexts
    }

    /// The same, with the beginning of a text of the product's own that is refused.
    func naming(_ text: String) -> VectorsUnavailable {
        let beginning = text.prefix(60).split(whereSeparator: \.isWhitespace).joined(separator: " ")
        return VectorsUnavailable(
            reason: reason, description: "\(description); it is the text that begins with “\(beginning)”",
            isTransient: isTransient, retryAfter: retryAfter, isAboutTexts: true)
    }

    /// The same, where texts that nobody wrote are refused as well: it is not for what one of them says.
    var ofAllTexts: VectorsUnavailable {
        VectorsUnavailable(
            reason: reason, description: description, isTransient: isTransient, retryAfter: retryAfter)
    }

    /// Of two failures the one that says more: what fails for all rather than what fails for one, and the first of two
    /// that are alike.
    static func graver(_ first: VectorsUnavailable?, _ second: VectorsUnavailable?) -> VectorsUnavailable? {
        guard let first else { return second }
        guard let second else { return first }
        return first.isAboutTexts && !second.isAboutTexts ? second : first
    }

    private static let changed = "model_changed"

    /// Whether it is that another model answers under the same name.
    package var isChange: Bool { reason == Self.changed }

    /// The model gives other vectors than those that the space has.
    static func changed(_ model: String, cosine: Double) -> VectorsUnavailable {
        VectorsUnavailable(
            reason: changed,
            description:
                "\(model) gives other vectors than those that the careers have (cosine \(hundredths(cosine)) of the same "
                + "text), so that nothing is compared; “pathlight reembed --model \(model)” embeds the careers anew",
            isTransient: false)
    }

    /// What a reply tells that is given without the texts.
    package var degradation: Degradation {
        Degradation(
            reason: .init(rawValue: reason),
            detail: "What was written could not be read, and does not count: \(description). Everything else does.")
    }

    private static func hundredths(_ value: Double) -> String { String((value * 100).rounded() / 100) }
}
