import Crypto
import Foundation
import SwiftASN1
import X509

/// Certificate requests as a data plane makes them, and as it does not.
enum Requests {
    /// For a new P-256 key; `name` is what it calls itself, which is nobody's business.
    static func fresh(calling name: String = "whoever") throws -> [UInt8] {
        try request(name, key: Certificate.PrivateKey(P256.Signing.PrivateKey()))
    }

    static func p384() throws -> [UInt8] {
        try request("za1", key: Certificate.PrivateKey(P384.Signing.PrivateKey()))
    }

    /// Signed by somebody else, or changed on its way.
    static func unproven() throws -> [UInt8] {
        var octets = try fresh()
        octets[octets.count - 1] ^= 1
        return octets
    }

    /// By `openssl req -new -newkey rsa:2048 -subj /CN=za1`.
    static let rsa =
        Data(
            base64Encoded: """
                MIICUzCCATsCAQAwDjEMMAoGA1UEAwwDemExMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAxZKmHQLq0kxlnpU9ZzE/
                UyOq+gsgIf1Y1VsfNgwFGVeXQYBcC+p3ayHofVsInddC/JlQctekZjX2bDF0GDQTCGvge2FkMlJ/QqnGmgYmA1MEOcG2vRdoz5p2
                GkGhfKoqNORhXnywrk9T6OnsoGOga6A63PlcwBj5rkM/brk14ku2Zbf1ZAJ1c+hS1UVZTNbzkiL5jVr1pkSEX+pF2TkW/OkRswIg
                RWifWDxS5RAkjAEjGl6/CH9gPwu5rDjDkxiH8SLBIZ27WtRrVN7NXCDi8mT8o3iU2Gm6/cXHsH210T6VbLkcIkqDteXF+iDQIVRt
                neaQCpSat709iqwoy+6SmwIDAQABoAAwDQYJKoZIhvcNAQELBQADggEBAJIeTjq73jejioKBzJ7E3jVIicRkbEBOQkLJWNdW6FLt
                Nx4LkrzCKR+JaEd1if6vJ32dGctN5+u4mp2+lARNtqMIrXZdyX2jMTMBJeflBmK6mMkcKvYK+IgjIrW7/60OPkzR37fF6W6AuUfH
                RR5k8h0ysvM+VXF/j/MElVXdgkfxyLpEJLFmk1NpnoE6JQWE4ONSUZ4kQor4dMcbI6HwDut5yRH2Sbb6E6Y4atuSbeO9jvOU/IsC
                V2d4cDrpdcgdY0EJddoIIm5Hq7P+VVGej0upieR73w91WYrWrcTh4722tY699AH2sJbmMtJ/4Oq8NFFI4hzfUBWTRvVdjf4DG1o=
                """, options: .ignoreUnknownCharacters
        ).map { Array($0) } ?? []

    private static func request(_ name: String, key: Certificate.PrivateKey) throws -> [UInt8] {
        let request = try CertificateSigningRequest(
            version: .v1, subject: try DistinguishedName { CommonName(name) }, privateKey: key,
            attributes: CertificateSigningRequest.Attributes())
        var serializer = DER.Serializer()
        try serializer.serialize(request)
        return serializer.serializedBytes
    }
}
