import Foundation
import Glibc
import JSON

/// A control plane and its servers, as processes.
final class Fleet {
    private(set) var control: Program
    private(set) var servers: [Server] = []
    private(set) var api: API
    let folder: String
    private let arguments: [String]
    private let environment: [String: String]

    /// Starts a control plane with an empty database, and `flags` besides its own.
    init(environment: [String: String] = [:], flags: [String] = []) throws {
        self.environment = environment
        folder = try makeFolder(Scene.present().path("fleet"))
        let place = try Place.fresh()
        // Endpoints of tests are on this machine, which the endpoint policy would forbid; the fleet's own addresses
        // stay forbidden.
        arguments =
            [
                "--database", "\(folder)/control.db", "--listen", "\(place)", "--channel",
                "unix:\(folder)/channel.sock",
                "--admin-token-file", "\(folder)/token", "--allow-endpoint", "127.0.0.0/8", "--allow-endpoint",
                "::1/128",
            ] + flags
        control = try Program("ddirect-control", arguments, environment: environment)
        try Fleet.awaitAnswers(control, at: place)
        api = API(place: place, token: text(ofFile: "\(folder)/token").trimmingCharacters(in: .whitespacesAndNewlines))
    }

    var tokenFile: String { "\(folder)/token" }
    var channel: String { "unix:\(folder)/channel.sock" }

    /// Starts the control plane again, on what it has stored, after it was stopped or killed. A flag that is among
    /// `flags` and was given before is as it is there.
    func restartControl(flags: [String] = []) throws {
        control = try Program(
            "ddirect-control", arguments + flags, name: "ddirect-control again", environment: environment)
        try Fleet.awaitAnswers(control, at: api.place)
    }

    /// Takes the token that the control plane has written, after it has begun anew.
    func readToken() throws {
        api = API(place: api.place, token: text(ofFile: tokenFile).trimmingCharacters(in: .whitespacesAndNewlines))
    }

    private static func awaitAnswers(_ control: Program, at place: Place) throws {
        try eventually("the control plane answers; it says: \(control.log)") {
            guard control.isRunning else { throw Failure("the control plane has ended: \(control.log)") }
            return (try? HTTPResponse.get("/healthz", at: place))?.status == 200
        }
    }

    /// Tells the control plane of a server and starts it; with nothing to carry it is ready all the same.
    @discardableResult
    func addServer(
        _ name: String, region: String = "af-south-1", trusting senders: [String] = [], flags: [String] = [],
        descriptorLimit: Int? = nil, environment: [String: String] = [:], wrapper: [String] = []
    ) throws -> Server {
        let server = try registerServer(
            name, region: region, trusting: senders, flags: flags, descriptorLimit: descriptorLimit,
            environment: environment, wrapper: wrapper)
        try server.start()
        return server
    }

    /// Limits that nobody meets: all clients of a test come from one address, and in a hurry.
    static func unlimited(_ names: String...) -> JSONValue {
        .object(JSONObject(names.map { ($0, "unlimited") }))
    }

    /// Tells the control plane of a server, and leaves it to the test to start it.
    func registerServer(
        _ name: String, region: String = "af-south-1", trusting senders: [String] = [], flags: [String] = [],
        descriptorLimit: Int? = nil, environment: [String: String] = [:], wrapper: [String] = [],
        over channel: String? = nil
    ) throws -> Server {
        let server = try Server(
            name, channel: channel ?? self.channel, flags: flags, descriptorLimit: descriptorLimit,
            environment: environment, wrapper: wrapper)
        try api.grant(
            "POST", "/servers",
            [
                "name": .string(name), "region": .string(region), "hostname": .string("\(name).dfree.test"),
                "addresses": [.string(server.address)], "trustedSenders": .array(senders.map(JSONValue.string)),
            ])
        servers.append(server)
        return server
    }

    /// A service of a customer of the same name; `options` are members of the resource.
    func addService(
        _ name: String = "acme-app", domains: [String] = ["app.acme.test"], to endpoint: Endpoint,
        options: JSONObject = [:]
    ) throws {
        let body: JSONObject = [
            "name": .string(name), "customer": "acme", "clientDomains": .array(domains.map(JSONValue.string)),
            "endpoint": endpoint.json, "primary": .string(servers[0].name),
            "standbys": .array(servers.dropFirst().map { .string($0.name) }),
        ]
        if try api.call("GET", "/customers/acme").status == 404 {
            try api.grant("POST", "/customers", ["name": "acme"])
        }
        try api.apply("POST", "/services", .object(body.adding(options)))
    }

    /// Lets one address have as many connections to every server as it likes: a test's load comes from one, or from
    /// few.
    func liftClientLimits() throws {
        let names = ["clientConnections", "newClientConnectionsPerSecond", "clientOpenings"]
        let limits = JSONValue.object(JSONObject(names.map { ($0, "unlimited") }))
        for server in servers { try api.apply("PATCH", "/servers/\(server.name)", ["limits": limits]) }
    }

    /// Moves a service to another endpoint, and returns when all servers have applied that.
    @discardableResult
    func cutOver(_ service: String = "acme-app", to endpoint: Endpoint) throws -> API.Answer {
        try api.apply("PATCH", "/services/\(service)", ["endpoint": endpoint.json])
    }

    /// Waits until the control plane says of a server what `condition` wants.
    func awaitServer(_ name: String, _ what: String, _ condition: (JSONValue) -> Bool) throws {
        var last = JSONValue.null
        do {
            try eventually("\(name) \(what)", every: .milliseconds(50)) {
                last = try api.grant("GET", "/servers/\(name)").body
                return condition(last)
            }
        } catch {
            throw Failure("\(error): \(last)")
        }
    }

    /// A fleet with two servers in two regions and one service on both.
    static func pair(to endpoint: Endpoint, options: JSONObject = [:], flags: [String] = []) throws -> Fleet {
        let fleet = try Fleet()
        try fleet.addServer("za1", flags: flags)
        try fleet.addServer("ie1", region: "eu-west-1", flags: flags)
        try fleet.addService(to: endpoint, options: options)
        return fleet
    }

    /// A fleet with one server and one service.
    static func single(
        to endpoint: Endpoint, trusting senders: [String] = [], options: JSONObject = [:], flags: [String] = []
    ) throws -> Fleet {
        let fleet = try Fleet()
        try fleet.addServer("za1", trusting: senders, flags: flags)
        try fleet.addService(to: endpoint, options: options)
        return fleet
    }
}

/// Where a service's traffic goes.
struct Endpoint {
    var host: String
    var httpPort: UInt16 = 80
    var httpsPort: UInt16 = 443
    var fallbacks: [Endpoint] = []

    /// The same port for both, for a peer that has only one.
    init(_ place: Place) { self.init(host: place.address, httpPort: place.port, httpsPort: place.port) }

    init(host: String, httpPort: UInt16 = 80, httpsPort: UInt16 = 443, fallbacks: [Endpoint] = []) {
        self.host = host
        self.httpPort = httpPort
        self.httpsPort = httpsPort
        self.fallbacks = fallbacks
    }

    var json: JSONValue {
        var members: JSONObject = [
            "host": .string(host), "httpPort": .integer(Int(httpPort)), "httpsPort": .integer(Int(httpsPort)),
        ]
        if !fallbacks.isEmpty { members["fallbacks"] = .array(fallbacks.map(\.json)) }
        return .object(members)
    }
}
