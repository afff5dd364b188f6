public import Daemon
public import Domain
import Syscalls
import Wire

/// What `ddirect-proxy enroll` is told.
public struct EnrollmentSettings: Sendable {
    /// Tried in turn until one answers.
    public let control: [ChannelAddress]
    /// The SHA-256 of the certificate of the control plane's authority.
    public let fingerprint: [UInt8]
    public let tokenFile: String
    public let credentials: String
    /// Name servers to ask; none for those of `/etc/resolv.conf`.
    public let resolvers: [TransportAddress]

    public struct Flags: Sendable {
        public var control: [String] = []
        public var fingerprint: String?
        public var tokenFile: String?
        public var credentials: String?
        public var resolver: [String] = []

        public init() {}
    }

    public init(_ flags: Flags, environment: [String: String]) throws(SettingsFaults) {
        var reader = SettingsReader(environment: environment)
        let given = reader.givenList("--control", flags.control, "DDIRECT_CONTROL")
        if given.isEmpty { reader.add(fault: "--control is missing; expected HOST:PORT, where the control plane is") }
        control = given.compactMap { given in
            reader.value(given) { text throws(InvalidValue) in
                let address =
                    text.hasPrefix("tcp:")
                    ? try ChannelAddress(text) : try ChannelAddress(hostAndPort: text)
                return address
            }
        }
        fingerprint = reader.fingerprint(flags.fingerprint)
        tokenFile = reader.path("--token-file", flags.tokenFile, "DDIRECT_TOKEN_FILE", suchAs: "za1.token") ?? ""
        if tokenFile.isEmpty { reader.add(fault: "--token-file is missing; 'ddirect server enroll' makes it") }
        credentials = reader.credentials(flags.credentials)
        resolvers = reader.givenList("--resolver", flags.resolver, "DDIRECT_RESOLVER").compactMap { given in
            reader.value(given) { text throws(InvalidValue) in try TransportAddress(text) }
        }
        try reader.check()
    }
}

extension SettingsReader {
    fileprivate mutating func fingerprint(_ value: String?) -> [UInt8] {
        guard let given = given("--ca-fingerprint", value, "DDIRECT_CA_FINGERPRINT") else {
            add(fault: "--ca-fingerprint is missing; 'ddirect server enroll' prints it")
            return []
        }
        return self.value(given) { text throws(InvalidValue) in
            // As openssl prints it, too: with colons, in capitals.
            let digits = (text.hasPrefix("sha256:") ? text.dropFirst(7) : text[...]).filter { $0 != ":" }
            var octets: [UInt8] = []
            var rest = digits[...]
            while rest.count >= 2, let octet = UInt8(rest.prefix(2), radix: 16), rest.first != "+" {
                octets.append(octet)
                rest = rest.dropFirst(2)
            }
            guard rest.isEmpty, octets.count == 32 else {
                throw InvalidValue(text, "is no SHA-256", expected: "sha256: and 64 hexadecimal digits")
            }
            return octets
        } ?? []
    }
}

/// Gets this server its identity: makes a key here, has the control plane certify it against a token that an operator
/// was given, and writes both to the credentials folder.
///
/// The control plane is known by the fingerprint of its authority, which came with the token by a way that the operator
/// trusts. A first connection, over which we say nothing, shows us the authority's certificate; by that one the second
/// is judged as any later one will be.
public struct Enrollment {
    private let settings: EnrollmentSettings

    public init(_ settings: EnrollmentSettings) { self.settings = settings }

    /// Why there is no identity, and what to do.
    public struct Failure: Error, CustomStringConvertible {
        public let description: String
    }

    /// For each address of the control plane and each of the two connections; and for the answer.
    private static let patience: UInt64 = 15_000

