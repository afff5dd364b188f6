import ArgumentParser
import JSON

/// A limit on the command line: a number, `unlimited`, or `default` for the standard one.
enum LimitArgument: ExpressibleByArgument, Equatable {
    case number(Int)
    case unlimited
    case standard

    init?(argument: String) {
        switch argument {
        case "unlimited": self = .unlimited
        case "default": self = .standard
        default:
            guard let number = Int(argument) else { return nil }
            self = .number(number)
        }
    }

    var json: JSONValue {
        switch self {
        case .number(let number): .integer(number)
        case .unlimited: "unlimited"
        case .standard: .null
        }
    }
}

/// A number on the command line that can be 0: `off` for that, `default` for what holds when nothing is said.
enum RateArgument: ExpressibleByArgument, Equatable {
    case number(Int)
    case standard

    init?(argument: String) {
        switch argument {
        case "off": self = .number(0)
        case "default": self = .standard
        default:
            guard let number = Int(argument) else { return nil }
            self = .number(number)
        }
    }

    var json: JSONValue {
        switch self {
        case .number(let number): .integer(number)
        case .standard: .null
        }
    }
}

/// The limits of a service, and which clients it takes; what is not given is not sent.
struct ServiceLimitOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Connections that it may have open on one server: a number, 'unlimited', or 'default' (unlimited).",
            valueName: "n"))
    var connectionLimit: LimitArgument?

    @Option(
        help: ArgumentHelp(
            "New connections that it may have in a second on one server. (standard: unlimited)", valueName: "n"))
    var connectionRate: LimitArgument?

    @Option(
        help: ArgumentHelp(
            "Connections that one client (an IPv4 address, or a /64 of IPv6) may have open. (standard: 4096)",
            valueName: "n"))
    var clientConnectionLimit: LimitArgument?

    @Option(help: ArgumentHelp("New connections of one client in a second. (standard: 1000)", valueName: "n"))
    var clientConnectionRate: LimitArgument?

    @Option(
        help: ArgumentHelp(
            "Bytes a second that a request body has to come with, over two minutes: a number, 'off' or 'default' (100).",
            valueName: "bytes"))
    var minimumRate: RateArgument?

    @Option(
        help: ArgumentHelp(
            "A prefix of clients that it takes connections from, and then from no other; again for each. The list replaces the present one.",
            valueName: "prefix"))
    var allow: [String] = []

    @Flag(help: "Take connections from everywhere that is not denied.")
    var noAllow = false

    @Option(
        help: ArgumentHelp(
            "A prefix of clients that it takes no connections from; again for each. The list replaces the present one.",
            valueName: "prefix"))
    var deny: [String] = []

    @Flag(help: "Deny nobody.")
    var noDeny = false

    func members() throws -> JSONObject {
        if noAllow, !allow.isEmpty {
            throw Failure.usage("--allow and --no-allow contradict each other; give one of them")
        }
        if noDeny, !deny.isEmpty {
            throw Failure.usage("--deny and --no-deny contradict each other; give one of them")
        }
        var limits: JSONObject = [:]
        let numbers = [
            ("connections", connectionLimit), ("newConnectionsPerSecond", connectionRate),
            ("clientConnections", clientConnectionLimit), ("newClientConnectionsPerSecond", clientConnectionRate),
        ]
        for case (let member, let value?) in numbers { limits[member] = value.json }
        if let minimumRate { limits["minimumBytesPerSecond"] = minimumRate.json }
        var members: JSONObject = [:]
        if !limits.isEmpty { members["limits"] = .object(limits) }
        if !allow.isEmpty { members["allow"] = .array(allow.map(JSONValue.string)) }
        if noAllow { members["allow"] = [] }
        if !deny.isEmpty { members["deny"] = .array(deny.map(JSONValue.string)) }
        if noDeny { members["deny"] = [] }
        return members
    }
}

