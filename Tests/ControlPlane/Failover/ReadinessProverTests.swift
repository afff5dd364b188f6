import Domain
import Logging
import Synchronization
import Testing

@testable import Channel
@testable import DNS
@testable import Failover
@testable import Fleet
@testable import Notices

@Suite(.timeLimit(.minutes(10))) struct `The prover of readiness` {
    /// A prover whose questions are answered from values.
    private final class Bench: Sendable {
        struct Answers: Sendable {
            var fleet: SmallFleet
            var moving: Set<ServiceName> = []
            var revision = 0
            var obstacles: [String] = []
            var check: Result<EndpointCheck, CommandFailure> = .success(.connecting(error: nil))
        }

        let answers: Mutex<Answers>
        let told = Mutex([String]())
        let zone = MemoryZone()

        init() throws {
            answers = Mutex(Answers(fleet: try SmallFleet("app")))
            zone[try DomainName("app.acme.test")] = [Laboratory.before]
        }

        func prover() -> ReadinessProver {
            let zone = zone
            return ReadinessProver(
                ProviderCalls { _ in zone },
                announcer: Announcer(
                    logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
                    tell: { kind, server, detail in
                        self.told.withLock { $0.append("\(kind.rawValue) \(server?.text ?? "-"): \(detail)") }
                    }, announce: { _, _, _ in })
            ) { _, _ in try self.answers.withLock { $0.check }.get() }
        }

        var questions: ReadinessProver.Questions {
            ReadinessProver.Questions(
                steering: {
                    let answers = self.answers.withLock { $0 }
                    var placements = Placements()
                    return ReadinessProver.Steering(
                        state: answers.fleet.state, active: placements.active(in: answers.fleet.state),
                        moving: answers.moving, revision: answers.revision)
                },
                planningBase: {
                    let answers = self.answers.withLock { $0 }
                    return PlanningBase(
                        servers: answers.fleet.state.servers, obstacles: { _, _ in answers.obstacles },
                        warnings: { _, _ in [] })
                })
        }
    }

    @Test func `rehearses the records as they are to be, of services that nothing is moving`() throws {
        let fleet = try SmallFleet("app", "shop")
        var placements = Placements()
        let changes = ReadinessProver.standingChanges(
            ReadinessProver.Steering(
                state: fleet.state, active: placements.active(in: fleet.state), moving: [try fleet.service("shop")],
                revision: 0))
        #expect(
            changes == [
                fleet.zone.name: [
                    RecordChange(
                        name: try DomainName("app.acme.test"), expected: [Laboratory.before],
                        wanted: [Laboratory.before])
                ]
            ])
    }

    @Test func `what was asked before a failover says nothing after it`() async throws {
        let bench = try Bench()
        let prover = bench.prover()
        bench.zone[try DomainName("app.acme.test")] = [Laboratory.after]
        // The fleet is another one by the time that the zone has answered.
        let asked = Mutex(0)
        let questions = bench.questions
        let moving = ReadinessProver.Questions(
            steering: {
                let revision = asked.withLock { count in
                    count += 1
                    return count
                }
                let steering = await questions.steering()
                return ReadinessProver.Steering(
                    state: steering.state, active: steering.active, moving: [], revision: revision)
            }, planningBase: questions.planningBase)
        await prover.rehearseZones(moving)
        #expect(bench.told.withLock { $0 } == [])
        #expect(await prover.readiness.zones.isEmpty)
        await prover.rehearseZones(questions)
        #expect(bench.told.withLock { $0 }.count == 1, "asked again, it is told")
    }

    @Test func `a standby that reaches the endpoint is ready, and that is no news`() async throws {
        let bench = try Bench()
        let prover = bench.prover()
        await prover.checkStandbys(bench.questions)
        #expect(await prover.readiness.standbys.values.map(\.isReady) == [true])
        #expect(bench.told.withLock { $0 } == [])
    }

    @Test func `one that does not is told with what it saw, and told when that is over`() async throws {
        let bench = try Bench()
        let prover = bench.prover()
        let good = bench.answers.withLock { answers in
            let good = answers.check
            answers.check = .success(.connecting(error: "refused"))
            return good
        }
        for _ in 0..<2 { await prover.checkStandbys(bench.questions) }
        bench.answers.withLock { $0.check = good }
        await prover.checkStandbys(bench.questions)
        #expect(
            bench.told.withLock { $0 } == [
                "standby.unready ie1: as standby of service app: "
                    + "it cannot connect to the endpoint: 192.0.2.9:443: refused",
                "standby.ready ie1: it can take over service app",
            ])
    }

    @Test func `one that cannot be asked cannot take over, and one that is slow is warned of`() async throws {
        let bench = try Bench()
        let prover = bench.prover()
        bench.answers.withLock { $0.check = .failure(.disconnected) }
        await prover.checkStandbys(bench.questions)
        #expect(await prover.readiness.standbys.values.map(\.obstacles) == [["it is not connected"]])
        bench.answers.withLock { $0.check = .failure(.timedOut) }
        await prover.checkStandbys(bench.questions)
        let app = try ServiceName("app")
        #expect(
            await prover.readiness.warnings(of: app, on: try ServerName("ie1")) == [
                "it did not answer a check of the endpoint in time"
            ])
    }

    @Test func `forgets standbys and zones that are none any more`() async throws {
        let bench = try Bench()
        let prover = bench.prover()
        await prover.checkStandbys(bench.questions)
        await prover.rehearseZones(bench.questions)
        #expect(await prover.readiness.zones.count == 1)
        bench.answers.withLock { $0.fleet.remove("app") }
        await prover.checkStandbys(bench.questions)
        await prover.rehearseZones(bench.questions)
        #expect(await prover.readiness.standbys.isEmpty)
        #expect(await prover.readiness.zones.isEmpty)
    }
}

extension EndpointCheck {
    /// One attempt at one address.
    fileprivate static func connecting(error: String?) -> EndpointCheck {
        EndpointCheck(
            resolveError: nil, timeToLive: nil, resolveTime: .zero,
            attempts: [Attempt(address: "192.0.2.9", port: 443, error: error, connectTime: .zero)])
    }
}
