import Domain
import Logging
import Synchronization
import Testing

@testable import DataPlane

@Suite struct `Services whose endpoints are checked` {
    private let lines = LineKeeper()
    private var services: CheckedServices

    init() {
        let lines = lines
        services = CheckedServices(logger: Logger(label: "health") { _ in lines })
    }

    private func service(
        _ hosts: [String] = ["192.0.2.1", "192.0.2.2"], slot: Int32 = 2, name: String = "one", edition: UInt32 = 1,
        fall: Int = 1
    ) throws -> CheckedService {
        let check = try HealthCheck(kind: .tcp, rise: 1, fall: fall, holdDown: 30)
        return CheckedService(
            slot: slot, name: try ServiceName(name), edition: edition, check: check,
            carriage: try carriage(["\(name).acme.test"], to: hosts.map { ($0, 80) }),
            targets: try hosts.enumerated().map { index, host in
                CheckedService.Target(
                    target: EndpointTarget(host: try EndpointHost(host)),
                    name: NameSlot(index: Int32(index), tenant: 1))
            })
    }

    private mutating func taken() -> [String] {
        services.takePreferences().map { "\($0.slot): \($0.preference.edition)/\($0.preference.target)" }
    }

    @Test mutating func `the workers are told what changes, and when a hold-down is over`() throws {
        services.replace(by: [try service()], now: 0)
        #expect(taken() == [])
        services.checked(2, target: 1, .well, now: 0)
        #expect(taken() == [])
        services.checked(2, target: 0, .failed("refused"), now: 1000)
        #expect(taken() == ["2: 1/1"])
        #expect(taken() == [])
        services.checked(2, target: 0, .well, now: 2000)
        #expect(taken() == [])
        #expect(services.nextEvent == 32_000)
        services.passed(now: 31_999)
        #expect(taken() == [])
        services.passed(now: 32_000)
        #expect(taken() == ["2: 1/0"])
    }

