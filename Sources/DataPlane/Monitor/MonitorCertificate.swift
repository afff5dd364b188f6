import Domain
import Logging
import Syscalls

/// What the monitor endpoint shows by TLS: a certificate for this server's host name, made anew when that becomes known
/// or changes.
struct MonitorCertificate: ~Copyable {
    private let hostname: () -> DomainName?
    private let logger: Logger
    private var tls: TLSServer
    /// The host name that it was made for.
    private var certified: DomainName?

    /// `hostname` is asked for at each connection.
    init(of hostname: @escaping () -> DomainName?, logger: Logger) throws(TLSError) {
        let name = hostname()
        tls = try TLSServer(names: name.map { [$0] } ?? [])
        certified = name
        self.hostname = hostname
        self.logger = logger
    }

    /// This end of a connection that has just been accepted; nil when libssl cannot.
    mutating func connection(over socket: Socket) -> TLSConnection? {
        renew()
        return try? tls.connection(over: socket)
    }

    private mutating func renew() {
        guard let hostname = hostname(), hostname != certified else { return }
        do {
            tls = try TLSServer(names: [hostname])
            certified = hostname
            logger.info("A certificate for the monitor endpoint was made", metadata: ["hostname": "\(hostname)"])
        } catch {
            // The one there was goes on serving; tried again with the next connection.
            logger.error("No certificate for the monitor endpoint could be made", metadata: ["reason": "\(error)"])
        }
    }
}
