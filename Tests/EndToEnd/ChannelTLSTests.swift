import Foundation
import Glibc
import JSON
import Testing

/// The channel over TCP: nobody gets in who should not, whoever belongs there stays in, and the one does not trouble
/// the other.
@Suite(.realParts) struct `The channel over TCP` {
    /// Someone whom the control plane has to turn away.
    enum Stranger: CaseIterable {
        case ofAnotherAuthority, ofNoAuthority, expired, anotherServer, withoutCertificate
        case plainText, oldTLS
        case replayedToken, expiredToken, inventedToken
        case oversizedFrame, malformedFrame, silent

        /// What it counts as.
        var label: String {
            switch self {
            case .ofAnotherAuthority, .ofNoAuthority, .expired, .plainText, .oldTLS: "handshake"
            case .anotherServer, .withoutCertificate: "certificate"
            case .replayedToken, .expiredToken, .inventedToken: "enrollment"
            case .oversizedFrame, .malformedFrame: "frame"
            case .silent: "hello"
            }
        }

        /// Whether it is told why, which takes TLS that both sides believe in.
        var isTold: Bool { label != "handshake" }
    }

    /// A control plane, and a server that has nothing to do with what happens.
    private struct Scenery {
        let channel: TCPChannel
        let fleet: Fleet
        let bystander: Server
        let since: JSONValue

        init() throws {
            channel = try TCPChannel()
            fleet = try Fleet(flags: channel.flags)
            bystander = try fleet.enrollServer("ie1", at: channel, into: Scene.present().path("credentials"))
            try bystander.start()
            _ = try fleet.registerServer("za1")
            since = try fleet.api.grant("GET", "/servers/ie1").body["connectedSince"]
        }

        /// Who that is, and what it says.
        func call(_ stranger: Stranger) throws -> (peer: ChannelPeer, words: [String]) {
            var peer = ChannelPeer(channel: channel)
            let hello = ["hello=za1", "hold"]
            switch stranger {
            case .ofAnotherAuthority:
                let authority = try Forgery.authority(like: channel.authority)
                peer.identity = try Forgery.identity(of: "za1", by: .authority(authority))
                return (peer, hello)
            case .ofNoAuthority:
                peer.identity = try Forgery.identity(of: "za1", by: .itself)
                return (peer, hello)
            case .expired:
                peer.identity = try Forgery.identity(of: "za1", by: .authority(channel.authority), days: -1)
                return (peer, hello)
            case .anotherServer:
                peer.identity = try enrolled()
                return (peer, ["hello=ie1", "hold"])
            case .withoutCertificate: return (peer, hello)
            case .plainText:
                peer.tls = "none"
                return (peer, ["http"])
            case .oldTLS:
                peer.tls = "1.2"
                return (peer, hello)
            case .replayedToken:
                let token = try fleet.permitEnrollment(of: "za1").token
                _ = try ChannelPeer(channel: channel).enroll(token)
                return (peer, ["enroll=\(token)"])
            case .expiredToken:
                let token = try fleet.permitEnrollment(of: "za1", forSeconds: 1).token
                // Nothing happens when a token expires but that.
                pause(.seconds(2))
                return (peer, ["enroll=\(token)"])
            case .inventedToken: return (peer, ["enroll=0123456789abcdef0123456789abcdef"])
            case .oversizedFrame:
                peer.identity = try enrolled()
                return (peer, ["oversized"])
            case .malformedFrame:
                peer.identity = try enrolled()
                return (peer, ["malformed"])
            case .silent: return (peer, [])
            }
        }

        /// The identity of za1, as the control plane gives it.
        private func enrolled() throws -> String {
            try ChannelPeer(channel: channel).enroll(fleet.permitEnrollment(of: "za1").token)
        }

        func checkNobodyNoticed() throws {
            let status = try fleet.api.grant("GET", "/servers/ie1").body
            #expect(status["connected"] == true)
            #expect(status["connectedSince"] == since, "it is the first session still: \(bystander.log)")
        }
    }

    @Test(arguments: Stranger.allCases)
    func `turns a stranger away, counts each time, says so once, and troubles nobody else`(stranger: Stranger) throws {
        let scenery = try Scenery()
        let (peer, words) = try scenery.call(stranger)
        let before = try scenery.fleet.refusals(stranger.label)
        let times = 3
        let peers = try (0..<times).map { _ in try peer.start(words, into: Scene.present().path("nothing")) }
        for program in peers {
            let events = try ChannelPeer.events(of: program)
            #expect(events.last?["event"].text == "end")
            #expect(!["done", "silence"].contains(events.last?["how"].text), "\(events)")
            let frames = events.compactMap { $0["kind"].text }
            #expect(frames == (stranger.isTold ? ["goodbye"] : []), "\(events)")
        }
        try eventually("each is counted; it says: \(scenery.fleet.control.log)") {
            try scenery.fleet.refusals(stranger.label) >= before + times
        }
        #expect(try scenery.fleet.refusals(stranger.label) == before + times)
        func lines() -> [Substring] {
            scenery.fleet.control.log.split(separator: "\n").filter {
                $0.contains("A connection to the channel was refused") && $0.contains(peer.address)
            }
        }
        try eventually("it is said") { !lines().isEmpty }
        #expect(lines().count == 1, "\(lines())")
        #expect(try scenery.fleet.api.grant("GET", "/servers/za1").body["connected"] != true)
        try scenery.checkNobodyNoticed()
    }

