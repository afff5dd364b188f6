import Domain
import NIOCore
import NIOSSL
import SwiftASN1
import X509

/// The TLS of probes. No chain is verified, as monitor endpoints sign their certificates themselves: what is asked is
/// whether TLS passes through from end to end, and to whom.
struct ProbeTLS: Sendable {
    private let monitor: NIOSSLContext
    private let service: NIOSSLContext

    /// For how long a connection may go on saying goodbye after the verdict: a dead server does not answer it.
    private static let farewell = TimeAmount.milliseconds(250)

    init() throws {
        var configuration = TLSConfiguration.makeClientConfiguration()
        // None of the system's, which would be read and never asked.
        configuration.trustRoots = .certificates([])
        configuration.shutdownTimeout = ProbeTLS.farewell
        monitor = try NIOSSLContext(configuration: configuration)
        // Whose the certificate of a service is, its devices judge; and an endpoint that speaks an old TLS is an
        // endpoint that answers.
        configuration.certificateVerification = .none
        configuration.minimumTLSVersion = .tlsv1
        service = try NIOSSLContext(configuration: configuration)
    }

    /// What goes before everything else in the pipeline of an attempt. `verdict` is told when the certificate is
    /// somebody else's.
    func handler(for series: ProbeSeries, verdict: EventLoopPromise<ProbeRound.End>) throws -> NIOSSLClientHandler {
        guard series.question.service == nil else {
            return try NIOSSLClientHandler(context: service, serverHostname: series.question.host.text)
        }
        let host = series.question.host
        return try NIOSSLClientHandler(context: monitor, serverHostname: host.text) { chain, verified in
            if let problem = ProbeTLS.problem(of: chain.first, host) {
                // Told first, and so in these words rather than those of a failed handshake.
                verdict.succeed(.refused(problem))
                verified.succeed(.failed)
            } else {
                verified.succeed(.certificateVerified)
            }
        }
    }

    private static func problem(of leaf: NIOSSLCertificate?, _ host: DomainName) -> String? {
        guard let leaf, let der = try? leaf.toDERBytes() else { return "there is no certificate" }
        return problem(ofCertificate: der, host)
    }

    /// What is wrong with a certificate (DER) that should be of `host`; nil when it is.
    static func problem(ofCertificate der: [UInt8], _ host: DomainName) -> String? {
        // One of a monitor endpoint has some five hundred octets.
        guard der.count <= 16 << 10, let certificate = try? Certificate(derEncoded: der),
            let names = try? certificate.extensions.subjectAlternativeNames ?? SubjectAlternativeNames()
        else { return "certificate cannot be read" }
        var others: [String] = []
        for case .dnsName(let name) in names {
            if name.lowercased() == host.text { return nil }
            others.append(String(name.prefix(DomainName.longest)))
        }
        guard let first = others.first else { return "certificate is for nobody" }
        return "certificate is for \(first)" + (others.count > 1 ? " and \(others.count - 1) more" : "")
    }

    /// The words for a server that takes connections and closes them before TLS stands.
    static let closed = "TLS: the connection was closed in the handshake"

    /// Why TLS failed, in the words of the library, without what only its authors need.
    static func text(_ error: any Error) -> String {
        if case .handshakeFailed(.sslError(let stack))? = error as? NIOSSLError {
            let words = stack.map { "\($0)" }
            if words.contains(where: { $0.contains("EOF") }) {
                return closed
            }
            return "TLS: " + reason(words.joined(separator: ", "))
        }
        return "TLS: " + reason("\(error)")
    }

    /// `wrong version number` of `error:100000f7:SSL routines:OPENSSL_internal:WRONG_VERSION_NUMBER at …`.
    private static func reason(_ text: String) -> String {
        guard let mark = text.firstRange(of: "OPENSSL_internal:") else { return String(text.prefix(100)) }
        let token = text[mark.upperBound...].prefix { $0.isLetter || $0.isNumber || $0 == "_" }
        return token.lowercased().split(separator: "_").joined(separator: " ")
    }
}
