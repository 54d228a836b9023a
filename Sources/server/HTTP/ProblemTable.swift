import Hummingbird
import NIOCore
import NIOHTTP1

/// The one place where typed errors become statuses and codes.
///
/// Layers below throw their own errors and know nothing of HTTP. Each gets a line here, through `adding`; what
/// no line takes is a mistake of the service: 500, logged in full, told to nobody.
package struct ProblemTable: Sendable {
    package typealias Rule = @Sendable (any Error) -> HTTPProblem?

    private var rules: [Rule] = []

    package init() {}

    /// A table that also maps errors of type `Failure`; later additions are asked first.
    package func adding<Failure: Error>(
        _ type: Failure.Type, _ rule: @escaping @Sendable (Failure) -> HTTPProblem?
    ) -> ProblemTable {
        var table = self
        table.rules.insert({ ($0 as? Failure).flatMap(rule) }, at: 0)
        return table
    }

    /// The problem that `error` means.
    package func problem(for error: any Error) -> HTTPProblem {
        if let problem = error as? HTTPProblem { return problem }
        for rule in rules {
            if let problem = rule(error) { return problem }
        }
        switch error {
        case let error as JSONSyntaxError:
            return HTTPProblem(.malformedJSON, error.description)
        case let error as RequestReadError:
            return error.problem
        case is NIOTooManyBytesError:
            return HTTPProblem(.bodyTooLarge, "The body is larger than the service takes.")
        case is HTTPParserError:
            return HTTPProblem(.badRequest, "The body is not valid HTTP.", headers: [.connection: "close"])
        case let error as HTTPError:
            return problem(for: error)
        case let error as DecodingError:
            return HTTPProblem(.badRequest, "The request cannot be decoded.", cause: error)
        case let error as any HTTPResponseError:
            let code = ProblemCode.general(for: error.status)
            return HTTPProblem(code, code.title + ".", cause: error)
        case is CancellationError:
            return HTTPProblem(.cancelled, "The request was abandoned before it was answered.")
        default:
            return HTTPProblem(
                .internalError, "Something went wrong inside the service; the request id leads to it in the log.",
                cause: error)
        }
    }

    private func problem(for error: HTTPError) -> HTTPProblem {
        let code = ProblemCode.general(for: error.status)
        // The message of a client's error is written for the client; that of a server's error is not.
        guard error.status.kind == .clientError else { return HTTPProblem(code, code.title + ".", cause: error) }
        return HTTPProblem(code, error.body ?? code.title + ".", headers: error.headers)
    }
}
