import Crypto
import Foundation
import Testing

@testable import Channel

@Suite struct `The authority's file` {
    private func write(_ text: String, to path: String, mode: Int = 0o600) throws {
        try Data(text.utf8).write(to: URL(filePath: path))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    }

    /// The parts of an authority's PEM: its key and its certificate.
    private func parts(_ authority: ChannelAuthority) throws -> (key: String, certificate: String) {
        let pem = try authority.pem
        let middle = try #require(pem.range(of: "-----BEGIN CERTIFICATE-----"))
        return (String(pem[..<middle.lowerBound]), String(pem[middle.lowerBound...]))
    }

    /// What is said of a file that is refused.
    private func refusal(of path: String, isCredential: Bool = false) -> String {
        do {
            _ = try ChannelAuthority.open(path: path, isCredential: isCredential)
            return "it was accepted"
        } catch {
            return "\(error)"
        }
    }

    @Test func `it is made once, for its owner alone, and read again`() async throws {
        try await withFolder { folder in
            let path = folder + "/authority.pem"
            let made = try ChannelAuthority.open(path: path)
            let attributes = try FileManager.default.attributesOfItem(atPath: path)
            #expect(attributes[.posixPermissions] as? Int == 0o600)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["authority.pem"])
            let read = try ChannelAuthority.open(path: path)
            #expect(read.derCertificate == made.derCertificate)
            #expect(read.fingerprint == made.fingerprint)
            #expect(made.fingerprint.hasPrefix("sha256:") && made.fingerprint.count == 7 + 64)
            #expect(try read.pem == made.pem)
        }
    }

    @Test func `a file that others can read is refused, with what to do about it`() async throws {
        try await withFolder { folder in
            let path = folder + "/authority.pem"
            _ = try ChannelAuthority.open(path: path)
            for mode in [0o640, 0o604, 0o620] {
                try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
                #expect(refusal(of: path).contains("chmod 600 \(path)"))
            }
            // systemd keeps credentials in a folder of their own.
            try FileManager.default.setAttributes([.posixPermissions: 0o440], ofItemAtPath: path)
            _ = try ChannelAuthority.open(path: path, isCredential: true)
        }
    }

    @Test func `a credential that is missing is not made`() async throws {
        try await withFolder { folder in
            #expect(refusal(of: folder + "/authority", isCredential: true).contains("is not there"))
            let files = try FileManager.default.contentsOfDirectory(atPath: folder)
            #expect(files.isEmpty)
        }
    }

    @Test func `a key of another certificate is refused`() async throws {
        try await withFolder { folder in
            let one = try parts(try ChannelAuthority.make(now: Date()))
            let two = try parts(try ChannelAuthority.make(now: Date()))
            try write(one.key + two.certificate, to: folder + "/authority.pem")
            #expect(refusal(of: folder + "/authority.pem").contains("a key that is not its certificate's"))
            // The order is nobody's concern.
            try write(one.certificate + one.key, to: folder + "/authority.pem")
            _ = try ChannelAuthority.open(path: folder + "/authority.pem")
        }
    }

    @Test func `an authority that has expired is refused`() async throws {
        try await withFolder { folder in
            let old = try ChannelAuthority.make(now: Date(timeIntervalSince1970: 0))
            try write(try old.pem, to: folder + "/authority.pem")
            #expect(refusal(of: folder + "/authority.pem").contains("expired at 19"))
        }
    }

    @Test(arguments: ["", "no PEM", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
    func `what is no authority is refused, and stays as it is`(text: String) async throws {
        try await withFolder { folder in
            let path = folder + "/authority.pem"
            try write(text, to: path)
            #expect(refusal(of: path).contains("expected PEM with one PRIVATE KEY"))
            #expect(try String(contentsOfFile: path, encoding: .utf8) == text)
        }
    }

    @Test func `half of it, a second one behind it, or a certificate that is no authority's is refused`() async throws {
        try await withFolder { folder in
            let path = folder + "/authority.pem"
            let authority = try ChannelAuthority.make(now: Date())
            let parts = try parts(authority)
            for text in [parts.key, parts.certificate, try authority.pem + authority.pem] {
                try write(text, to: path)
                #expect(refusal(of: path).contains("expected PEM with one PRIVATE KEY"))
            }
            let own = try authority.ownIdentity(now: Date(), lifetime: .seconds(60))
            let encoded = Data(own.certificate).base64EncodedString(options: .lineLength64Characters)
            let certificate = "-----BEGIN CERTIFICATE-----\n\(encoded)\n-----END CERTIFICATE-----\n"
            try write(own.privateKeyPEM + "\n" + certificate, to: path)
            #expect(refusal(of: path).contains("a certificate that its key has not signed"))
        }
    }

    @Test func `a folder that is not there stops the start`() async throws {
        try await withFolder { folder in
            #expect(refusal(of: folder + "/none/authority.pem").contains("expected a folder that exists"))
            #expect(refusal(of: folder).contains("is no file"))
        }
    }

    @Test func `read anew it stays when its file has gone, and is another when the file is`() async throws {
        try await withFolder { folder in
            let path = folder + "/authority"
            let keeper = try AuthorityKeeper(path: path, isCredential: false)
            let first = keeper.authority.fingerprint
            let isOther = try keeper.reload()
            #expect(!isOther)
            try FileManager.default.moveItem(atPath: path, toPath: path + ".kept")
            #expect(throws: ChannelAuthority.Failure.self) { try keeper.reload() }
            #expect(keeper.authority.fingerprint == first)
            #expect(!FileManager.default.fileExists(atPath: path))
            let second = try ChannelAuthority.open(path: path)
            let isAnother = try keeper.reload()
            #expect(isAnother)
            #expect(keeper.authority.fingerprint == second.fingerprint)
        }
    }
}
