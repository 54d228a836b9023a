internal import Monitor
internal import Store

/// Runs, students and lists as JSON.
enum MonitorWriter {
    /// - Parameter isWhole: with its report, which a list leaves out.
    static func write(_ run: MonitorRunRecord, isWhole: Bool, to json: inout JSONWriter) {
        json.object { json in
            json.field("id", run.id)
            json.field("reason", run.reason.rawValue)
            json.field("state", run.state.rawValue)
            json.field("started_at", run.startedAt)
            json.name("ended_at")
            if let endedAt = run.endedAt { json.value(endedAt) } else { json.null() }
            guard isWhole else { return }
            json.name("report")
            if let report = try? JSONParser.parse(Array(run.report.utf8)) { json.value(report) } else { json.null() }
        }
    }

    /// What a student said.
    static func write(_ student: StudentRecord, to json: inout JSONWriter) {
        json.object { json in
            json.field("username", student.input.username)
            json.field("name", student.input.name)
            json.field("hometown", student.input.hometown)
            json.field("course", student.input.course)
            json.field("interests", student.input.interests)
            json.field("source", student.source.rawValue)
            json.field("updated_at", student.updatedAt)
        }
    }

    /// - Parameter isGone: whether the catalogue has lost it since.
    static func write(_ career: ListedCareer, isGone: Bool, to json: inout JSONWriter) {
        json.object { json in
            json.field("career_id", career.careerID)
            json.field("career", career.career)
            json.name("score")
            if let score = career.score { json.value(oneDecimal: score) } else { json.null() }
            json.field("band", career.band)
            json.field("cluster", career.cluster)
            json.field("salary_range", career.salaryRange)
            json.field("skills", career.skills)
            json.field("reason", career.reason)
            json.field("origin", career.origin)
            json.field("in_catalogue", career.inCatalogue && !isGone)
            json.field("is_gone", isGone)
        }
    }

    /// - Parameter isGone: whether the catalogue has lost it since.
    static func write(_ path: CoursePath, isGone: Bool, to json: inout JSONWriter) {
        json.object { json in
            json.field("career_id", path.careerID)
            json.field("career", path.career)
            json.field("salary_range", path.salaryRange)
            json.field("skills", path.skills)
            json.field("industry", path.industry)
            json.field("reason", path.reason)
            json.field("origin", path.origin)
            json.field("in_catalogue", path.inCatalogue && !isGone)
            json.field("is_gone", isGone)
        }
    }
}
