internal import Crypto
internal import CryptoExtras
internal import Store

/// Passwords to hashes by scrypt, at most two at a time: each takes 128 MiB and a core for some tenths of a second.
package struct PasswordHasher: Sendable {
    /// Whose password it is. Anybody may make an account; so those who do wait in places of their own, and never take more
    /// than one of the two.
    package enum Owner: Sendable {
        case account, newcomer
    }

    /// What a password's check came to.
    package struct Check: Sendable, Equatable {
        package let matches: Bool
        /// Whether the password was right and its hash should be made anew, with today's parameters.
        package let needsRehash: Bool
    }

    package let parameters: ScryptParameters
    private let work: BoundedWork
    private let random: RandomBytes
    /// Compared against where there is no account, so that it takes as long as a wrong password.
    private let dummy: PasswordHash

    /// - Parameters:
    ///   - parameters: of new hashes.
    ///   - concurrency: how many are computed at a time.
    ///   - maximumWaiting: how many wait at most, newcomers apart; at two a half second or so, the last of 32 waits some
    ///     seconds. More than one network can have under way (`LockOut.ofAddress`), so that none fills it alone.
    package init(
        parameters: ScryptParameters = .standard, concurrency: Int = 2, maximumWaiting: Int = 32,
        random: RandomBytes = .system
    ) {
        self.parameters = parameters
        self.random = random
        work = BoundedWork(label: "pathlight.passwords", concurrency: concurrency, maximumWaiting: maximumWaiting)
        dummy = PasswordHash(
            parameters: parameters, salt: random(PasswordHash.saltBytes), hash: random(PasswordHash.hashBytes))
    }

    /// How many are computed at a time.
    package var concurrency: Int { work.concurrency }

    /// The hash of a password that the rules let through, as text to store.
    ///
    /// - Throws: `IdentityError` of code `overloaded` where too many wait, `weakPassword` for what cannot be one.
    package func hash(_ password: String, of owner: Owner = .account) async throws(IdentityError) -> String {
        guard let password = PasswordRules.normalised(password) else {
            throw IdentityError(.weakPassword, "the password is empty or too long")
        }
        let salt = random(PasswordHash.saltBytes)
        let lane = owner == .newcomer ? BoundedWork.Lane.side : .main
        let hash = try await derive(password, parameters: parameters, salt: salt, in: lane)
        return PasswordHash(parameters: parameters, salt: salt, hash: hash).text
    }

    /// Whether `password` is the one of a stored hash. Costs as much where there is none, or one that cannot be read.
    ///
    /// - Throws: `IdentityError` of code `overloaded` where too many wait.
    package func check(_ password: String, against stored: String?) async throws(IdentityError) -> Check {
        let known = stored.flatMap(PasswordHash.init)
        let target = known ?? dummy
        let normalised = PasswordRules.normalised(password)
        // What no password can be is computed all the same, as something that none is.
        let hash = try await derive(normalised ?? "\u{0}", parameters: target.parameters, salt: target.salt)
        let isEqual = ConstantTime.areEqual(hash, target.hash)
        let matches = isEqual && known != nil && normalised != nil
        return Check(matches: matches, needsRehash: matches && target.parameters != parameters)
    }

    /// Whether a stored hash was made with other parameters than new ones are, or cannot be read.
    package func needsRehash(_ stored: String) -> Bool { PasswordHash(stored)?.parameters != parameters }

    /// - Parameter password: not empty, which the library below does not take.
    private func derive(
        _ password: String, parameters: ScryptParameters, salt: [UInt8], in lane: BoundedWork.Lane = .main
    ) async throws(IdentityError) -> [UInt8] {
        let bytes = Array(password.utf8)
        let derived = await work.run(in: lane) {
            // Nil only where there is no memory for it.
            try? KDF.Scrypt.deriveKey(
                from: bytes, salt: salt, outputByteCount: PasswordHash.hashBytes, rounds: 1 << parameters.logN,
                blockSize: parameters.r, parallelism: parameters.p)
        }
        guard let derived, let key = derived else {
            throw IdentityError(
                .overloaded, "too many people sign in at once; try again in a few seconds", retryAfter: .seconds(5))
        }
        // SAFETY: the bytes are copied inside the call.
        return unsafe key.withUnsafeBytes { unsafe Array($0) }
    }
}
