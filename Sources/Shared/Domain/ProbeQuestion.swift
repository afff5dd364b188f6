/// What a probe asks, through which doors of a server, and what an answer comes to. Both planes probe, and ask and
/// judge by this.
///
/// A server's monitor endpoint is one question, and each service's check through that server is another.
public struct ProbeQuestion: Hashable, Sendable {
    /// One way in: an address and a port. A round goes through each.
    public struct Door: Hashable, Sendable {
        public let address: TransportAddress
        public let usesTLS: Bool

        public init(address: TransportAddress, usesTLS: Bool) {
            self.address = address
            self.usesTLS = usesTLS
        }
    }

    /// The server through which it goes.
    public let server: ServerName
    /// Whose own check it is; nil for the monitor endpoint.
    public let service: ServiceName?
    /// The SNI, and the Host of the request.
    public let host: DomainName
    public let path: String
    public let doors: [Door]
    /// The server's, with which a probe of its monitor endpoint shows that it is one; nil when there is none, and for
    /// the check of a service: it goes on to a customer's endpoint, to which tokens are nothing.
    public let key: ProbeKey?

    private init(
        server: ServerName, service: ServiceName?, host: DomainName, path: String, doors: [Door], key: ProbeKey?
    ) {
        self.server = server
        self.service = service
        self.host = host
        self.path = path
        self.doors = doors
        self.key = key
    }

    /// The monitor endpoint of a server, by each of its addresses, on both ports.
    public static func monitor(
        of server: ServerName, host: DomainName, addresses: [Address], httpPort: Port, httpsPort: Port, key: ProbeKey?
    ) -> ProbeQuestion {
        let doors = addresses.flatMap { address in
            [
                Door(address: TransportAddress(address, port: httpPort.number), usesTLS: false),
                Door(address: TransportAddress(address, port: httpsPort.number), usesTLS: true),
            ]
        }
        return ProbeQuestion(server: server, service: nil, host: host, path: "/", doors: doors, key: key)
    }

    /// A service's own check, through the first door of this server that has TLS, or has none.
    public func check(of service: ServiceName, host: DomainName, path: String, usesTLS: Bool) -> ProbeQuestion {
        ProbeQuestion(
            server: server, service: service, host: host, path: path,
            doors: doors.first { $0.usesTLS == usesTLS }.map { [$0] } ?? [], key: nil)
    }

    /// The request of one connection, which `vantage` makes at `time`, in seconds since 1970. Each has a nonce of its
    /// own.
    public func request(
        from vantage: String, at time: UInt64, nonce: UInt128, authenticate: ProbeToken.Authentication
    ) -> String {
        let token = key.map {
            ProbeToken(of: vantage, for: server, time: time, nonce: nonce, key: $0, authenticate: authenticate)
        }
        return ProbeToken.request(path: path, host: host, token: token)
    }

    /// What an answer comes to. `answering` is the server that it says it is of; nil when it does not say.
    public func end(status: Int, server answering: String?) -> ProbeRound.End {
        service == nil
            ? .ofMonitor(status: status, answering: answering, server: server) : .ofService(status: status)
    }
}