/// The limits of a server on all that arrives there; what is not given is not sent.
struct ServerLimitOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Connections that one client (an IPv4 address, or a /64 of IPv6) may have open: a number, 'unlimited', or 'default' (8192).",
            valueName: "n"))
    var clientConnectionLimit: LimitArgument?

    @Option(help: ArgumentHelp("New connections of one client in a second. (standard: 2000)", valueName: "n"))
    var clientConnectionRate: LimitArgument?

    @Option(
        help: ArgumentHelp(
            "Connections of one client whose TLS hello or first request head has not come whole. (standard: 1024)",
            valueName: "n"))
    var clientOpeningLimit: LimitArgument?

    @Option(
        help: ArgumentHelp(
            "Bytes a second that a hello or a request head has to come with: a number, 'off' or 'default' (100).",
            valueName: "bytes"))
    var minimumRate: RateArgument?

    /// The members of `limits`.
    var members: JSONObject {
        var members: JSONObject = [:]
        let numbers = [
            ("clientConnections", clientConnectionLimit), ("newClientConnectionsPerSecond", clientConnectionRate),
            ("clientOpenings", clientOpeningLimit),
        ]
        for case (let member, let value?) in numbers { members[member] = value.json }
        if let minimumRate { members["minimumBytesPerSecond"] = minimumRate.json }
        return members
    }
}

/// Which flows are written down, of a service or a server; what is not given is not sent.
struct FlowLogOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Write down one flow in N: 1 for each, 'off' for none, 'default' as the server says (a server: none).",
            valueName: "n"))
    var flowLog: RateArgument?

    @Option(
        help: ArgumentHelp(
            "Seconds from line to line of a flow that lasts; 'off' for only the one at its end, 'default' as the server says (a server: 300).",
            valueName: "seconds"))
    var flowLogInterval: RateArgument?

    /// The members of `flowLog`.
    var members: JSONObject {
        var members: JSONObject = [:]
        if let flowLog { members["oneIn"] = flowLog.json }
        if let flowLogInterval { members["intervalSeconds"] = flowLogInterval.json }
        return members
    }
}

/// How limits and what belongs to them are shown to people.
enum LimitText {
    /// What is particular to a service, or that nothing is.
    static func lines(ofService limits: JSONValue) -> [String] {
        lines(
            limits,
            [
                ("connections", "connections"), ("newConnectionsPerSecond", "new connections a second"),
                ("clientConnections", "connections of a client"),
                ("newClientConnectionsPerSecond", "new connections of a client a second"),
            ], rate: "of a request body")
    }

    static func lines(ofServer limits: JSONValue) -> [String] {
        lines(
            limits,
            [
                ("clientConnections", "connections of a client"),
                ("newClientConnectionsPerSecond", "new connections of a client a second"),
                ("clientOpenings", "openings of a client"),
            ], rate: "of a hello")
    }

    private static func lines(_ limits: JSONValue, _ names: [(member: String, text: String)], rate: String) -> [String]
    {
        var lines = names.compactMap { member, text -> String? in
            if let number = limits[member].integer { return "\(number) \(text)" }
            return limits[member].text.map { "\($0) \(text)" }
        }
        if let bytes = limits["minimumBytesPerSecond"].integer {
            lines.append(bytes == 0 ? "no minimum rate \(rate)" : "at least \(bytes) bytes a second \(rate)")
        }
        return lines.isEmpty ? ["the standard ones"] : lines
    }

    /// `unsaid` is what it means that nothing is said.
    static func flowLog(_ flowLog: JSONValue, unsaid: String) -> String {
        let sampling: String =
            switch flowLog["oneIn"].integer {
            case nil: unsaid
            case 0: "off"
            case 1: "each flow"
            case let number?: "one flow in \(number)"
            }
        switch flowLog["intervalSeconds"].integer {
        case nil: return sampling
        case 0: return sampling + ", only at its end"
        case let seconds?: return sampling + ", every \(seconds) s"
        }
    }

    static func forwardedFields(_ service: JSONValue) -> String {
        service["forwardedFields"].text
            ?? (service["forwardedFor"].text == "replace" ? "strip, as X-Forwarded-For is replaced" : "keep")
    }
}
