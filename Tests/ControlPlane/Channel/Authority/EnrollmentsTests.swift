import Domain
import Foundation
import Testing

@testable import Channel
@testable import Fleet
@testable import Store

@Suite struct `Enrolling, renewing and revoking` {
    /// A store with za1 in it, and what is granted for it.
    private struct Office: Sendable {
        let store: Store
        let authority: ChannelAuthority
        let enrollments: Enrollments
        let clock: TestClock
        let za1: ServerName

        func token(validFor: Duration = .seconds(3600)) async throws -> EnrollmentToken {
            try await enrollments.grant(za1, validFor: validFor, by: "ops")
        }

        /// A certificate for za1, as TLS shows it later.
        func peer() async throws -> PeerCertificate {
            let secret = try await token().secret
            let issued = try await enrollments.enroll(token: secret, request: try Requests.fresh())
            return try ChannelAuthority.identify(der: issued.der)
        }

        /// The newest audit entries, as `action author target`, newest first.
        func audit(_ count: Int) async throws -> [String] {
            try await store.auditTrail(before: nil, limit: count).elements.map {
                "\($0.action) \($0.author) \($0.target)"
            }
        }
    }

    private func withOffice(_ body: @Sendable (Office) async throws -> Void) async throws {
        try await withFolder { folder in
            let clock = TestClock()
            let revocations = Revocations()
            let store = try await Store.open(
                at: folder + "/control.db", exceptions: [], revocations: revocations, now: { clock.now })
            try await store.furnish()
            let rows = CertificateRows(store: store, revocations: revocations)
            try await body(try await office(rows, clock, try ChannelAuthority.make(now: clock.now)))
            try await store.close()
        }
    }

    private func office(
        _ rows: CertificateRows, _ clock: TestClock, _ authority: ChannelAuthority
    ) async throws -> Office {
        Office(
            store: rows.store, authority: authority,
            enrollments: try await Enrollments(
                rows, authority: AuthorityKeeper(authority), lifetime: .seconds(86_400), now: { clock.now }),
            clock: clock, za1: try ServerName("za1"))
    }

    // MARK: Tokens

    @Test func `a token becomes a certificate, and who did what is on record`() async throws {
        try await withOffice { office in
            let token = try await office.token()
            #expect(token.secret.hasPrefix("dde_") && token.secret.count == 4 + 64)
            #expect(token.expiresAt == office.clock.now.addingTimeInterval(3600))
            let issued = try await office.enrollments.enroll(token: token.secret, request: try Requests.fresh())
            #expect(issued.server == office.za1)
            #expect(office.enrollments.isRevoked(issued.shown) == false)
            #expect(try await office.audit(2) == ["server.enroll server za1 za1", "server.enroll.token ops za1"])
        }
    }

