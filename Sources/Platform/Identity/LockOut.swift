internal import Foundation
internal import Store

/// How long to wait after so many failures, and when they are forgotten.
struct LockOut: Sendable {
    /// So many failures bring no wait yet; the last of them does.
    let failures: Int
    let forgetsAfter: TimeInterval

    private static let backOff = BackOff(first: .seconds(1), longest: .seconds(900))

    /// Of one account, whoever tries.
    static let ofAccount = LockOut(failures: 5, forgetsAfter: 86_400)
    /// Of one address, whatever account it tries; more, since a school's computers share one.
    static let ofAddress = LockOut(failures: 20, forgetsAfter: 3_600)

    /// The wait after `count` failures: 1, 2, 4 … 900 s.
    func wait(after count: Int) -> Duration? {
        count < failures ? nil : Self.backOff.bound(afterFailures: count - failures + 1)
    }

    func limit(of subject: String) -> SignInLimit {
        SignInLimit(subject: subject, forgetsAfter: forgetsAfter) { count in
            wait(after: count).map { TimeInterval($0.components.seconds) }
        }
    }
}
