internal import Foundation
internal import Store

/// How long to wait after so many failures, and when they are forgotten.
struct LockOut: Sendable {
    /// So many failures bring no wait yet; the last of them does.
    let failures: Int
    let forgetsAfter: TimeInterval
    var backOff = BackOff(first: .seconds(1), longest: .seconds(900))

    /// Of one account, whoever tries.
    static let ofAccount = LockOut(failures: 5, forgetsAfter: 86_400)
    /// Of one address, whatever account it tries; more, since a school's computers share one.
    static let ofAddress = LockOut(failures: 20, forgetsAfter: 3_600)
    /// Of accounts that one network asks for, those that it gets included: each tells whether an address is taken, and
    /// costs a hash. A class that signs up together is let through.
    static let ofSignUps = LockOut(failures: 40, forgetsAfter: 3_600)

    /// Of mail that is asked for to one address: what does not arrive is asked for again, and a stranger must not fill
    /// somebody's mailbox. After the third message 5, 10, 20 … 60 minutes.
    static let ofMailbox = LockOut(
        failures: 3, forgetsAfter: 86_400, backOff: BackOff(first: .seconds(300), longest: .seconds(3_600)))
    /// Of mail that one network asks for, whomever it is to.
    static let ofMailByAddress = LockOut(
        failures: 20, forgetsAfter: 3_600, backOff: BackOff(first: .seconds(60), longest: .seconds(900)))

    /// The wait after `count` failures: 1, 2, 4 … 900 s where nothing else is said.
    func wait(after count: Int) -> Duration? {
        count < failures ? nil : backOff.bound(afterFailures: count - failures + 1)
    }

    func limit(of subject: String) -> SignInLimit {
        SignInLimit(subject: subject, failures: failures, forgetsAfter: forgetsAfter) { count in
            wait(after: count).map { TimeInterval($0.components.seconds) }
        }
    }
}
