import Domain
import Testing

@testable import Channel
@testable import DNS
@testable import Failover
@testable import Notices

extension FailoverService {
    fileprivate func rehearseZones() async { await prover.rehearseZones(readinessQuestions) }

    fileprivate func checkStandbys() async { await prover.checkStandbys(readinessQuestions) }
}

@Suite(.timeLimit(.minutes(10))) struct `Standby readiness` {
    @Test func `a record that somebody else has changed is an alert before it is an outage, and its mending is told`()
        async throws
    {
        try await Laboratory.run { laboratory in
            let service = try await laboratory.controlPlane()
            await service.rehearseZones()
            #expect(laboratory.said(.standbyUnready) == [])
            laboratory.zone[laboratory.name] = [RecordSet(.cname, timeToLive: 60, values: ["elsewhere.test"])]
            await service.rehearseZones()
            await service.rehearseZones()
            #expect(
                laboratory.said(.standbyUnready) == [
                    "zone acme.test: app.acme.test is CNAME 60 elsewhere.test, expected CNAME 5 za1.dfree.test"
                ], "it is told once")
            laboratory.zone[laboratory.name] = [Laboratory.before]
            await service.rehearseZones()
            #expect(laboratory.said(.standbyReady) == ["zone acme.test can be changed"])
            #expect(laboratory.zone.writes == 0, "nothing is changed by asking")
        }
    }

    @Test func `a standby that could not take over is told with what is in its way`() async throws {
        try await Laboratory.run { laboratory in
            let service = try await laboratory.controlPlane()
            await service.checkStandbys()
            #expect(
                laboratory.said(.standbyUnready) == [
                    "as standby of service acme-app: it is not connected; no vantage has probed it"
                ])
            let proofs = await service.overview().readiness.standbys
            #expect(proofs.values.map(\.isReady) == [false])
        }
    }

    @Test func `a plan that is asked for beforehand has looked at the records`() async throws {
        try await Laboratory.run { laboratory in
            let service = try await laboratory.controlPlane()
            laboratory.zone[laboratory.name] = [RecordSet(.cname, timeToLive: 60, values: ["elsewhere.test"])]
            let plan = await service.plan(leaving: try ServerName("za1"), force: true)
            #expect(plan.obstacle == nil)
            // Nobody could take over here, so no change would be made, and none is asked about.
            let rehearsed = await service.rehearsedPlan(leaving: try ServerName("za1"))
            #expect(rehearsed.obstacle?.contains("it is not connected") == true)
        }
    }
}

@Suite struct `A proof of readiness` {
    @Test func `has to be told when it is the first one and bad, and whenever it is another than before`() throws {
        var readiness = StandbyReadiness()
        let pair = StandbyReadiness.Pair(service: try ServiceName("app"), server: try ServerName("ie1"))
        let good = StandbyReadiness.Proof(checkedAt: SmallFleet.noon)
        let bad = StandbyReadiness.Proof(warnings: ["no way to the endpoint"], checkedAt: SmallFleet.noon)
        #expect(
            [good, good, bad, bad, good].map { readiness.enter($0, of: pair) } == [false, false, true, false, true])
        let zone = try DomainName("acme.test")
        #expect([bad, bad, good].map { readiness.enter($0, of: zone) } == [true, false, true])
    }

    @Test func `is forgotten with its standby, and is news again when that is one again`() throws {
        var readiness = StandbyReadiness()
        let pair = StandbyReadiness.Pair(service: try ServiceName("app"), server: try ServerName("ie1"))
        let bad = StandbyReadiness.Proof(obstacles: ["it is down"], checkedAt: SmallFleet.noon)
        _ = readiness.enter(bad, of: pair)
        readiness.keep(standbys: [])
        #expect(readiness.standbys.isEmpty)
        let isTold = readiness.enter(bad, of: pair)
        #expect(isTold)
    }
}

@Suite struct `What is against a standby` {
    private func status(applied: UInt64?, _ change: (inout ServerStatus) -> Void = { _ in }) -> ServerStatus {
        var status = ServerStatus()
        status.connectedSince = 1
        status.appliedVersion = applied.map { SnapshotVersion($0) }
        change(&status)
        return status
    }

    @Test func `nothing, when it is connected, has applied the newest version and takes connections`() {
        #expect(status(applied: 42).standbyObstacle(at: SnapshotVersion(42)) == nil)
    }

    @Test func `a version that it has not applied, or has refused`() {
        #expect(
            status(applied: 41).standbyObstacle(at: SnapshotVersion(42)) == "it has applied version 41, not 42 yet")
        #expect(status(applied: nil).standbyObstacle(at: SnapshotVersion(42)) == "it has applied no version")
        let refusing = status(applied: 41) {
            $0.refusal = ServerStatus.Refusal(version: SnapshotVersion(42), reasons: ["a conflict"])
        }
        #expect(refusing.standbyObstacle(at: SnapshotVersion(42)) == "it has refused version 42")
    }

    @Test func `a drain, and no session`() {
        #expect(status(applied: 42) { $0.draining = true }.standbyObstacle(at: SnapshotVersion(42)) == "it is draining")
        #expect(ServerStatus().standbyObstacle(at: SnapshotVersion(42)) == "it is not connected")
    }
}
