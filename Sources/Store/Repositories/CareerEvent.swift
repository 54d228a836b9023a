package import Foundation

/// What somebody did with a career.
package enum CareerEventKind: String, Sendable, CaseIterable {
    case saved, viewed, dismissed, chosen

    /// What recording this takes back: nobody keeps what they put aside.
    var opposite: CareerEventKind? {
        switch self {
        case .saved: .dismissed
        case .dismissed: .saved
        case .viewed, .chosen: nil
        }
    }
}

/// Something that somebody did with a career.
package struct CareerEvent: Sendable, Equatable {
    package let id: String
    package let kind: CareerEventKind
    /// Nil for a view outside of any session.
    package let sessionID: String?
    package let careerID: String
    /// The recommendation that showed the career, where one did.
    package let recommendationID: String?
    package let createdAt: Date

    package init(
        id: String, kind: CareerEventKind, sessionID: String?, careerID: String, recommendationID: String?,
        createdAt: Date
    ) {
        self.id = id
        self.kind = kind
        self.sessionID = sessionID
        self.careerID = careerID
        self.recommendationID = recommendationID
        self.createdAt = createdAt
    }

    /// - Throws: `StoreError` of code `unexpectedValue` for a row that no version of this program writes.
    init(_ row: SQLRow) throws {
        id = try row.text("id")
        let kindName = try row.text("kind")
        guard let kind = CareerEventKind(rawValue: kindName) else {
            throw StoreError(.unexpectedValue, "an event is of the unknown kind “\(kindName)”")
        }
        self.kind = kind
        sessionID = try row.optionalText("session_id")
        careerID = try row.text("career_id")
        recommendationID = try row.optionalText("recommendation_id")
        createdAt = try row.time("created_at")
    }
}

/// A career that somebody put aside.
package struct SavedCareer: Sendable, Equatable {
    package let careerID: String
    package let savedAt: Date

    package init(careerID: String, savedAt: Date) {
        self.careerID = careerID
        self.savedAt = savedAt
    }
}

/// An event with the recommendation that led to it.
package struct FeedbackRow: Sendable, Equatable {
    package let event: CareerEvent
    /// What was asked, as JSON.
    package let request: String?
    /// What ranked the careers, as JSON.
    package let query: String?
    /// The careers shown, best first.
    package let careerIDs: [String]

    package init(event: CareerEvent, request: String?, query: String?, careerIDs: [String]) {
        self.event = event
        self.request = request
        self.query = query
        self.careerIDs = careerIDs
    }
}
