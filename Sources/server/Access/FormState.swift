internal import HTTPTypes
internal import Platform

/// What a form shows again, and what is wrong with it.
struct FormState {
    /// What was typed, by field. Never a password.
    var values: [String: String] = [:]
    /// What concerns no field, for above the form.
    var problem: String?
    /// By field.
    var errors: [String: String] = [:]
    /// Of the reply with the form.
    var status: HTTPResponse.Status = .ok
    var headers: HTTPFields = [:]

    /// For the template: `email`, `email_error`, `problem`.
    var texts: [String: String] {
        var texts = values
        for (field, error) in errors { texts["\(field)_error"] = error }
        texts["problem"] = problem
        return texts
    }

    /// What is wrong is said in the title first: it is what a screen reader begins with after the form was sent.
    func title(_ page: String) -> String { problem == nil && errors.isEmpty ? page : "Error: \(page)" }

    /// Notes that a field is empty which must not be.
    mutating func lack(_ field: String, _ message: String) {
        errors[field] = message
        status = .unprocessableContent
    }

    /// Takes over what is wrong: beside its field, or above the form.
    mutating func take(_ problem: HTTPProblem) {
        (status, headers) = (problem.status, problem.headers)
        for error in problem.errors { errors[error.path] = Self.sentence(error.message) }
        if problem.errors.isEmpty { self.problem = Self.sentence(problem.detail) }
    }

    /// This form with what is wrong.
    ///
    /// - Throws: `error`, where it is the service's and not the reader's.
    func refused(by error: IdentityError) throws -> FormState {
        guard let problem = AccessProblems.problem(for: error) else { throw error }
        var state = self
        state.take(problem)
        return state
    }

    static func sentence(_ text: String) -> String {
        let start = text.prefix(1).uppercased() + text.dropFirst()
        return start.hasSuffix(".") ? start : start + "."
    }
}
