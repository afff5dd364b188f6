import Crypto
import Domain
import Foundation
import Testing
import X509

@testable import Channel

@Suite struct `The channel authority` {
    let now = Date()
    let authority: ChannelAuthority
    let za1: ServerName

    init() throws {
        authority = try ChannelAuthority.make(now: now)
        za1 = try ServerName("za1")
    }

    private func issued(_ request: [UInt8], lifetime: Duration = .seconds(86_400)) throws -> IssuedCertificate {
        try authority.issue(to: za1, request: request, now: now, lifetime: lifetime)
    }

    /// Whether this authority, as a root, vouches for a certificate.
    private func vouches(for der: [UInt8]) async throws -> Bool {
        let root = try Certificate(derEncoded: authority.derCertificate)
        var verifier = Verifier(rootCertificates: CertificateStore([root])) { RFC5280Policy() }
        let result = await verifier.validate(
            leaf: try Certificate(derEncoded: der), intermediates: CertificateStore())
        if case .validCertificate = result { return true }
        return false
    }

    @Test func `it tells who a peer is from the certificate that it gave`() throws {
        let certificate = try issued(try Requests.fresh(calling: "ie1"))
        let peer = try ChannelAuthority.identify(der: certificate.der)
        #expect(certificate.server == za1)
        #expect(
            peer
                == PeerCertificate(
                    server: za1, serial: certificate.serial, notBefore: certificate.notBefore,
                    notAfter: certificate.notAfter))
        #expect(peer.serial.count == 32)
        #expect(try issued(try Requests.fresh()).serial != peer.serial)
    }

    @Test func `what it signs is for one use, by one name, and for the time it says`() throws {
        let certificate = try Certificate(derEncoded: try issued(try Requests.fresh(calling: "ie1")).der)
        let extensions = certificate.extensions
        #expect(try extensions.extendedKeyUsage == ExtendedKeyUsage([.clientAuth]))
        #expect(
            try extensions.subjectAlternativeNames
                == SubjectAlternativeNames([.uniformResourceIdentifier("ddirect://server/za1")]))
        #expect(try extensions.basicConstraints == .notCertificateAuthority)
        #expect(certificate.subject == (try DistinguishedName { CommonName("za1") }))
        #expect(abs(certificate.notValidBefore.timeIntervalSince(now) + 3600) <= 1)
        #expect(abs(certificate.notValidAfter.timeIntervalSince(now) - 86_400) <= 1)
        let short = try issued(try Requests.fresh(), lifetime: .seconds(600))
        #expect(abs(short.notBefore.timeIntervalSince(now) + 60) <= 1)
    }

    @Test func `it signs nothing that outlives it`() throws {
        let certificate = try issued(try Requests.fresh(), lifetime: .seconds(100 * 365 * 86_400))
        #expect(certificate.notAfter == authority.expiry)
        let late = authority.expiry.addingTimeInterval(1)
        #expect(throws: RequestRefusal.authorityExpired) {
            try authority.issue(to: za1, request: Requests.fresh(), now: late, lifetime: .seconds(60))
        }
    }

    @Test func `its certificates verify with it as the only root, and with no other`() async throws {
        #expect(try await vouches(for: try issued(try Requests.fresh()).der))
        let own = try authority.ownIdentity(now: now, lifetime: .seconds(86_400))
        #expect(try await vouches(for: own.certificate))
        let other = try ChannelAuthority.make(now: now)
        let foreign = try other.issue(to: za1, request: Requests.fresh(), now: now, lifetime: .seconds(60))
        #expect(try await vouches(for: foreign.der) == false)
    }

    @Test func `the control plane's own certificate is for its role, and no data plane's`() throws {
        let own = try authority.ownIdentity(now: now, lifetime: .seconds(86_400))
        let certificate = try Certificate(derEncoded: own.certificate)
        let key = try P256.Signing.PrivateKey(pemRepresentation: own.privateKeyPEM)
        #expect(certificate.publicKey == Certificate.PublicKey(key.publicKey))
        #expect(try certificate.extensions.extendedKeyUsage == ExtendedKeyUsage([.serverAuth]))
        #expect(
            try certificate.extensions.subjectAlternativeNames
                == SubjectAlternativeNames([.dnsName("control.ddirect.internal")]))
        #expect(throws: RequestRefusal.namesNoServer) { try ChannelAuthority.identify(der: own.certificate) }
        #expect(throws: RequestRefusal.namesNoServer) { try ChannelAuthority.identify(der: authority.derCertificate) }
    }

    @Test func `a request that is not signed with its key is refused`() throws {
        let request = try Requests.unproven()
        #expect(throws: RequestRefusal.notProven) { try issued(request) }
    }

    @Test func `keys of other kinds are refused`() throws {
        #expect(Requests.rsa.count > 500)
        #expect(throws: RequestRefusal.otherKey) { try issued(Requests.rsa) }
        let p384 = try Requests.p384()
        #expect(throws: RequestRefusal.otherKey) { try issued(p384) }
    }

    @Test func `a request that is too long is not looked at`() {
        let request = [UInt8](repeating: 0x30, count: ChannelAuthority.largestRequest + 1)
        #expect(throws: RequestRefusal.tooLong(octets: request.count)) { try issued(request) }
        #expect(throws: RequestRefusal.tooLong(octets: request.count)) { try ChannelAuthority.identify(der: request) }
    }

    /// Asks for a certificate with octets from a peer; a trap would end the test.
    private func surviveIssuing(_ octets: [UInt8]) {
        do {
            // A flipped bit that says nothing, such as one of the padding: still for nobody but za1.
            let certificate = try issued(octets)
            #expect(certificate.server == za1)
        } catch {
            #expect(error is RequestRefusal)
        }
    }

    private func surviveIdentifying(_ octets: [UInt8]) {
        do {
            _ = try ChannelAuthority.identify(der: octets)
        } catch {
            #expect(!error.description.isEmpty)
        }
    }

    @Test func `no request traps: each bit flipped, each prefix, and noise`() throws {
        let request = try Requests.fresh()
        for index in request.indices {
            surviveIssuing(Array(request[..<index]))
            for bit in 0..<8 {
                var octets = request
                octets[index] ^= 1 << UInt8(bit)
                surviveIssuing(octets)
            }
        }
        for length in Requests.rsa.indices { surviveIssuing(Array(Requests.rsa[..<length])) }
        var random = SplitMix(state: 7)
        for length in 0..<300 {
            surviveIssuing((0..<length).map { _ in UInt8.random(in: .min ... .max, using: &random) })
        }
    }

    @Test func `no certificate traps: a bit of each octet flipped, and each prefix`() throws {
        let certificate = try issued(try Requests.fresh()).der
        for index in certificate.indices {
            surviveIdentifying(Array(certificate[..<index]))
            var octets = certificate
            octets[index] ^= 1 << UInt8(index % 8)
            surviveIdentifying(octets)
        }
    }
}
