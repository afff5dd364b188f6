import Domain
import Syscalls
import Testing

@testable import DataPlane

@Suite struct `The metrics` {
    /// The text for two workers after some traffic.
    private func render(_ status: Status, _ workers: [WorkerCounters]) -> String {
        let metrics = Metrics(
            status: status, workers: workers, buildVersion: "1.2.3", startTime: 1_767_225_600_042_000_000)
        return String(decoding: metrics.rendered(), as: UTF8.self)
    }

    private func workers(_ count: Int = 2) throws -> [WorkerCounters] {
        try (0..<count).map { _ in try WorkerCounters(services: 16) }
    }

    private func lines(_ text: String) -> [Substring] { text.split(separator: "\n") }

    @Test func `count a service over all workers`() throws {
        let board = try Samples.servingBoard()
        board.setServices([(slot: 2, name: "acme-app")], moved: [:])
        let workers = try workers()
        workers[0].add(100, .bytesUp, service: 2)
        workers[1].add(11, .bytesUp, service: 2)
        workers[1].add(7, .bytesDown, service: 2)
        workers[0].add(3, .connectionsOpened, service: 2)
        workers[0].add(1, .connectionsClosed, service: 2)
        let lines = lines(render(board.current, workers))
        #expect(lines.contains(#"ddirect_service_bytes_total{service="acme-app",direction="up"} 111"#))
        #expect(lines.contains(#"ddirect_service_bytes_total{service="acme-app",direction="down"} 7"#))
        #expect(lines.contains(#"ddirect_service_connections_total{service="acme-app"} 3"#))
        #expect(lines.contains(#"ddirect_service_connections_open{service="acme-app"} 2"#))
        #expect(lines.contains(#"ddirect_service_connect_failures_total{service="acme-app"} 0"#))
    }

