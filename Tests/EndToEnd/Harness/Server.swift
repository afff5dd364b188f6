import Glibc

/// A server of the fleet: one `ddirect-proxy`.
final class Server {
    let name: String
    let address: String
    let http: Place
    let https: Place
    let admin: Place
    private let channel: String
    private let flags: [String]
    private let environment: [String: String]
    /// The program that runs it, with arguments, if not we.
    private let wrapper: [String]
    private var started: Program?

    init(
        _ name: String, channel: String, flags: [String], descriptorLimit: Int? = nil,
        environment: [String: String] = [:], wrapper: [String] = []
    ) throws {
        self.name = name
        self.channel = channel
        self.flags = flags
        self.environment = environment
        self.wrapper = wrapper + (descriptorLimit.map { ["prlimit", "--nofile=\($0)"] } ?? [])
        address = Loopback.fresh()
        let places = try Place.fresh(3, at: address)
        (http, https, admin) = (places[0], places[1], places[2])
    }

    var program: Program {
        get throws {
            guard let started else { throw Failure("\(name) was not started") }
            return started
        }
    }

    /// Starts it, and returns when it carries traffic.
    func start() throws {
        try launch()
        try awaitReady()
    }

    /// Starts it without waiting for anything.
    func launch() throws {
        let name = started == nil ? name : "\(name) again"
        guard let first = wrapper.first else {
            started = try Program("ddirect-proxy", arguments, name: name, environment: environment)
            return
        }
        let line = wrapper.dropFirst() + [try Executables.path(of: "ddirect-proxy")] + arguments
        started = try Program(first, Array(line), name: name, environment: environment)
    }

    var arguments: [String] {
        var line = [
            "--server", name, "--control", channel, "--http", "\(http)", "--https", "\(https)", "--admin", "\(admin)",
        ]
        if !flags.contains("--workers") { line += ["--workers", "1"] }
        return line + flags
    }

    func awaitReady() throws {
        let program = try program
        try eventually("\(name) is ready; it says: \(program.log)") {
            guard program.isRunning else { throw Failure("\(name) has ended: \(program.log)") }
            return (try? HTTPResponse.get("/readyz", at: admin))?.status == 200
        }
    }

    func kill() throws { try program.destroy() }

    /// Ends it by a signal, and returns when it has ended well.
    func end() throws {
        let program = try program
        program.signal(SIGTERM)
        let ending = try program.waitForEnd()
        guard ending == .exited(0) else { throw Failure("\(name) ended with \(ending): \(program.log)") }
    }

    var log: String { (try? program.log) ?? "" }

    // MARK: Metrics

    /// All samples, by name with labels as they stand.
    func metrics() throws -> [String: UInt64] {
        let lines = try HTTPResponse.get("/metrics", at: admin).body.split(separator: "\n").filter {
            !$0.hasPrefix("#")
        }
        let samples = lines.compactMap { line -> (String, UInt64)? in
            guard let space = line.lastIndex(of: " "), let value = UInt64(line[line.index(after: space)...]) else {
                return nil
            }
            return (String(line[..<space]), value)
        }
        return Dictionary(samples) { $1 }
    }

    func metric(_ name: String) throws -> UInt64 { try metrics()[name] ?? 0 }

    func incidents(_ label: String) throws -> UInt64 { try metric("ddirect_incidents_total{incident=\"\(label)\"}") }

    /// Waits until an incident has been counted more often than `before`.
    func awaitIncident(_ label: String, beyond before: UInt64 = 0) throws {
        try eventually("incident \(label) is counted; \(name) says: \(log.suffix(2000))") {
            try incidents(label) > before
        }
    }

    func flowsOpen() throws -> UInt64 {
        try metrics().filter { $0.key.hasPrefix("ddirect_worker_flows_open") }.values.reduce(0, +)
    }

    func awaitNoFlows() throws {
        try eventually("no flow is open on \(name)") { try flowsOpen() == 0 }
    }

    /// How many of something it has while no flow is open. The least of several looks: who asks for its metrics has a
    /// descriptor too, for a moment longer than the answer takes.
    func atRest(_ count: (Program) -> Int) throws -> Int {
        try awaitNoFlows()
        let program = try program
        var least = count(program)
        for _ in 0..<10 {
            pause(.milliseconds(20))
            least = min(least, count(program))
        }
        return least
    }
}

extension HTTPResponse {
    /// One request by plain HTTP on a connection of its own.
    static func get(
        _ path: String, at place: Place, host: String? = nil, from source: String? = nil, fields: String = "",
        patience: Duration = EndToEndTests.patience
    ) throws -> HTTPResponse {
        let connection = try TCPConnection(to: place, from: source, patience: patience)
        try connection.send(
            "GET \(path) HTTP/1.1\r\nHost: \(host ?? place.description)\r\n\(fields)Connection: close\r\n\r\n")
        let (text, end) = connection.receiveAll()
        guard end == .end else { throw Failure("\(place): \(end) after '\(text)'") }
        return try HTTPResponse(whole: text)
    }
}
