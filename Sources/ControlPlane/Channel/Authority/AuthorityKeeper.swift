import Synchronization

/// The authority in use, and the file that it is read from: at the start, and when an operator says that the file is
/// another.
package final class AuthorityKeeper: Sendable {
    private let path: String
    private let isCredential: Bool
    private let held: Mutex<ChannelAuthority>

    package init(path: String, isCredential: Bool) throws(ChannelAuthority.Failure) {
        self.path = path
        self.isCredential = isCredential
        held = Mutex(try ChannelAuthority.open(path: path, isCredential: isCredential))
    }

    /// For tests: an authority that no file has.
    init(_ authority: ChannelAuthority) {
        path = ""
        isCredential = true
        held = Mutex(authority)
    }

    package var authority: ChannelAuthority { held.withLock { $0 } }

    /// Reads the file anew. When that fails the authority stays as it is. Answers whether it is another now.
    package func reload() throws(ChannelAuthority.Failure) -> Bool {
        let read = try ChannelAuthority.open(path: path, isCredential: isCredential, mayMake: false)
        return held.withLock { held in
            let isOther = held.fingerprint != read.fingerprint
            held = read
            return isOther
        }
    }
}
