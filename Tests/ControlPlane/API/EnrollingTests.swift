import Domain
import Foundation
import Hummingbird
import Testing

@testable import Channel
@testable import JSON
@testable import Store

@Suite struct `Enrolling a server` {
    @Test func `a token is made, shown once, and lets the server have its certificate`() async throws {
        try await Bench.run { bench in
            try await bench.furnish()
            let made = try await bench.post("/servers/za1/enroll")
            #expect(made.status == 201)
            #expect(made["server"] == "za1")
            #expect(made["authorityFingerprint"] == .string(bench.enrollments.authority.fingerprint))
            let expiry = Timestamp.text(TestClock().now.addingTimeInterval(3600))
            #expect(made["expiresAt"] == .string(expiry))
            guard case .string(let secret)? = made["token"] else {
                Issue.record("no token in \(made.text)")
                return
            }
            let issued = try await bench.enrollments.enroll(token: secret, request: try Requests.fresh())
            #expect(issued.server.text == "za1")
            let audit = try await bench.get("/audit").text
            #expect(audit.contains("server.enroll.token") && !audit.contains(secret))
            // It makes no version.
            #expect(bench.store.version == SnapshotVersion(4))
        }
    }

    @Test func `a token is good for as long as was asked for, within reason`() async throws {
        try await Bench.run { bench in
            try await bench.furnish()
            let made = try await bench.post("/servers/za1/enroll", #"{"validForSeconds":60}"#)
            #expect(made["expiresAt"] == .string(Timestamp.text(TestClock().now.addingTimeInterval(60))))
            for body in [
                #"{"validForSeconds":0}"#, #"{"validForSeconds":604801}"#, #"{"validForSeconds":"60"}"#,
                #"{"validForSeconds":60.5}"#, #"{"validForSeconds":null}"#,
            ] {
                let answer = try await bench.post("/servers/za1/enroll", body)
                #expect(answer.status == 422, "\(body)")
                #expect(answer.pointers == ["/validForSeconds"], "\(body)")
            }
            #expect(try await bench.post("/servers/za1/enroll", #"{"ttl":60}"#).pointers == ["/ttl"])
            #expect(try await bench.post("/servers/za1/enroll", "[]").status == 422)
        }
    }

    @Test func `revoking says how many certificates were in force, and lets none of them back in`() async throws {
        try await Bench.run { bench in
            try await bench.furnish()
            let made = try await bench.post("/servers/za1/enroll")
            guard case .string(let secret)? = made["token"] else {
                Issue.record("no token in \(made.text)")
                return
            }
            let issued = try await bench.enrollments.enroll(token: secret, request: try Requests.fresh())
            let answer = try await bench.post("/servers/za1/revoke")
            #expect(answer.status == 200)
            #expect(answer.json == ["server": "za1", "certificatesRevoked": 1])
            #expect(bench.enrollments.isRevoked(issued.shown))
            #expect(try await bench.post("/servers/za1/revoke")["certificatesRevoked"] == 0)
            #expect(try await bench.get("/audit").text.contains(issued.serial))
        }
    }

    @Test(arguments: ["enroll", "revoke"])
    func `a server that there is not is not found`(verb: String) async throws {
        try await Bench.run { bench in
            let answer = try await bench.post("/servers/nobody/\(verb)")
            #expect(answer.status == 404)
            #expect(answer.text.contains("There is no server 'nobody'"))
        }
    }

    @Test(arguments: ["enroll", "revoke"])
    func `without a channel over TCP there is nothing to enroll for, and that says how to have one`(
        verb: String
    ) async throws {
        try await Bench.run(overTCP: false) { bench in
            try await bench.furnish()
            let answer = try await bench.post("/servers/za1/\(verb)")
            #expect(answer.status == 409)
            #expect(answer.text.contains("--channel tcp:ADDR:PORT"))
            #expect(try await bench.get("/audit").text.contains("There is no channel over TCP."))
        }
    }
}
