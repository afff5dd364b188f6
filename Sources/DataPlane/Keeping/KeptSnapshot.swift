import Daemon
import Domain
import Logging
import Syscalls
import Wire

/// The snapshot that an earlier process of this server served with, as far as there is one: in the service manager's
/// descriptor store, after a crash or a restart, or in a file, after a reboot.
enum KeptSnapshot {
    /// Names in the store. Two, so that one is there while the other is replaced.
    static let names = ["snapshot-a", "snapshot-b"]

    /// Reads what there is, says what cannot be used and why, and answers the newest that can.
    static func find(
        passed: [PassedSocket], cache: String?, server: ServerName, logger: Logger
    ) -> Snapshot? {
        var found: [(snapshot: Snapshot, place: String)] = []
        func read(_ place: String, _ octets: () throws -> [UInt8]?) {
            do {
                guard let octets = try octets() else { return }
                let snapshot = try SnapshotImage.snapshot(in: octets)
                guard snapshot.settings.server.name == server else {
                    throw SealedImage.Unusable(description: "it is one of server \(snapshot.settings.server.name)")
                }
                found.append((snapshot, place))
            } catch {
                logger.error(
                    "A kept snapshot cannot be used; waiting for the control plane's unless there is another",
                    metadata: ["place": "\(place)", "reason": "\(error)"])
            }
        }
        for descriptor in passed where names.contains(descriptor.name) {
            read("descriptor store, \(descriptor.name)") {
                try File.contents(of: descriptor.number, atMost: SnapshotImage.longest)
            }
            // Ours is read; the manager has its own until it is told to forget it.
            _ = OwnedDescriptor(owning: descriptor.number)
        }
        // The store is never older than the file: it is written first. A file counts when the store has nothing.
        if found.isEmpty, let cache {
            read(cache) { try File.contents(atPath: cache, atMost: SnapshotImage.longest) }
        }
        guard let newest = found.max(by: { $0.snapshot.version < $1.snapshot.version }) else { return nil }
        logger.notice(
            "Serving with the snapshot that was kept",
            metadata: [
                "version": "\(newest.snapshot.version)", "services": "\(newest.snapshot.services.count)",
                "place": "\(newest.place)",
            ])
        return newest.snapshot
    }
}