    @Test func `a token is used once, and its replay is told from a token that never was`() async throws {
        try await withOffice { office in
            let secret = try await office.token().secret
            let request = try Requests.fresh()
            _ = try await office.enrollments.enroll(token: secret, request: request)
            let used = EnrollmentRefusal.usedToken(office.za1, at: Timestamp.text(office.clock.now))
            await #expect(throws: used) { _ = try await office.enrollments.enroll(token: secret, request: request) }
            for unknown in ["", secret + "0", String(repeating: "x", count: 100_000)] {
                await #expect(throws: EnrollmentRefusal.unknownToken) {
                    _ = try await office.enrollments.enroll(token: unknown, request: request)
                }
            }
            // A new token does not make the used one unknown.
            _ = try await office.token()
            await #expect(throws: used) { _ = try await office.enrollments.enroll(token: secret, request: request) }
        }
    }

    @Test func `of many at once with one token, one gets a certificate`() async throws {
        try await withOffice { office in
            let secret = try await office.token().secret
            let enrolled = await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<8 { group.addTask { await enrolls(office.enrollments, secret) } }
                return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(enrolled == 1)
        }
    }

    private func enrolls(_ enrollments: Enrollments, _ secret: String) async -> Bool {
        do {
            _ = try await enrollments.enroll(token: secret, request: try Requests.fresh())
            return true
        } catch {
            return false
        }
    }

    @Test func `a token expires`() async throws {
        try await withOffice { office in
            let token = try await office.token(validFor: .seconds(60))
            office.clock.advance(by: 60)
            let request = try Requests.fresh()
            await #expect(throws: EnrollmentRefusal.expiredToken(office.za1, at: Timestamp.text(token.expiresAt))) {
                _ = try await office.enrollments.enroll(token: token.secret, request: request)
            }
        }
    }

    @Test func `a new token replaces one that was not used`() async throws {
        try await withOffice { office in
            let first = try await office.token()
            let second = try await office.token()
            let request = try Requests.fresh()
            await #expect(throws: EnrollmentRefusal.unknownToken) {
                _ = try await office.enrollments.enroll(token: first.secret, request: request)
            }
            _ = try await office.enrollments.enroll(token: second.secret, request: request)
        }
    }

    @Test func `a bad request leaves the token as it was`() async throws {
        try await withOffice { office in
            let secret = try await office.token().secret
            let bad: [(request: [UInt8], refusal: RequestRefusal)] = [
                ([], .malformed), (Requests.rsa, .otherKey), (try Requests.unproven(), .notProven),
            ]
            for (request, refusal) in bad {
                await #expect(throws: EnrollmentRefusal.badRequest(refusal)) {
                    _ = try await office.enrollments.enroll(token: secret, request: request)
                }
            }
            let issued = try await office.enrollments.enroll(token: secret, request: try Requests.fresh())
            #expect(issued.server == office.za1)
        }
    }

    @Test func `a token for a server that there is not is not granted`() async throws {
        try await withOffice { office in
            await #expect(throws: ChangeRefusal.self) {
                _ = try await office.enrollments.grant(try ServerName("nobody"), validFor: .seconds(60), by: "ops")
            }
        }
    }

    // MARK: Renewing

    @Test func `a certificate is renewed without a word in the audit trail`() async throws {
        try await withOffice { office in
            let peer = try await office.peer()
            let before = try await office.audit(50).count
            let next = try await office.enrollments.renew(peer, request: try Requests.fresh())
            #expect(next.server == office.za1 && next.serial != peer.serial)
            #expect(try await office.audit(50).count == before)
            // The old one is good until it expires: the answer may have been lost.
            _ = try await office.enrollments.renew(peer, request: try Requests.fresh())
            office.clock.advance(by: 86_400)
            await #expect(throws: EnrollmentRefusal.expiredCertificate(office.za1)) {
                _ = try await office.enrollments.renew(peer, request: try Requests.fresh())
            }
        }
    }

    @Test func `a certificate that a backup does not know is accepted, until its server's are revoked`() async throws {
        try await withOffice { office in
            let issued = try office.authority.issue(
                to: office.za1, request: Requests.fresh(), now: office.clock.now, lifetime: .seconds(86_400))
            let peer = try ChannelAuthority.identify(der: issued.der)
            #expect(office.enrollments.isRevoked(peer) == false)
            _ = try await office.enrollments.renew(peer, request: try Requests.fresh())
            _ = try await office.enrollments.revoke(office.za1, by: "ops")
            #expect(office.enrollments.isRevoked(peer))
            await #expect(throws: EnrollmentRefusal.revoked(office.za1)) {
                _ = try await office.enrollments.renew(peer, request: try Requests.fresh())
            }
        }
    }

    // MARK: Revoking

    @Test func `revoking takes every certificate and the unused token, and a new token lets the server in again`()
        async throws
    {
        try await withOffice { office in
            let peer = try await office.peer()
            let next = try await office.enrollments.renew(peer, request: try Requests.fresh())
            let unused = try await office.token()
            #expect(try await office.enrollments.revoke(office.za1, by: "ops") == 2)
            #expect(try await office.audit(1) == ["server.revoke ops za1"])
            #expect(office.enrollments.isRevoked(peer) && office.enrollments.isRevoked(next.shown))
            let request = try Requests.fresh()
            await #expect(throws: EnrollmentRefusal.revoked(office.za1)) {
                _ = try await office.enrollments.renew(peer, request: request)
            }
            await #expect(throws: EnrollmentRefusal.unknownToken) {
                _ = try await office.enrollments.enroll(token: unused.secret, request: request)
            }
            let again = try await office.peer()
            #expect(office.enrollments.isRevoked(again) == false)
            #expect(try await office.enrollments.revoke(office.za1, by: "ops") == 1)
        }
    }

    @Test func `a revocation outlives a restart`() async throws {
        try await withFolder { folder in
            let clock = TestClock()
            let authority = try ChannelAuthority.make(now: clock.now)
            let firstRevocations = Revocations()
            let first = try await Store.open(
                at: folder + "/control.db", exceptions: [], revocations: firstRevocations, now: { clock.now })
            try await first.furnish()
            let before = try await office(
                CertificateRows(store: first, revocations: firstRevocations), clock, authority)
            let revoked = try await before.peer()
            _ = try await before.enrollments.revoke(before.za1, by: "ops")
            let good = try await before.peer()
            try await first.close()

            let secondRevocations = Revocations()
            let second = try await Store.open(
                at: folder + "/control.db", exceptions: [], revocations: secondRevocations, now: { clock.now })
            let after = try await office(
                CertificateRows(store: second, revocations: secondRevocations), clock, authority)
            #expect(after.enrollments.isRevoked(revoked))
            #expect(!after.enrollments.isRevoked(good))
            try await second.close()
        }
    }

    @Test(arguments: [false, true])
    func `a server that leaves the configuration loses its certificates with it`(byRestoring: Bool) async throws {
        try await withOffice { office in
            // Version 4, on top of what furnishes the store.
            let ie1 = try Server.sample("ie1", address: 2)
            try await office.store.propose([.server(ie1.name, before: nil, after: ie1)])
            let secret = try await office.enrollments.grant(ie1.name, validFor: .seconds(60), by: "ops").secret
            let issued = try await office.enrollments.enroll(token: secret, request: try Requests.fresh())
            let peer = try ChannelAuthority.identify(der: issued.der)
            let unused = try await office.enrollments.grant(ie1.name, validFor: .seconds(60), by: "ops")
            let za1 = try await office.peer()

            if byRestoring {
                let request = ChangeRequest(author: "ops", action: "version.restore", target: "3")
                _ = try await office.store.restore(SnapshotVersion(3), request)
            } else {
                try await office.store.propose([.server(ie1.name, before: ie1, after: nil)])
            }
            #expect(office.enrollments.isRevoked(peer))
            #expect(try await office.audit(1).first?.hasPrefix("server.revoke") == true)
            await #expect(throws: EnrollmentRefusal.serverGone(ie1.name)) {
                _ = try await office.enrollments.renew(peer, request: try Requests.fresh())
            }
            await #expect(throws: EnrollmentRefusal.unknownToken) {
                _ = try await office.enrollments.enroll(token: unused.secret, request: try Requests.fresh())
            }
            // A server of that name that comes later is another one.
            try await office.store.propose([.server(ie1.name, before: nil, after: ie1)])
            #expect(office.enrollments.isRevoked(peer))
            await #expect(throws: EnrollmentRefusal.revoked(ie1.name)) {
                _ = try await office.enrollments.renew(peer, request: try Requests.fresh())
            }
            #expect(office.enrollments.isRevoked(za1) == false)
        }
    }

    @Test func `what has expired is forgotten a month later, and a replay of it is a stranger's`() async throws {
        try await withOffice { office in
            let secret = try await office.token().secret
            let request = try Requests.fresh()
            _ = try await office.enrollments.enroll(token: secret, request: request)
            office.clock.advance(by: 29 * 86_400)
            _ = try await office.peer()
            let counting = "SELECT serial FROM certificates"
            #expect(try await office.store.read { try $0.rows(counting).count } == 2)
            office.clock.advance(by: 3 * 86_400)
            _ = try await office.peer()
            #expect(try await office.store.read { try $0.rows(counting).count } == 2)
            await #expect(throws: EnrollmentRefusal.unknownToken) {
                _ = try await office.enrollments.enroll(token: secret, request: request)
            }
        }
    }
}
