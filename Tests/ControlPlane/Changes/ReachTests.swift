import Domain
import Testing

@testable import Changes
@testable import Channel

@Suite struct `Reach of a change` {
    private let za1 = ServerName(checked: "za1")
    private let version = SnapshotVersion(7)

    private func status(connected: Bool = true, applied: UInt64? = nil, refused: UInt64? = nil) -> ServerStatus {
        var status = ServerStatus()
        status.connectedSince = connected ? 0 : nil
        status.appliedVersion = applied.map { SnapshotVersion($0) }
        status.refusal = refused.map { ServerStatus.Refusal(version: SnapshotVersion($0), reasons: ["no"]) }
        return status
    }

    private func state(_ status: ServerStatus) -> Reach.State? {
        Reach(version, of: [(za1, status)]).servers.first?.state
    }

    @Test func `a server that has applied the version, or a later one, has the change`() {
        #expect(state(status(applied: 7)) == .applied)
        #expect(state(status(applied: 8)) == .applied)
        #expect(state(status(applied: 6)) == .pending)
        #expect(state(status()) == .pending)
    }

    @Test func `a refusal counts when it is of this version or a later one`() {
        #expect(state(status(applied: 6, refused: 7)) == .refused)
        #expect(state(status(applied: 7, refused: 6)) == .applied)
        #expect(Reach(version, of: [(za1, status(refused: 7))]).servers.first?.reasons == ["no"])
        #expect(Reach(version, of: [(za1, status(applied: 7, refused: 6))]).servers.first?.reasons == [])
    }

    @Test func `of a server that is not connected nothing is known`() {
        #expect(state(status(connected: false, applied: 7)) == .disconnected)
    }

    @Test func `it is complete when every server has the change`() {
        #expect(Reach(version, of: []).isComplete)
        #expect(Reach(version, of: [(za1, status(applied: 7))]).isComplete)
        #expect(!Reach(version, of: [(za1, status(applied: 7)), (za1, status(applied: 6))]).isComplete)
    }
}
