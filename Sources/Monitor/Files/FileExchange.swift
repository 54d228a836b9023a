internal import Glibc

/// Renaming that loses nothing of what has the name already.
enum FileExchange {
    // As <linux/fs.h> has them.
    private static let noReplace: UInt32 = 1
    private static let exchange: UInt32 = 2
    private static let attempts = 8

    /// Gives a file another name.
    ///
    /// - Returns: whether nothing had that name.
    /// - Throws: `MonitorFileError`
    static func move(_ old: String, to new: String) throws -> Bool {
        if rename(old, new, noReplace) == 0 { return true }
        if errno == EEXIST { return false }
        guard isUnknown(errno) else { throw SystemCall.failure("it cannot be renamed to \(new)", file: old) }
        // A link takes no name that something has. SAFETY: the paths are read as C strings for the time of the calls.
        guard unsafe link(old, new) == 0 else {
            if errno == EEXIST { return false }
            throw SystemCall.failure("it cannot be renamed to \(new)", file: old)
        }
        unsafe _ = unlink(old)
        return true
    }

    /// Puts the file `new` where `place` is.
    ///
    /// - Returns: whether something was there; then it has the name `new` now.
    /// - Throws: `MonitorFileError`
    static func put(_ new: String, inPlaceOf place: String) throws -> Bool {
        for _ in 0..<attempts {
            if rename(new, place, exchange) == 0 { return true }
            if errno == ENOENT {
                if try move(new, to: place) { return false }
                // Somebody made one just now.
                continue
            }
            guard isUnknown(errno) else { break }
            return try replace(place, by: new)
        }
        throw SystemCall.failure("it cannot take the place of \(place)", file: new)
    }

    /// For file systems that exchange no names: what is there gets a second name first. Whatever takes its place between
    /// the two calls would be lost; no such system has a way without that.
    private static func replace(_ place: String, by new: String) throws -> Bool {
        let kept = "\(new).old"
        // SAFETY: the paths are read as C strings for the time of the calls.
        unsafe _ = unlink(kept)
        let hasOld = unsafe link(place, kept) == 0
        guard hasOld || errno == ENOENT, unsafe Glibc.rename(new, place) == 0 else {
            throw SystemCall.failure("it cannot take the place of \(place)", file: new)
        }
        if hasOld, unsafe Glibc.rename(kept, new) != 0 {
            throw SystemCall.failure("it cannot be renamed to \(new)", file: kept)
        }
        return hasOld
    }

    private typealias Rename =
        @convention(c) (Int32, UnsafePointer<CChar>, Int32, UnsafePointer<CChar>, UInt32) -> Int32

    /// The C library's `renameat2`, which its headers show to those alone who ask for GNU's own; nil where it has none.
    private static let rename: Rename? = {
        // SAFETY: the symbol, where it is there, is of this type (renameat2(2)).
        unsafe dlsym(nil, "renameat2").map { unsafe unsafeBitCast($0, to: Rename.self) }
    }()

    private static func rename(_ old: String, _ new: String, _ flags: UInt32) -> Int32 {
        guard let rename = unsafe rename else {
            errno = ENOSYS
            return -1
        }
        // SAFETY: both paths are read as C strings for the time of the call.
        return unsafe rename(AT_FDCWD, old, AT_FDCWD, new, flags)
    }

    /// Whether the system or the file system does not know the way, and not the file is at fault.
    private static func isUnknown(_ problem: Int32) -> Bool {
        problem == ENOSYS || problem == EINVAL || problem == EOPNOTSUPP
    }
}
