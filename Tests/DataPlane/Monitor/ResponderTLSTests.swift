import Domain
import Foundation
import Syscalls
import Testing

@testable import DataPlane

@Suite struct `The responder by TLS` {
    private func ask(_ address: TransportAddress, _ options: [String] = []) throws -> String {
        try run(
            .openssl, ["s_client", "-connect", "\(address)", "-ign_eof"] + options,
            input: Array("GET / HTTP/1.1\r\nHost: za1.dfree.test\r\n\r\n".utf8)
        ).output
    }

    private func certificate(in output: String) throws -> [UInt8] {
        let begin = try #require(output.range(of: "-----BEGIN CERTIFICATE-----"))
        let end = try #require(output.range(of: "-----END CERTIFICATE-----"))
        return Array((output[begin.lowerBound..<end.upperBound] + "\n").utf8)
    }

    private func text(of certificate: [UInt8]) throws -> String {
        try run(.openssl, ["x509", "-noout", "-text"], input: certificate).output
    }

    @Test(arguments: ["-tls1_2", "-tls1_3"])
    func `answers like the plain one, over http/1.1 when that is offered`(version: String) throws {
        try withResponder(try Samples.servingBoard()) { addresses in
            let output = try ask(addresses.https, [version, "-alpn", "h2,http/1.1"])
            #expect(output.contains("ALPN protocol: http/1.1"))
            #expect(output.contains("HTTP/1.1 200 OK"))
            #expect(output.contains(#"{"server":"za1","region":"af-south-1","version":42,"#))
            #expect(!output.contains("TLS session ticket:"))
        }
    }

    @Test func `goes on without a protocol when only others are offered`() throws {
        try withResponder(try Samples.servingBoard()) { addresses in
            let output = try ask(addresses.https, ["-alpn", "h2"])
            #expect(output.contains("No ALPN negotiated"))
            #expect(output.contains("HTTP/1.1 200 OK"))
        }
    }

    @Test func `does not speak TLS before 1.2`() throws {
        try withResponder(try Samples.servingBoard()) { addresses in
            let output = try ask(addresses.https, ["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"])
            #expect(!output.contains("HTTP/1.1"))
        }
    }

    @Test func `has a certificate that verifies for the server's host name, and a new one when that changes`() throws {
        let board = try Samples.board()
        try withResponder(board) { addresses in
            let nameless = try text(of: certificate(in: try ask(addresses.https)))
            #expect(!nameless.contains("Subject Alternative Name"))

            board.applied(try Samples.applied(42))
            board.stage(.serving)
            let pem = try certificate(in: try ask(addresses.https))
            let named = try text(of: pem)
            #expect(named.contains("DNS:za1.dfree.test"))
            #expect(named.contains("NIST CURVE: P-256"))
            #expect(named.contains("CA:FALSE"))
            #expect(named.contains("TLS Web Server Authentication"))

            let file = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
            try Data(pem).write(to: file)
            defer { try? FileManager.default.removeItem(at: file) }
            let verify = ["-CAfile", file.path, "-verify_return_error", "-verify_hostname"]
            #expect(try ask(addresses.https, verify + ["za1.dfree.test"]).contains("HTTP/1.1 200 OK"))
            #expect(!(try ask(addresses.https, verify + ["other.test"])).contains("HTTP/1.1 200 OK"))

            board.applied(try Samples.applied(43, hostname: "moved.dfree.test"))
            #expect(try text(of: certificate(in: try ask(addresses.https))).contains("DNS:moved.dfree.test"))
        }
    }

    /// When a certificate begins or ends to hold, as openssl reads it: to the second.
    private func date(_ which: String, of certificate: [UInt8]) throws -> Date {
        let said = try run(.openssl, ["x509", "-noout", "-\(which)", "-dateopt", "iso_8601"], input: certificate).output
        // notBefore=2026-11-24 10:05:37Z
        let text = said.drop { $0 != "=" }.dropFirst().prefix { !$0.isNewline }
        let formatter = ISO8601DateFormatter()
        return try #require(formatter.date(from: text.replacingOccurrences(of: " ", with: "T")), "\(said)")
    }

    @Test func `holds from an hour ago for ten years`() throws {
        let (hour, day) = (3600.0, 86_400.0)
        let before = Date()
        try withResponder(try Samples.servingBoard()) { addresses in
            let pem = try certificate(in: try ask(addresses.https))
            let after = Date()
            // Made at some moment in between, whose second counts; the kernel's coarse clock may lag a little behind
            // the fine one.
            let moments = before.addingTimeInterval(-2)...after
            let start = try date("startdate", of: pem)
            #expect(moments.contains(start.addingTimeInterval(hour)), "it holds from \(start)")
            let end = try date("enddate", of: pem)
            #expect(moments.contains(end.addingTimeInterval(-3650 * day)), "it holds until \(end)")
        }
    }

    @Test func `survives clients that leave at any point of the handshake, or never spoke TLS`() throws {
        try withResponder(try Samples.servingBoard()) { addresses in
            for words in [
                "", "\u{16}", "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}", "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
                "\u{0}\u{0}\u{0}\u{0}\u{0}",
            ] {
                let client = try Client(to: addresses.https)
                client.send(words)
            }
            #expect(try ask(addresses.https).contains("HTTP/1.1 200 OK"))
        }
    }
}
