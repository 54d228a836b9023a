internal import CoreFoundation
package import Foundation
internal import Glibc
internal import Store

/// What `pathlight doctor` looks at in the folder of the data: who may read it, room, names, times.
package enum FolderChecks {
    /// What a file system has to offer this user.
    package struct Room: Equatable {
        let freeBytes: Int64
        let freeFiles: Int64

        package init(freeBytes: Int64, freeFiles: Int64) {
            self.freeBytes = freeBytes
            self.freeFiles = freeFiles
        }
    }

    /// Below this a start may fail in the middle.
    static let leastBytes: Int64 = 64 << 20
    /// Below this somebody should look; a migration or backup beside may want as much as the database again.
    static let comfortableBytes: Int64 = 1 << 30

    static func all(folder: String, database: String) -> [DoctorFinding] {
        [rights(folder), room(in: folder, database: database), files(of: database)]
    }

    // MARK: Rights

    static func rights(_ folder: String) -> DoctorFinding {
        guard let status = status(of: folder) else {
            if DatabasePlace(folder) == .missing { return missing(folder) }
            return DoctorFinding(
                subject: "folder", state: .broken,
                detail: "\(folder) cannot be looked at; see who owns the one above it")
        }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            return DoctorFinding(
                subject: "folder", state: .broken,
                detail: "\(folder) is a file where a folder is needed; name another data folder")
        }
        let mode = status.st_mode & 0o777
        switch FileAccess.refusal(of: folder, R_OK | W_OK | X_OK) {
        case nil: break
        case .readOnlyFileSystem: return readOnly(folder, subject: "folder")
        case .notAllowed:
            return DoctorFinding(
                subject: "folder", state: .broken,
                detail: "\(folder) may not be read and written by this user; change its owner or rights")
        }
        guard mode & 0o077 == 0 else {
            return DoctorFinding(
                subject: "folder", state: .warning,
                detail:
                    "\(folder) is open to other users (mode \(octal(mode))); chmod 700 keeps what people said private")
        }
        guard status.st_uid == geteuid() else {
            return DoctorFinding(
                subject: "folder", state: .warning,
                detail: "\(folder) belongs to another user (\(status.st_uid)); run this as the user of the service")
        }
        return DoctorFinding(subject: "folder", state: .good, detail: "\(folder), mode \(octal(mode))")
    }

    /// Of a folder that the first start makes, and nobody before it.
    private static func missing(_ folder: String) -> DoctorFinding {
        let place = nearest(to: folder)
        guard status(of: place).map({ $0.st_mode & S_IFMT == S_IFDIR }) ?? false else {
            return DoctorFinding(
                subject: "folder", state: .broken,
                detail: "\(folder) cannot be made: \(place) is a file; name another data folder")
        }
        switch FileAccess.refusal(of: place, W_OK | X_OK) {
        case nil:
            return DoctorFinding(
                subject: "folder", state: .good,
                detail: "\(folder) is not there; the first start makes it in \(place)")
        case .readOnlyFileSystem: return readOnly(place, subject: "folder")
        case .notAllowed:
            return DoctorFinding(
                subject: "folder", state: .broken,
                detail: "\(folder) is not there, and this user may not make it in \(place); make it and give it to them"
            )
        }
    }

    private static func readOnly(_ place: String, subject: String) -> DoctorFinding {
        DoctorFinding(
            subject: subject, state: .broken, detail: "\(place) \(FileAccess.readOnly). \(FileAccess.readOnlyMend)")
    }

    /// The folder itself, or where it would be made: the first above it that is there.
    static func nearest(to folder: String) -> String {
        var place = URL(fileURLWithPath: folder, isDirectory: true)
        while status(of: place.path) == nil, place.path != "/" { place.deleteLastPathComponent() }
        return place.path
    }

    // MARK: Room

    static func room(in folder: String, database: String) -> DoctorFinding {
        let place = nearest(to: folder)
        // However much is free there.
        if FileAccess.refusal(of: place, W_OK) == .readOnlyFileSystem { return readOnly(place, subject: "disk") }
        var found = statvfs()
        // SAFETY: the path is read as a C string and the structure written during the call alone.
        guard unsafe statvfs(place, &found) == 0 else {
            return DoctorFinding(subject: "disk", state: .warning, detail: "the room on it cannot be read")
        }
        let room = Room(
            freeBytes: Int64(clamping: found.f_bavail) * Int64(clamping: found.f_frsize),
            // Some file systems count no files.
            freeFiles: found.f_files == 0 ? Int64.max : Int64(clamping: found.f_favail))
        return judge(room, databaseBytes: status(of: database).map { Int64($0.st_size) } ?? 0)
    }

    package static func judge(_ room: Room, databaseBytes: Int64) -> DoctorFinding {
        let detail = "\(room.freeBytes >> 20) MB free, the database has \(databaseBytes >> 20) MB"
        let wanted = max(comfortableBytes, databaseBytes)
        if room.freeBytes < leastBytes || room.freeFiles < 16 {
            return DoctorFinding(subject: "disk", state: .broken, detail: detail + "; free some")
        }
        if room.freeBytes < wanted {
            return DoctorFinding(
                subject: "disk", state: .warning,
                detail: detail + "; a backup or migration beside it wants \(wanted >> 20) MB")
        }
        return DoctorFinding(subject: "disk", state: .good, detail: detail)
    }

    // MARK: Files

    static func files(of database: String) -> DoctorFinding {
        var problems: [String] = []
        for suffix in ["", "-wal", "-shm"] {
            guard let status = status(of: database + suffix) else { continue }
            let mode = status.st_mode & 0o777
            if mode & 0o077 != 0 {
                problems.append("\(database + suffix) is open to other users (mode \(octal(mode))); chmod 600")
            }
            if suffix.isEmpty, status.st_nlink > 1 {
                problems.append("\(database) has \(status.st_nlink) names: a restore was cut off; run it again")
            }
        }
        if status(of: database + ".restoring") != nil {
            problems.append("\(database).restoring is of a restore that was cut off; run it again or delete the file")
        }
        return problems.isEmpty
            ? DoctorFinding(subject: "files", state: .good, detail: "the database is for this user alone")
            : DoctorFinding(subject: "files", state: .warning, detail: problems.joined(separator: "; "))
    }

    // MARK: Time

    /// Before this program was: no clock that is right says less.
    private static let earliest = Date(timeIntervalSince1970: 1_763_769_600)
    private static let tolerated: TimeInterval = 60

    static func clock(_ now: Date, database: String) -> DoctorFinding {
        let newest = ["", "-wal"].compactMap { status(of: database + $0) }
            .map { TimeInterval($0.st_mtim.tv_sec) }.max()
        return judge(now, newestFile: newest.map { Date(timeIntervalSince1970: $0) })
    }

    /// Tokens, certificates, leases and schedules all go by the clock.
    package static func judge(_ now: Date, newestFile: Date?) -> DoctorFinding {
        let time = ISO8601.string(from: now)
        guard now > earliest else {
            return DoctorFinding(
                subject: "clock", state: .warning, detail: "it says \(time), which is long past; set it (timedatectl)")
        }
        if let newestFile, newestFile.timeIntervalSince(now) > tolerated {
            return DoctorFinding(
                subject: "clock", state: .warning,
                detail: "it says \(time), and the database was written at \(ISO8601.string(from: newestFile)); set it")
        }
        return DoctorFinding(subject: "clock", state: .good, detail: time)
    }

    private static func status(of path: String) -> stat? {
        var found = stat()
        // SAFETY: the path is read as a C string and the structure written during the call alone.
        return unsafe stat(path, &found) == 0 ? found : nil
    }

    private static func octal(_ mode: mode_t) -> String { "0" + String(mode, radix: 8) }
}
