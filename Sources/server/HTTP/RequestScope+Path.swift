import Foundation
import Hummingbird

extension RequestScope {
    /// The route's pattern, such as `/api/careers/{id}`, and never a path; `unmatched` for a request that no route takes.
    var route: String {
        guard let pattern = endpointPath, pattern != ProblemMiddleware.unmatched else { return "unmatched" }
        return pattern
    }

    /// The id that a route's pattern takes out of the path, percent-decoded (RFC 3986, section 2.1): `a%2Fb` is the id
    /// “a/b”. The router splits the path before, so that an encoded slash separates nothing.
    ///
    /// - Parameter missing: the problem of an id that nothing has, for one with NUL, which no store can hold.
    /// - Throws: `HTTPProblem` (`bad_request`) for what is not percent-encoded UTF-8, or what `missing` gives.
    func pathID(_ name: String, missing: (String) -> HTTPProblem) throws -> String {
        let given = try parameters.require(name)
        guard let id = given.removingPercentEncoding else {
            throw HTTPProblem(
                .badRequest,
                "“\(excerpt(of: given))” in the path is not percent-encoded UTF-8; a “%” itself is written “%25”.")
        }
        guard !id.utf8.contains(0) else { throw missing(id) }
        return id
    }
}
