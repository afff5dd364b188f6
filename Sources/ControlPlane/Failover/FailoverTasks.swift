import Channel
import Probing
import ServiceLifecycle

/// The tasks of failover, in one tree.
extension FailoverService: ServiceLifecycle.Service {
    /// Between two looks at what probes have seen. A fifth of the shortest interval: deciding is not what takes the time.
    private static let stepInterval = Duration.milliseconds(200)

    package func run() async throws {
        for id in placements.underWay.keys.sorted() { await resume(id) }
        await withDiscardingTaskGroup { group in
            group.addTask { for await outcome in self.surroundings.prober.outcomes { await self.receive(outcome) } }
            group.addTask { for await outcome in self.surroundings.publisher.probes { await self.receive(outcome) } }
            group.addTask { for await traffic in self.surroundings.publisher.traffic { await self.count(traffic) } }
            group.addTask { await self.stepAllTheTime() }
            group.addTask { await self.prover.run(self.readinessQuestions) }
            for await id in starts.cancelOnGracefulShutdown() { group.addTask { await self.carryOut(id) } }
            // What is under way stands in the store, and the next start goes on with it.
            group.cancelAll()
        }
    }

    private func stepAllTheTime() async {
        while !Task.isCancelled {
            await step()
            try? await Task.sleep(for: FailoverService.stepInterval)
        }
    }

    private func receive(_ outcome: ProbeOutcome) async {
        // Whether the server carries traffic is asked for only where it counts.
        let isCarrying =
            outcome.accepted && outcome.service == nil ? await surroundings.publisher.isCarrying(outcome.server) : false
        machine.take(outcome, isCarrying: isCarrying)
    }
}