    /// Answers for which server the identity is, and until when, in seconds since 1970.
    public func run() throws -> (server: ServerName, notAfter: Int64) {
        let token = try readToken()
        let key = try IdentityKey()
        let request = try key.certificateRequest()
        let looking = dialler(.anyone)
        guard let authority = try connect(looking).certificate(fingerprint: settings.fingerprint) else {
            throw Failure(
                description:
                    "\(looking.address) shows no certificate with this fingerprint, and was told nothing; either the fingerprint is of another "
                    + "control plane, or somebody is in between. 'ddirect server enroll' prints the right one")
        }
        let connection = try connect(dialler(.authority(authority), at: looking.address))
        let certificate = try ask(connection, token: token, request: request)
        let text = try key.identityFile(certificate: certificate)
        let identity = try ServerIdentity.checked(identity: text, authority: authority, from: "the control plane")
        try File.makeFolder(settings.credentials)
        // The identity last: where it is, everything is.
        try File.replace(ServerIdentity.authorityPath(in: settings.credentials), by: authority)
        try File.replace(ServerIdentity.identityPath(in: settings.credentials), by: text)
        return (identity.server, identity.notAfter)
    }

    /// A time, in seconds since 1970, as people write it, in UTC.
    public static func text(_ seconds: Int64) -> String {
        UTCTime(nanosecondsSince1970: UInt64(max(0, seconds)) &* 1_000_000_000).rfc3339
    }

    private func dialler(_ trust: ChannelDialler.Trust, at address: ChannelAddress? = nil) -> ChannelDialler {
        ChannelDialler(
            addresses: address.map { [$0] } ?? settings.control, resolvers: settings.resolvers, trust: trust)
    }

    private func readToken() throws -> String {
        guard let octets = try File.contents(atPath: settings.tokenFile, atMost: 4096) else {
            throw Failure(description: "there is no \(settings.tokenFile)")
        }
        let text = String(decoding: octets, as: UTF8.self).split { $0.isWhitespace }
        guard text.count == 1 else {
            throw Failure(description: "\(settings.tokenFile) has \(text.count) words; expected the token alone")
        }
        return String(text[0])
    }

    /// Connects to the first address at which somebody answers.
    private func connect(_ dialler: ChannelDialler) throws -> ChannelConnection {
        var problems: [String] = []
        for attempt in settings.control.indices {
            if attempt > 0 { dialler.moveOn() }
            let deadline = now + Enrollment.patience
            var outcome = dialler.begin()
            while case .underWay = outcome, now < deadline {
                var set = PollSet()
                dialler.add(to: &set)
                set.wait(milliseconds: dialler.patience(atMost: 200))
                outcome = dialler.proceed(set)
            }
            switch outcome {
            case .connected(let connection): return connection
            case .failed(let problem): problems.append(problem)
            case .underWay: problems.append("\(dialler.address) does not answer")
            }
        }
        throw Failure(description: problems.joined(separator: "; "))
    }

    private func ask(_ connection: ChannelConnection, token: String, request: [UInt8]) throws -> [UInt8] {
        var problem = connection.send(.enroll(token: token, request: request))
        let deadline = now + Enrollment.patience
        var certificate: [UInt8]?
        var goodbye: String?
        while problem == nil, certificate == nil, goodbye == nil {
            guard now < deadline else { throw Failure(description: "the control plane does not answer") }
            var set = PollSet()
            let place = set.add(connection.descriptor, writable: connection.wantsToWrite)
            set.wait(milliseconds: 200)
            if set.isWritable(place) { problem = connection.flush() }
            guard problem == nil, set.isReadable(place) else { continue }
            problem = connection.receive { frame in
                switch frame.message {
                case .certificate(let message): certificate = message.octets
                case .goodbye(let message): goodbye = message.reason
                default: break
                }
            }
        }
        if let certificate { return certificate }
        throw Failure(description: goodbye.map { "the control plane says: \($0)" } ?? problem ?? "no answer")
    }

    private var now: UInt64 { Clock.monotonicNanoseconds / 1_000_000 }
}
