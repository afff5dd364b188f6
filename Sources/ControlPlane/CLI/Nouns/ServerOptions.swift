import ArgumentParser
import JSON

/// A server's fields on the command line; what is not given is not sent.
struct ServerOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The region it stands in, such as af-south-1.", valueName: "region"))
    var region: String?

    @Option(help: ArgumentHelp("The host name that client domains point at.", valueName: "domain"))
    var hostname: String?

    @Option(
        help: ArgumentHelp("A public address; again for each. The list replaces the present one.", valueName: "address")
    )
    var address: [String] = []

    @Option(
        help: ArgumentHelp(
            "A prefix whose PROXY headers are believed; again for each. The list replaces the present one.",
            valueName: "prefix"))
    var trustedSender: [String] = []

    @Flag(help: "Believe nobody's PROXY headers.")
    var noTrustedSenders = false

    @Option(
        help: ArgumentHelp(
            "ADDRESS=SERVICE: the service for what names none on that address. Without a service: no default there any more.",
            valueName: "address=service"))
    var defaultService: [String] = []

    @OptionGroup var monitoring: ServerMonitoringOptions

    @OptionGroup var limits: ServerLimitOptions

    @OptionGroup var flowLog: FlowLogOptions

    func members() throws -> JSONObject {
        if noTrustedSenders, !trustedSender.isEmpty {
            throw Failure.usage("--trusted-sender and --no-trusted-senders contradict each other; give one of them")
        }
        var members: JSONObject = [:]
        if let region { members["region"] = .string(region) }
        if let hostname { members["hostname"] = .string(hostname) }
        if !address.isEmpty { members["addresses"] = .array(address.map(JSONValue.string)) }
        if !trustedSender.isEmpty { members["trustedSenders"] = .array(trustedSender.map(JSONValue.string)) }
        if noTrustedSenders { members["trustedSenders"] = [] }
        if !defaultService.isEmpty {
            var services: JSONObject = [:]
            for pair in defaultService {
                guard let sign = pair.firstIndex(of: "="), sign != pair.startIndex else {
                    throw Failure.usage(
                        "--default-service is '\(pair.printable)'; expected ADDRESS=SERVICE, such as 192.0.2.7=acme-app"
                    )
                }
                let service = pair[pair.index(after: sign)...]
                services[String(pair[..<sign])] = service.isEmpty ? .null : .string(String(service))
            }
            members["defaultServices"] = .object(services)
        }
        if !monitoring.members.isEmpty { members["monitoring"] = .object(monitoring.members) }
        if !limits.members.isEmpty { members["limits"] = .object(limits.members) }
        if !flowLog.members.isEmpty { members["flowLog"] = .object(flowLog.members) }
        return members
    }
}