    @Test func `tell how the targets of an endpoint stand by its checks`() throws {
        let board = try Samples.servingBoard()
        #expect(!render(board.current, try workers()).contains("ddirect_endpoint_target"))
        let targets = [
            ServiceHealth.Target(name: "192.0.2.1:8081:8444", isHealthy: false),
            ServiceHealth.Target(name: "origin.acme.test", isHealthy: true),
        ]
        board.setHealth(
            HealthChecker.Statistics(
                services: [ServiceHealth(service: "acme-app", preferred: 1, targets: targets)], passed: 7, failed: 3,
                untold: 1))
        let lines = lines(render(board.current, try workers()))
        for line in [
            #"ddirect_endpoint_target_healthy{service="acme-app",target="192.0.2.1:8081:8444"} 0"#,
            #"ddirect_endpoint_target_healthy{service="acme-app",target="origin.acme.test"} 1"#,
            #"ddirect_endpoint_target_preferred{service="acme-app",target="192.0.2.1:8081:8444"} 0"#,
            #"ddirect_endpoint_target_preferred{service="acme-app",target="origin.acme.test"} 1"#,
            #"ddirect_endpoint_checks_total{outcome="passed"} 7"#,
            #"ddirect_endpoint_checks_total{outcome="failed"} 3"#,
            #"ddirect_endpoint_checks_total{outcome="untold"} 1"#,
        ] { #expect(lines.contains(line[...]), "\(line)") }
    }

    @Test func `leave out a service for which nothing was ever counted`() throws {
        let board = try Samples.servingBoard()
        board.setServices([(slot: 2, name: "busy"), (slot: 3, name: "quiet")], moved: [:])
        let workers = try workers()
        workers[0].add(1, .requests, service: 2)
        let text = render(board.current, workers)
        #expect(text.contains(#"ddirect_service_requests_total{service="busy"} 1"#))
        #expect(!text.contains("quiet"))
        #expect(text.contains("ddirect_services 2"))
    }

    @Test func `count a service that has another's former slot from where it began`() throws {
        let board = try Samples.servingBoard()
        let workers = try workers()
        workers[0].add(1000, .bytesUp, service: 2)
        workers[1].add(4, .connectionsOpened, service: 2)
        workers[1].add(4, .connectionsClosed, service: 2)
        board.setServices([(slot: 2, name: "newcomer")], moved: [2: workers.baseline(ofSlot: 2)])
        #expect(!render(board.current, workers).contains("newcomer"))
        workers[0].add(5, .bytesUp, service: 2)
        workers[0].add(1, .connectionsOpened, service: 2)
        // A later table in which the slot stays with its tenant.
        board.setServices([(slot: 2, name: "newcomer"), (slot: 3, name: "other")], moved: [3: []])
        let text = render(board.current, workers)
        #expect(text.contains(#"ddirect_service_bytes_total{service="newcomer",direction="up"} 5"#))
        #expect(text.contains(#"ddirect_service_connections_open{service="newcomer"} 1"#))
    }

    @Test func `show what belongs to no service, and the monitor endpoint, under names no service can have`() throws {
        let workers = try workers()
        workers[0].add(517, .bytesUp, service: ServiceSlot.unrouted)
        workers[0].add(1, .connectionsOpened, service: ServiceSlot.monitor)
        let text = render(try Samples.servingBoard().current, workers)
        #expect(text.contains(#"ddirect_service_bytes_total{service="_unrouted",direction="up"} 517"#))
        #expect(text.contains(#"ddirect_service_connections_total{service="_monitor"} 1"#))
        #expect(throws: InvalidValue.self) { try ServiceName("_monitor") }
    }

    @Test func `show each worker and each incident`() throws {
        let workers = try workers()
        workers[1].add(9, .accepted)
        workers[1].add(9, .flowsOpened)
        workers[1].add(2, .flowsClosed)
        workers[0].add(.helloRefused, service: 2)
        workers[1].add(.helloRefused, service: 2)
        let lines = lines(render(try Samples.servingBoard().current, workers))
        #expect(lines.contains(#"ddirect_worker_accepted_total{worker="0"} 0"#))
        #expect(lines.contains(#"ddirect_worker_accepted_total{worker="1"} 9"#))
        #expect(lines.contains(#"ddirect_worker_flows_open{worker="1"} 7"#))
        #expect(lines.contains(#"ddirect_incidents_total{incident="hello_refused"} 2"#))
        #expect(lines.count { $0.hasPrefix("ddirect_incidents_total{") } == Incident.allCases.count)
    }

    @Test func `tell what befell each service, from where it began`() throws {
        let board = try Samples.servingBoard()
        let workers = try workers()
        workers[0].add(.endpointReset, service: 2)
        board.setServices(
            [(slot: 2, name: "newcomer"), (slot: 3, name: "other")], moved: [2: workers.baseline(ofSlot: 2)])
        workers[0].add(.endpointReset, service: 2)
        workers[1].add(.endpointReset, service: 2)
        workers[1].add(.idleTimedOut, service: 3)
        workers[1].add(2, .responses4xx, service: 3)
        workers[0].add(1, .answers5xx, service: 3)
        let lines = lines(render(board.current, workers))
        for line in [
            #"ddirect_service_incidents_total{service="newcomer",incident="endpoint_reset"} 2"#,
            #"ddirect_service_incidents_total{service="other",incident="idle_timed_out"} 1"#,
            #"ddirect_incidents_total{incident="endpoint_reset"} 3"#,
            #"ddirect_service_responses_total{service="other",from="endpoint",class="4xx"} 2"#,
            #"ddirect_service_responses_total{service="other",from="server",class="5xx"} 1"#,
        ] { #expect(lines.contains(line[...]), "\(line)") }
        #expect(lines.count { $0.hasPrefix("ddirect_service_incidents_total{") } == 2)
    }

    @Test func `tell how long connects and first bytes took`() throws {
        let board = try Samples.servingBoard()
        board.setServices([(slot: 2, name: "acme-app")], moved: [:])
        let workers = try workers()
        workers[0].observe(.connect, milliseconds: 1, service: 2)
        workers[1].observe(.connect, milliseconds: 700, service: 2)
        workers[1].observe(.connect, milliseconds: 20_000, service: 2)
        workers[1].observe(.firstByte, milliseconds: 42, service: 2)
        let lines = lines(render(board.current, workers))
        for line in [
            #"ddirect_connect_seconds_bucket{le="0.001"} 1"#, #"ddirect_connect_seconds_bucket{le="0.500"} 1"#,
            #"ddirect_connect_seconds_bucket{le="1.000"} 2"#, #"ddirect_connect_seconds_bucket{le="10.000"} 2"#,
            #"ddirect_connect_seconds_bucket{le="+Inf"} 3"#, "ddirect_connect_seconds_sum 20.701",
            "ddirect_connect_seconds_count 3", #"ddirect_service_connect_seconds_sum{service="acme-app"} 20.701"#,
            #"ddirect_service_connect_seconds_count{service="acme-app"} 3"#,
            #"ddirect_service_first_byte_seconds_sum{service="acme-app"} 0.042"#,
        ] { #expect(lines.contains(line[...]), "\(line)") }
        for bound in Timing.bounds {
            let place = try #require(Timing.bounds.firstIndex(of: bound))
            #expect(Timing.bucket(bound) == place && Timing.bucket(bound + 1) == place + 1)
        }
    }

    @Test func `tell how full the queues of listeners are, and what the kernel has dropped`() throws {
        let netstat = "TcpExt: SyncookiesSent ListenOverflows ListenDrops\nTcpExt: 0 17 18\nIpExt: A\nIpExt: 1\n"
        #expect(ListenQueues.overflows(inNetstat: netstat) == 17)
        for text in [
            "", "TcpExt: ListenOverflows\n", "TcpExt: A ListenOverflows\nTcpExt: 1\n", "TcpExt: A\nTcpExt: 1\n",
        ] {
            #expect(ListenQueues.overflows(inNetstat: text) == nil)
        }
        let relay = try RelayHarness()
        relay.pool.post(.shutDown)
        try eventually("nobody accepts") { relay.pool.counters.sum(.listenersLeft) == 1 }
        let waiting = try (0..<3).map { _ in try TestConnection(port: relay.httpPort) }
        for connection in waiting { try connection.send("x") }
        var queues = ListenQueues()
        try eventually("three that wait") {
            queues = .present(of: relay.pool.listeners)
            return queues.queues.contains { $0.listener == "127.0.0.1:\(relay.httpPort)" && $0.waiting == 3 }
        }
        #expect(queues.queues.count == 2 && queues.queues.allSatisfy { $0.limit > 0 })
        #expect(queues.overflows != nil)
    }

    @Test func `show the snapshot, and a refusal until the next is applied`() throws {
        let board = try Samples.servingBoard()
        board.refused(SnapshotVersion(43), reasons: ["no"])
        board.setNames(Resolver.Statistics(names: 9, unresolved: 1))
        var text = render(board.current, try workers())
        #expect(text.contains("ddirect_snapshot_version 42\n"))
        #expect(
            text.contains(
                #"ddirect_snapshot_info{server="za1",region="af-south-1",hostname="za1.dfree.test",incarnation="beef"} 1"#
            ))
        #expect(text.contains("ddirect_snapshots_refused_total 1\n"))
        #expect(text.contains("ddirect_snapshot_refused_version 43\n"))
        #expect(text.contains(#"ddirect_endpoint_names{status="unresolved"} 1"#))
        #expect(text.contains(#"ddirect_state{state="serving"} 1"#))
        #expect(text.contains(#"ddirect_state{state="draining"} 0"#))
        #expect(text.contains("ddirect_control_plane_connected 1\n"))
        #expect(text.contains("process_start_time_seconds 1767225600.042\n"))
        board.applied(try Samples.applied(44))
        text = render(board.current, try workers())
        #expect(text.contains("ddirect_snapshot_version 44\n"))
        #expect(text.contains("ddirect_snapshots_refused_total 1\n"))
        #expect(!text.contains("ddirect_snapshot_refused_version"))
    }

    @Test func `escape what the format wants escaped in the value of a label`() {
        var text = MetricsText()
        text.metric("m", .gauge, "A metric.")
        text.sample(.max, ["a": #"back\slash "quoted""#, "b": "two\nlines", "c": "ümlaut"])
        let expected =
            "# HELP m A metric.\n# TYPE m gauge\n"
            + #"m{a="back\\slash \"quoted\"",b="two\nlines",c="ümlaut"} 18446744073709551615"# + "\n"
        #expect(String(decoding: text.bytes, as: UTF8.self) == expected)
    }

    @Test func `are what promtool expects, before a snapshot and after`() throws {
        let board = try Samples.board()
        let workers = try workers()
        var check = try run(.promtool, ["check", "metrics"], input: Array(render(board.current, workers).utf8))
        #expect(check.status == 0, "\(check.output)")
        board.applied(try Samples.applied(1))
        board.refused(SnapshotVersion(2), reasons: ["no"])
        board.setServices([(slot: 2, name: "acme-app"), (slot: 3, name: "other")], moved: [:])
        for service in 0..<4 as Range<Int32> {
            workers[0].add(1, .bytesUp, service: service)
            workers[0].add(1, .responses2xx, service: service)
            workers[0].add(.endpointReset, service: service)
            for timing in Timing.allCases { workers[0].observe(timing, milliseconds: 3, service: service) }
        }
        check = try run(.promtool, ["check", "metrics"], input: Array(render(board.current, workers).utf8))
        #expect(check.status == 0, "\(check.output)")
        #expect(check.output.isEmpty)
    }
}