    @Test func `ends the session of a revoked server at once, and has it back when it is enrolled anew`() throws {
        let nginx = try Nginx("first")
        let channel = try TCPChannel()
        let fleet = try Fleet(flags: channel.flags)
        let credentials = try Scene.present().path("credentials")
        let za1 = try fleet.enrollServer("za1", at: channel, into: credentials)
        let ie1 = try fleet.enrollServer("ie1", at: channel, into: Scene.present().path("credentials"))
        try za1.start()
        try ie1.start()
        try fleet.addService(to: nginx.first.endpoint)
        let load = try Load.requests(to: za1)
        try load.awaitMore(20)
        let since = try fleet.api.grant("GET", "/servers/ie1").body["connectedSince"]
        let answer = try fleet.api.grant("POST", "/servers/za1/revoke").body
        #expect(answer["server"].text == "za1")
        #expect(answer["certificatesRevoked"].integer == 1)
        let revoked = now()
        try fleet.awaitServer("za1", "is out") { $0["connected"] != true }
        figure("a revoked server is out", now() - revoked, under: .seconds(2))
        try eventually("it stays out however often it comes; it says: \(za1.log)") {
            try fleet.refusals("revoked") >= 3
        }
        #expect(try fleet.api.grant("GET", "/servers/za1").body["connected"] != true)
        // What it has it goes on with (invariant 1).
        try load.awaitMore(50)
        #expect(load.stop().failures.map(\.description) == [])
        try fleet.enroll("za1", into: credentials, at: channel)
        try za1.program.signal(SIGHUP)
        try fleet.awaitServer("za1", "is back") { $0["connected"] == true }
        #expect(try fleet.api.grant("GET", "/servers/ie1").body["connectedSince"] == since)
    }

    @Test func `keeps a session beyond the end of the certificate that it began with`() throws {
        // A third of it is left when it is renewed, and a busy machine may take some of the rest to begin.
        let lifetime = 20
        let channel = try TCPChannel(certificateLifetime: lifetime)
        let fleet = try Fleet(flags: channel.flags)
        let credentials = try Scene.present().path("credentials")
        let za1 = try fleet.enrollServer("za1", at: channel, into: credentials)
        let began = now()
        try za1.start()
        let identity = "\(credentials)/identity.pem"
        let first = (file: text(ofFile: identity), status: try fleet.api.grant("GET", "/servers/za1").body)
        #expect(first.file.contains("PRIVATE KEY") && first.file.contains("BEGIN CERTIFICATE"))
        let firstKept = try Scene.present().path("first.pem")
        try write(first.file, to: firstKept)
        #expect(first.status["certificateExpiresAt"].text != nil)
        try fleet.awaitServer("za1", "has a new certificate") {
            $0["certificateExpiresAt"] != first.status["certificateExpiresAt"]
        }
        let second = try fleet.api.grant("GET", "/servers/za1").body
        // Timestamps of one form, which sort as text.
        #expect((second["certificateExpiresAt"].text ?? "") > (first.status["certificateExpiresAt"].text ?? ""))
        try eventually("it is written down") { text(ofFile: identity) != first.file }
        try eventually("the first certificate has ended", every: .milliseconds(200)) {
            try Forgery.hasExpired(firstKept)
        }
        // Whatever is to end a session at that moment has had the time to.
        try eventually("three more beats") { now() - began > .seconds(lifetime + 4) }
        let last = try fleet.api.grant("GET", "/servers/za1").body
        #expect(last["connected"] == true)
        #expect(last["connectedSince"] == first.status["connectedSince"], "it is the first session still: \(za1.log)")
        try eventually("it is said") { za1.log.contains("The certificate of this server has been renewed") }
        let mode = try FileManager.default.attributesOfItem(atPath: identity)[.posixPermissions] as? Int
        #expect(mode == 0o600)
    }

    @Test
    func `refuses a server that was away for longer than its certificate holds, and has it back when it is enrolled`()
        throws
    {
        let channel = try TCPChannel(certificateLifetime: 3)
        let fleet = try Fleet(flags: channel.flags)
        let credentials = try Scene.present().path("credentials")
        let za1 = try fleet.enrollServer("za1", at: channel, into: credentials)
        try eventually("its certificate has ended", every: .milliseconds(200)) {
            try Forgery.hasExpired("\(credentials)/identity.pem")
        }
        try za1.launch()
        try eventually("it is refused; it says: \(za1.log)") { try fleet.refusals("handshake") > 0 }
        try eventually("it says so; it says: \(za1.log)") { za1.log.contains("expired") }
        // The next certificate is to hold for as long as a busy machine takes to use it.
        fleet.control.destroy()
        try fleet.restartControl(flags: ["--certificate-lifetime", "3600"])
        try fleet.enroll("za1", into: credentials, at: channel)
        try za1.program.signal(SIGHUP)
        try za1.awaitReady()
        try fleet.awaitServer("za1", "is back") { $0["connected"] == true }
    }

    @Test func `an authority and an identity are for their owners alone, and last`() throws {
        let channel = try TCPChannel()
        let fleet = try Fleet(flags: channel.flags)
        let credentials = try Scene.present().path("credentials")
        let za1 = try fleet.enrollServer("za1", at: channel, into: credentials)
        for file in [channel.authority, "\(credentials)/identity.pem"] {
            let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int
            #expect(mode == 0o600, "\(file)")
        }
        let before = text(ofFile: channel.authority)
        try za1.start()
        fleet.control.destroy()
        try fleet.restartControl()
        #expect(text(ofFile: channel.authority) == before)
        try fleet.awaitServer("za1", "is back") { $0["connected"] == true }
        let status = try fleet.api.grant("GET", "/servers/za1").body
        #expect(status["sessionAddress"].text?.hasPrefix("127.") == true)
        // A load report brings it, within a few seconds.
        try fleet.awaitServer("za1", "says how long it has been running") { ($0["uptimeSeconds"].integer ?? 0) > 0 }
    }
}