    @Test mutating func `the operator is told which target, why, and where connections go`() throws {
        services.replace(by: [try service()], now: 0)
        services.checked(2, target: 0, .failed("192.0.2.1:443: refused"), now: 1000)
        services.checked(2, target: 0, .well, now: 2000)
        services.passed(now: 32_000)
        services.checked(2, target: 0, .failed("x"), now: 40_000)
        services.checked(2, target: 1, .failed("y"), now: 40_000)
        #expect(
            lines.all == [
                "A target of an endpoint is unhealthy check=tcp reason=192.0.2.1:443: refused service=one target=192.0.2.1",
                "New connections go to a fallback service=one target=192.0.2.2",
                "A target of an endpoint is healthy again check=tcp service=one target=192.0.2.1",
                "New connections go to the endpoint again service=one target=192.0.2.1",
                "A target of an endpoint is unhealthy check=tcp reason=x service=one target=192.0.2.1",
                "New connections go to a fallback service=one target=192.0.2.2",
                "A target of an endpoint is unhealthy check=tcp reason=y service=one target=192.0.2.2",
                "No target of an endpoint is healthy; new connections try all of them in order service=one target=192.0.2.1",
            ])
    }

    @Test mutating func `a list that is as it was keeps everything`() throws {
        services.replace(by: [try service()], now: 0)
        services.checked(2, target: 0, .failed("refused"), now: 0)
        _ = taken()
        services.replace(by: [try service(), try service(slot: 3, name: "two")], now: 1)
        #expect(taken() == [])
        services.checked(2, target: 0, .well, now: 2)
        services.passed(now: 30_002)
        #expect(taken() == ["2: 1/0"])
    }

    @Test mutating func `a changed endpoint begins with its first target, unless that is known to be unhealthy`() throws
    {
        services.replace(by: [try service()], now: 0)
        services.checked(2, target: 0, .failed("refused"), now: 0)
        _ = taken()
        services.replace(by: [try service(["192.0.2.9", "192.0.2.2"], edition: 2)], now: 1)
        // Workers begin with the first of a list that is new to them, and need not be told.
        #expect(taken() == [])
        services.checked(2, target: 0, .failed("refused"), now: 2)
        #expect(taken() == ["2: 2/1"])
        services.replace(by: [try service(["192.0.2.9", "192.0.2.3", "192.0.2.2"], edition: 3)], now: 3)
        #expect(taken() == ["2: 3/1"])
    }

    @Test mutating func `another check of the same targets changes nothing at once`() throws {
        services.replace(by: [try service()], now: 0)
        services.checked(2, target: 0, .failed("refused"), now: 0)
        services.checked(2, target: 0, .well, now: 0)
        _ = taken()
        services.replace(by: [try service(fall: 2)], now: 1)
        #expect(taken() == [])
        services.passed(now: 30_000)
        #expect(taken() == ["2: 1/0"])
    }

    @Test mutating func `a slot that changes hands brings nothing along`() throws {
        services.replace(by: [try service()], now: 0)
        services.checked(2, target: 0, .failed("refused"), now: 0)
        _ = taken()
        services.replace(by: [try service(name: "two", edition: 2)], now: 1)
        #expect(services.takeStanding()?.map(\.preferred) == [0])
        services.replace(by: [], now: 2)
        services.checked(2, target: 0, .failed("refused"), now: 3)
        services.checked(9, target: 0, .failed("refused"), now: 3)
        #expect(taken() == [])
        #expect(services.takeStanding() == [])
    }

    @Test mutating func `the standing is told when it has changed`() throws {
        services.replace(by: [try service()], now: 0)
        #expect(services.takeStanding()?.map(\.service) == ["one"])
        #expect(services.takeStanding() == nil)
        services.checked(2, target: 1, .well, now: 0)
        #expect(services.takeStanding() == nil)
        services.checked(2, target: 0, .failed("refused"), now: 0)
        let standing = try #require(services.takeStanding()?.first)
        #expect(standing.preferred == 1)
        #expect(standing.targets.map(\.name) == ["192.0.2.1", "192.0.2.2"])
        #expect(standing.targets.map(\.isHealthy) == [false, true])
    }

    @Test mutating func `an origin of many services that falls does not fill the log`() throws {
        services.replace(by: try (2..<1002).map { try service(slot: $0, name: "s\($0)", edition: UInt32($0)) }, now: 0)
        for slot in 2..<Int32(1002) { services.checked(slot, target: 0, .failed("refused"), now: 0) }
        #expect(taken().count == 1000)
        #expect(lines.all.count == 20)
        services.checked(2, target: 0, .well, now: 5000)
        #expect(lines.all.count == 22)
        #expect(lines.all[20] == "More targets of endpoints have changed than the log tells leftOut=1980")
    }

    @Test func `the host that is called is the first that is no wildcard, or one that a wildcard stands for`() throws {
        func host(_ domains: String...) throws -> String {
            let carriage = try carriage(domains, to: [("192.0.2.1", 80)])
            let check = try HealthCheck(kind: .http)
            return CheckedService(
                slot: 2, name: try ServiceName("one"), edition: 1, check: check, carriage: carriage, targets: []
            ).host.text
        }
        #expect(try host("*.acme.test", "app.acme.test", "b.acme.test") == "app.acme.test")
        #expect(try host("*.acme.test", "*.b.test") == "www.acme.test")
        // 251 octets: there is room for the wildcard, and not for another label.
        let long = [63, 63, 63, 57].map { String(repeating: "a", count: $0) }.joined(separator: ".") + ".t"
        #expect(try host("*.\(long)") == long)
    }

    @Test func `services share a check when they have the same done in the same way`() throws {
        func check(_ kind: HealthCheck.Kind, _ name: String, fall: Int = 3, interval: Int = 5) throws -> TargetCheck {
            let target = EndpointTarget(host: try EndpointHost("192.0.2.1"), httpPort: try Port(8080))
            let service = CheckedService(
                slot: 2, name: try ServiceName(name), edition: 1,
                check: try HealthCheck(kind: kind, interval: interval, fall: fall),
                carriage: try carriage(["\(name).acme.test"], to: [("192.0.2.1", 80)]), targets: [])
            return TargetCheck(.init(target: target, name: NameSlot(index: 1, tenant: 1)), of: service)
        }
        #expect(try check(.tcp, "one") == check(.tcp, "two", fall: 9))
        #expect(try check(.tcp, "one") != check(.tcp, "one", interval: 6))
        #expect(try check(.tls, "one") != check(.tls, "two"))
        #expect(try check(.tls, "one").port == 443)
        #expect(try check(.http, "one").port == 8080)
        #expect(
            try String(decoding: check(.http, "one").request, as: UTF8.self)
                == "GET / HTTP/1.1\r\nHost: one.acme.test\r\nUser-Agent: D-Direct health check\r\nConnection: close\r\n\r\n"
        )
    }

    @Test func `targets are named as the command line names them`() throws {
        func text(_ host: String, _ http: Int = 80, _ https: Int = 443) throws -> String {
            EndpointTarget(host: try EndpointHost(host), httpPort: try Port(http), httpsPort: try Port(https)).text
        }
        #expect(try text("origin.acme.test") == "origin.acme.test")
        #expect(try text("192.0.2.1", 8080) == "192.0.2.1:8080:443")
        #expect(try text("2001:db8::1", 80, 8443) == "[2001:db8::1]:80:8443")
        #expect(try text("2001:db8::1") == "2001:db8::1")
    }
}

/// Keeps what is logged, each line with its metadata in the order of their names.
final class LineKeeper: LogHandler, Sendable {
    private let kept = Mutex<[String]>([])
    var all: [String] { kept.withLock { $0 } }
    func add(_ line: String) { kept.withLock { $0.append(line) } }

    var metadata: Logger.Metadata {
        get { [:] }
        set { _ = newValue }
    }
    var logLevel: Logger.Level {
        get { .trace }
        set { _ = newValue }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { nil }
        set { _ = newValue }
    }

    func log(event: LogEvent) {
        let metadata = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
        add("\(event.message)\(metadata)")
    }
}
