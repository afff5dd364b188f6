public import ArgumentParser
public import Domain
import JSON

extension SendProxyProtocol: ExpressibleByArgument {}
extension ForwardedFor: ExpressibleByArgument {}

/// What becomes of the other fields, or `default`, which is the command line's word for null.
enum ForwardedFieldsChoice: ExpressibleByArgument {
    case fields(ForwardedFields)
    case standard

    init?(argument: String) {
        if argument == "default" {
            self = .standard
        } else if let fields = ForwardedFields(rawValue: argument) {
            self = .fields(fields)
        } else {
            return nil
        }
    }

    static var allValueStrings: [String] { ForwardedFields.allCases.map(\.rawValue) + ["default"] }

    var json: JSONValue { if case .fields(let fields) = self { .string(fields.rawValue) } else { .null } }
}

/// Where traffic shall go, on the command line; what is not given is not sent.
struct EndpointOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("The endpoint's port for plain HTTP. (default for a new service: 80)", valueName: "port"))
    var httpPort: Int?

    @Option(help: ArgumentHelp("The endpoint's port for TLS. (default for a new service: 443)", valueName: "port"))
    var httpsPort: Int?

    @Option(
        help: ArgumentHelp(
            "HOST or HOST:HTTP:HTTPS, tried when the endpoint cannot be connected to; again for each, in order. The list replaces the present one.",
            valueName: "host[:http:https]"))
    var fallback: [String] = []

    @Flag(help: "Have no fallbacks.")
    var noFallbacks = false

    @OptionGroup var health: HealthCheckOptions

    /// The members of `endpoint`, for a host that may come with its ports.
    func members(host: String?) throws -> JSONObject {
        if noFallbacks, !fallback.isEmpty {
            throw Failure.usage("--fallback and --no-fallbacks contradict each other; give one of them")
        }
        var target = try Target.members(host: host, httpPort: httpPort, httpsPort: httpsPort)
        if !fallback.isEmpty { target["fallbacks"] = .array(try fallback.map { try Target(parsing: $0).json }) }
        if noFallbacks { target["fallbacks"] = [] }
        if let check = try health.check() { target["check"] = check }
        return target
    }
}

/// A service's fields on the command line; what is not given is not sent.
struct ServiceOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Who pays for its traffic.", valueName: "customer"), completion: .customers)
    var customer: String?

    @Option(
        help: ArgumentHelp(
            "A name that devices call, such as app.acme.example or *.acme.example; again for each. The list replaces the present one.",
            valueName: "domain"))
    var clientDomain: [String] = []

    @Option(help: ArgumentHelp("Where traffic is forwarded to.", valueName: "host[:http:https]"))
    var endpoint: String?

    @OptionGroup var target: EndpointOptions

    @Option(help: ArgumentHelp("The server meant to carry its traffic.", valueName: "server"), completion: .servers)
    var primary: String?

    @Option(
        help: ArgumentHelp(
            "A server able to take over; again for each, in order. The list replaces the present one.",
            valueName: "server"),
        completion: .servers)
    var standby: [String] = []

    @Flag(help: "Have no standbys.")
    var noStandbys = false

    @Flag(inversion: .prefixedNo, help: "Believe the client address in a trusted sender's PROXY header.")
    var acceptProxyProtocol: Bool?

    @Option(help: "The PROXY header that connections to the endpoint begin with.")
    var sendProxyProtocol: SendProxyProtocol?

    @Option(help: "What plain HTTP tells the endpoint about the device's address.")
    var forwardedFor: ForwardedFor?

    @Option(
        help:
            "What becomes of Forwarded, X-Real-IP and X-Forwarded-Proto, -Host and -Port in plain HTTP: passed on, dropped, or dropped and sent anew. (default: strip where --forwarded-for is replace, else keep)"
    )
    var forwardedFields: ForwardedFieldsChoice?

    @OptionGroup var limits: ServiceLimitOptions

    @OptionGroup var flowLog: FlowLogOptions

    @OptionGroup var steering: SteeringOptions

    func members() throws -> JSONObject {
        if noStandbys, !standby.isEmpty {
            throw Failure.usage("--standby and --no-standbys contradict each other; give one of them")
        }
        var members = try steering.members().adding(limits.members())
        if let customer { members["customer"] = .string(customer) }
        if !clientDomain.isEmpty { members["clientDomains"] = .array(clientDomain.map(JSONValue.string)) }
        let endpoint = try target.members(host: endpoint)
        if !endpoint.isEmpty { members["endpoint"] = .object(endpoint) }
        if let primary { members["primary"] = .string(primary) }
        if !standby.isEmpty { members["standbys"] = .array(standby.map(JSONValue.string)) }
        if noStandbys { members["standbys"] = [] }
        if let acceptProxyProtocol { members["acceptProxyProtocol"] = .bool(acceptProxyProtocol) }
        if let sendProxyProtocol { members["sendProxyProtocol"] = .string(sendProxyProtocol.rawValue) }
        if let forwardedFor { members["forwardedFor"] = .string(forwardedFor.rawValue) }
        if let forwardedFields { members["forwardedFields"] = forwardedFields.json }
        if !flowLog.members.isEmpty { members["flowLog"] = .object(flowLog.members) }
        return members
    }
}
