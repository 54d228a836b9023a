/// What one check of `pathlight doctor` found.
package struct DoctorFinding: Sendable, Equatable {
    /// From the best to the worst.
    package enum State: String, Sendable, CaseIterable, Comparable {
        case good = "ok"
        /// The service starts whole; somebody should look all the same.
        case warning
        /// The service starts, degraded.
        case degraded
        /// The service does not start.
        case broken

        private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }

        package static func < (left: State, right: State) -> Bool { left.rank < right.rank }
    }

    package let subject: String
    package let state: State
    package let detail: String

    package init(subject: String, state: State, detail: String) {
        self.subject = subject
        self.state = state
        self.detail = detail
    }

    /// One line for people.
    package var line: String {
        let name = state.rawValue
        return name + String(repeating: " ", count: max(0, 9 - name.utf8.count)) + "\(subject): \(detail)"
    }

    /// All findings as one document for programs.
    package static func document(_ findings: [DoctorFinding], version: String) -> [UInt8] {
        var json = JSONWriter()
        json.object { json in
            json.field("status", (findings.map(\.state).max() ?? .good).rawValue)
            json.field("version", version)
            json.name("checks")
            json.array(of: findings) { json, finding in
                json.object { json in
                    json.field("subject", finding.subject)
                    json.field("state", finding.state.rawValue)
                    json.field("detail", finding.detail)
                }
            }
        }
        return json.finishBytes()
    }
}
