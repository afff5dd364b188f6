import Syscalls
import Testing
import Wire

@testable import DataPlane

@Suite struct `What is told of the load` {
    private let counters: [WorkerCounters]
    private let tenants = [ServiceSlots.Tenant(slot: 1, name: "a"), ServiceSlots.Tenant(slot: 2, name: "b")]

    init() throws { counters = try (0..<2).map { _ in try WorkerCounters(services: 16) } }

    private func opened(_ load: WireLoad) -> [String: UInt64] {
        Dictionary(uniqueKeysWithValues: load.connections.map { ($0.service, $0.opened) })
    }

    @Test func `is what is new since the report before, of all workers, and nothing of services without any`() {
        var report = LoadReport()
        counters[0].add(3, .connectionsOpened, service: 1)
        counters[1].add(4, .connectionsOpened, service: 1)
        let first = report.next(of: tenants, counters)
        #expect(opened(first) == ["a": 7])
        #expect(first.failures.isEmpty)
        report.sent()
        counters[1].add(1, .connectionsOpened, service: 2)
        counters[1].add(2, .connectFailures, service: 1)
        let second = report.next(of: tenants, counters)
        #expect(opened(second) == ["b": 1])
        #expect(second.failures.map(\.service) == ["a"])
        #expect(second.failures.map(\.connectFailures) == [2])
        report.sent()
        #expect(report.next(of: tenants, counters).connections.isEmpty)
    }

    @Test func `has all bytes of services, and none of the monitor endpoint's or of nobody's`() {
        var report = LoadReport()
        let carried = [ServiceSlots.Tenant(slot: 2, name: "a"), ServiceSlots.Tenant(slot: 3, name: "b")]
        for slot in [ServiceSlot.unrouted, ServiceSlot.monitor] {
            counters[0].add(1 << 30, .bytesUp, service: slot)
            counters[0].add(1 << 30, .bytesDown, service: slot)
        }
        #expect(report.next(of: carried, counters).bytesTotal == 0)
        counters[0].add(3, .bytesUp, service: 2)
        counters[1].add(40, .bytesDown, service: 2)
        counters[1].add(500, .bytesUp, service: 3)
        #expect(report.next(of: carried, counters).bytesTotal == 543)
    }

    @Test func `leaves out connections that an earlier process had opened`() {
        var report = LoadReport()
        counters[0].add(5, .connectionsAdopted, service: 1)
        #expect(report.next(of: tenants, counters).connections.isEmpty)
    }

    @Test func `is told again until it has been sent`() {
        var report = LoadReport()
        counters[0].add(3, .connectionsOpened, service: 1)
        #expect(opened(report.next(of: tenants, counters)) == ["a": 3])
        counters[0].add(2, .connectionsOpened, service: 1)
        #expect(opened(report.next(of: tenants, counters)) == ["a": 5])
        report.sent()
        report.sent()
        #expect(report.next(of: tenants, counters).connections.isEmpty)
    }

    @Test func `a service has none of what its slot counted for another`() {
        var report = LoadReport()
        counters[0].add(30, .connectionsOpened, service: 1)
        counters[1].add(9, .connectFailures, service: 1)
        report.changedHands(1, counters)
        #expect(report.next(of: tenants, counters).connections.isEmpty)
        counters[0].add(1, .connectionsOpened, service: 1)
        let load = report.next(of: [ServiceSlots.Tenant(slot: 1, name: "c")], counters)
        #expect(opened(load) == ["c": 1])
        #expect(load.failures.isEmpty)
    }

    @Test func `does not fit in one frame for all of many services, so the others are told next`() throws {
        let many = (0..<15_000).map { ServiceSlots.Tenant(slot: Int32($0), name: "service-\($0)") }
        let counters = [try WorkerCounters(services: many.count)]
        for tenant in many {
            counters[0].add(1, .connectionsOpened, service: tenant.slot)
            counters[0].add(1, .connectFailures, service: tenant.slot)
        }
        let slots = Dictionary(uniqueKeysWithValues: many.map { ($0.name, $0.slot) })
        var report = LoadReport()
        var told: [String: UInt64] = [:]
        for _ in 0..<3 {
            let load = report.next(of: many, counters)
            #expect(load.connections.count + load.failures.count <= LoadReport.mostEntries)
            told.merge(opened(load)) { $0 + $1 }
            report.sent()
            // Those who have been told have more already, which does not put them before the others.
            for slot in load.connections.compactMap({ slots[$0.service] }) {
                counters[0].add(1, .connectFailures, service: slot)
            }
        }
        #expect(told.count == many.count)
        #expect(report.next(of: many, counters).connections.isEmpty)
    }
}
