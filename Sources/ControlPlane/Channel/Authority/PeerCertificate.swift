import Domain
import FoundationEssentials
import SwiftASN1
import Wire
import X509

/// A certificate that the authority has just signed for a data plane.
struct IssuedCertificate: Sendable, Equatable {
    let der: [UInt8]
    /// As ``PeerCertificate/serial``.
    let serial: String
    let server: ServerName
    let notBefore: Date
    let notAfter: Date

    /// What it is to us when the data plane shows it.
    var shown: PeerCertificate {
        PeerCertificate(server: server, serial: serial, notBefore: notBefore, notAfter: notAfter)
    }
}

/// What a data plane's certificate says of it, once TLS has found that this authority signed it.
struct PeerCertificate: Sendable, Equatable {
    let server: ServerName
    /// Lower-case hexadecimal, two digits an octet, without leading zero octets.
    let serial: String
    let notBefore: Date
    let notAfter: Date
}

extension ChannelAuthority {
    /// Reads who a peer is out of a certificate whose chain TLS has verified. Nothing is verified here.
    static func identify(der: [UInt8]) throws(RequestRefusal) -> PeerCertificate {
        guard der.count <= largestRequest else { throw .tooLong(octets: der.count) }
        let certificate: Certificate
        let names: SubjectAlternativeNames?
        do {
            certificate = try Certificate(derEncoded: der)
            names = try certificate.extensions.subjectAlternativeNames
        } catch {
            throw .malformed
        }
        var uris: [String] = []
        for case .uniformResourceIdentifier(let uri) in names ?? SubjectAlternativeNames() { uris.append(uri) }
        guard uris.count == 1, let server = ChannelNames.server(ofURI: uris[0]) else { throw .namesNoServer }
        return PeerCertificate(
            server: server, serial: certificate.serialNumber.hexadecimal, notBefore: certificate.notValidBefore,
            notAfter: certificate.notValidAfter)
    }
}

extension Certificate {
    var der: [UInt8] {
        get throws {
            var serializer = DER.Serializer()
            try serializer.serialize(self)
            return serializer.serializedBytes
        }
    }
}

extension Certificate.SerialNumber {
    /// Drawn anew: 128 bits, of which the first two are 01, so that it is positive and as long as any other.
    static func random() -> Certificate.SerialNumber {
        var octets = (0..<16).map { _ in UInt8.random(in: .min ... .max) }
        octets[0] = octets[0] & 0x3F | 0x40
        return Certificate.SerialNumber(bytes: octets)
    }

    var hexadecimal: String { bytes.drop { $0 == 0 }.hexadecimal }
}
