import Changes
import Channel
import Domain
import Fleet
import Hummingbird
import JSON
import Notices
import Store

/// Which machine may connect as which server.
struct EnrollmentRoutes: Routes {
    let store: Store
    let changes: Changes
    let publisher: SnapshotPublisher
    /// Nil when there is no channel over TCP, which is what servers enroll for.
    let enrollments: Enrollments?
    let events: EventLog

    var operations: [Operation] {
        [
            Operation(.post, "/api/v1/servers/{name}/enroll", needs: .enrollServers, .enrollServer) {
                try await grant($0)
            },
            Operation(.post, "/api/v1/servers/{name}/revoke", needs: .enrollServers, .revokeServer) {
                try await revoke($0)
            },
        ]
    }

    /// In seconds. An hour is time enough to carry a token to its server; after a week nobody remembers where it lies.
    static let validities = 1...604_800
    static let usualValidity = 3600

    private func grant(_ request: APIRequest) async throws -> Response {
        let name = try request.server(in: store)
        let validity = try await validity(request)
        let enrollments = try await channelEnrollments(for: "server.enroll.token", name, request)
        let token = try await enrollments.grant(name, validFor: validity, by: request.author)
        return .json(
            [
                "server": .string(name.text), "token": .string(token.secret),
                "expiresAt": .string(Timestamp.text(token.expiresAt)),
                "authorityFingerprint": .string(enrollments.authority.fingerprint),
            ], status: .created)
    }

    private func revoke(_ request: APIRequest) async throws -> Response {
        let name = try request.server(in: store)
        let enrollments = try await channelEnrollments(for: "server.revoke", name, request)
        let count = try await enrollments.revoke(name, by: request.author)
        events.append(
            .serverRevoked, server: name, author: request.author,
            detail: "\(count) certificate\(count == 1 ? "" : "s") revoked, and the unused token if there was one")
        await publisher.endSession(of: name, reason: "its certificates have been revoked")
        return .json(["server": .string(name.text), "certificatesRevoked": .integer(count)])
    }

    /// For how long the body wants the token to be good.
    private func validity(_ request: APIRequest) async throws -> Duration {
        guard let (value, _) = try await request.json(types: ["application/json"], required: false) else {
            return .seconds(Self.usualValidity)
        }
        let findings = Findings()
        guard var reader = ObjectReader(value, at: "", findings) else { throw Rejection(violations: findings.all) }
        let expected = "a whole number of seconds from \(Self.validities.lowerBound) to \(Self.validities.upperBound)"
        var validity = Self.usualValidity
        if let member = reader.value("validForSeconds", required: false, expected: expected) {
            if case .integer(let seconds) = member {
                validity = seconds
                if !Self.validities.contains(seconds) {
                    findings.add(
                        "/validForSeconds", InvalidValue("\(seconds)", "is too short or too long", expected: expected))
                }
            } else {
                reader.mistyped(member, at: "/validForSeconds", expected: expected)
            }
        }
        reader.finish()
        guard findings.all.isEmpty else { throw Rejection(violations: findings.all) }
        return .seconds(validity)
    }

    private func channelEnrollments(
        for action: String, _ name: ServerName, _ request: APIRequest
    ) async throws(Problem) -> Enrollments {
        if let enrollments { return enrollments }
        await changes.enterRefusal(
            ChangeRequest(author: request.author, action: action, target: name.text),
            "There is no channel over TCP.")
        throw Problem(
            .conflict,
            "This control plane has no channel over TCP, and servers need no certificates for a Unix socket; expected it to be "
                + "started with --channel tcp:ADDR:PORT.")
    }
}
