import Foundation
import JSON

/// The channel over TCP of a fleet: where it is, and the authority that its certificates are of.
struct TCPChannel {
    let place: Place
    /// The file with the authority's key and certificate, which the control plane makes.
    let authority: String
    /// What a control plane has to be told for it.
    let flags: [String]

    init(certificateLifetime seconds: Int? = nil) throws {
        place = try Place.fresh()
        authority = try Scene.present().path("authority.pem")
        let lifetime = seconds.map { ["--certificate-lifetime", "\($0)"] } ?? []
        flags = ["--channel", "tcp:\(place)", "--channel-authority", authority] + lifetime
    }
}

extension Fleet {
    /// What an operator brings from the control plane to a server that is to be enrolled.
    struct Enrollment {
        let token: String
        let fingerprint: String
    }

    func permitEnrollment(of server: String, forSeconds seconds: Int = 3600) throws -> Enrollment {
        let granted = try api.grant("POST", "/servers/\(server)/enroll", ["validForSeconds": .integer(seconds)]).body
        guard let token = granted["token"].text, let fingerprint = granted["authorityFingerprint"].text else {
            throw Failure("no token in \(granted)")
        }
        return Enrollment(token: token, fingerprint: fingerprint)
    }

    /// Gets a server its identity by `ddirect-proxy enroll`, in the folder `credentials`.
    func enroll(_ server: String, into credentials: String, at channel: TCPChannel) throws {
        let enrollment = try permitEnrollment(of: server)
        let file = try Scene.present().path("\(server).token")
        try write(enrollment.token + "\n", to: file)
        try succeed(
            "ddirect-proxy",
            [
                "enroll", "--control", "\(channel.place)", "--ca-fingerprint", enrollment.fingerprint, "--token-file",
                file, "--credentials", credentials,
            ])
    }

    /// Tells the control plane of a server, enrolls it, and leaves it to the test to start it.
    func enrollServer(_ name: String, at channel: TCPChannel, into credentials: String) throws -> Server {
        let server = try registerServer(
            name, flags: ["--credentials", credentials], over: "tcp:\(channel.place)")
        try enroll(name, into: credentials, at: channel)
        return server
    }

    /// How many connections to the channel were refused for this.
    func refusals(_ reason: String) throws -> Int {
        try metric("ddirect_control_channel_refused_total{reason=\"\(reason)\"}")
    }

    /// A metric of the control plane, by its name with its labels.
    func metric(_ name: String) throws -> Int {
        let metrics = try HTTPResponse.get(
            "/metrics", at: api.place, fields: "Authorization: Bearer \(api.token)\r\n"
        ).body
        let line = metrics.split(separator: "\n").first { $0.hasPrefix("\(name) ") }
        return line.flatMap { Int($0.dropFirst(name.count + 1)) } ?? 0
    }
}

/// A data plane of a test's own at the channel over TCP (channel_peer.py): it says what the test wants, and tells what
/// it saw.
struct ChannelPeer {
    let channel: TCPChannel
    /// The file with the key and the certificate that it shows.
    var identity: String?
    /// Where it calls from: its own, so that the log's lines can be told apart.
    var address = Loopback.fresh()
    /// 1.3, 1.2 or none.
    var tls = "1.3"

    static var script: String {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("channel_peer.py").path
    }

    /// Starts it with what it is to say, after which it listens until the control plane has had enough.
    func start(_ words: [String], into folder: String? = nil) throws -> Program {
        var line = [ChannelPeer.script, "\(channel.place)", "--authority", channel.authority]
        line += ["--from", address, "--tls", tls]
        if let identity { line += ["--identity", identity] }
        if let folder { line += ["--into", folder] }
        return try Program("python3", line + words, name: "channel-peer", isDaemon: false)
    }

    /// What it saw, when it is over.
    static func events(of program: Program) throws -> [JSONValue] {
        guard try program.waitForEnd() == .exited(0) else { throw Failure(program.log) }
        return try program.log.split(separator: "\n").map { line in
            do {
                return try JSONValue.parse(line.utf8)
            } catch {
                throw Failure("'\(line)' is no JSON, in: \(program.log)")
            }
        }
    }

    /// Trades a token for an identity, and gives its file.
    func enroll(_ token: String) throws -> String {
        let folder = try Scene.present().path("peer")
        let events = try ChannelPeer.events(of: start(["enroll=\(token)"], into: folder))
        guard events.contains(where: { $0["kind"].text == "certificate" }) else { throw Failure("\(events)") }
        return "\(folder)/identity.pem"
    }
}

/// Identities that the control plane has not given, made by openssl(1). All are files with a key and a certificate.
enum Forgery {
    /// Who signs a forged certificate.
    enum Signer {
        /// An authority by its file.
        case authority(String)
        /// The certificate's own key.
        case itself
    }

    private static let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]

    /// An identity as a data plane has it, for so many days from now. With less than none it has expired.
    static func identity(of server: String, by signer: Signer, days: Int = 2) throws -> String {
        let folder = try makeFolder(Scene.present().path("forgery"))
        let (key, request, certificate) = ("\(folder)/key", "\(folder)/request", "\(folder)/certificate")
        try write(
            """
            subjectAltName=URI:ddirect://server/\(server)
            extendedKeyUsage=clientAuth
            keyUsage=critical,digitalSignature
            basicConstraints=critical,CA:FALSE

            """, to: "\(folder)/extensions")
        try succeed("openssl", ["req", "-new"] + curve + ["-keyout", key, "-subj", "/CN=\(server)", "-out", request])
        let signing =
            switch signer {
            case .authority(let file): ["-CA", file, "-CAkey", file, "-set_serial", "4711"]
            case .itself: ["-signkey", key]
            }
        try succeed(
            "openssl",
            ["x509", "-req", "-in", request, "-days", "\(days)", "-extfile", "\(folder)/extensions"] + signing + [
                "-out", certificate,
            ])
        try write(text(ofFile: key) + text(ofFile: certificate), to: "\(folder)/identity.pem")
        return "\(folder)/identity.pem"
    }

    /// An authority with the names of another, and a key of its own.
    static func authority(like authority: String) throws -> String {
        let folder = try makeFolder(Scene.present().path("authority"))
        let (key, certificate) = ("\(folder)/key", "\(folder)/certificate")
        try succeed("openssl", ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key])
        try succeed("openssl", ["x509", "-in", authority, "-signkey", key, "-out", certificate])
        try write(text(ofFile: key) + text(ofFile: certificate), to: "\(folder)/authority.pem")
        return "\(folder)/authority.pem"
    }

    /// Whether the certificate in an identity's file has expired.
    static func hasExpired(_ identity: String) throws -> Bool {
        try run("openssl", ["x509", "-in", identity, "-noout", "-checkend", "0"]).code == 1
    }
}
