import CLinux
public import Domain
import Glibc

/// The addresses of this machine's interfaces, but for those of its loopback; the kernel tells when they change
/// (rtnetlink(7)).
///
/// For one thread, which polls `descriptor`. Where the kernel cannot be asked to tell, the addresses are those of the
/// start.
public final class OwnAddresses {
    /// -1 where nothing is told.
    public let descriptor: Int32
    public private(set) var addresses: Set<Address>

    public init() {
        // Before the first look, so that no change falls in between.
        descriptor = Int32(clamping: max(-1, linux_watch_addresses()))
        addresses = Process.ownAddresses
    }

    deinit { if descriptor >= 0 { _ = linux_close(descriptor) } }

    /// Looks again after `descriptor` has become readable. True when the addresses have changed.
    public func look() -> Bool {
        if descriptor >= 0 { linux_drain_addresses(descriptor) }
        let present = Process.ownAddresses
        defer { addresses = present }
        return present != addresses
    }
}
