package import Domain
package import JSON

extension Server {
    package static let schema = DocumentSchema(
        "Server", told: told + Representation.told,
        fields: [
            Fields.name, Fields.region, Fields.hostname, Fields.addresses, Fields.trustedSenders,
            Fields.defaultServices, MonitoringOverrides.field, ServerLimits.field, FlowLog.field,
        ])

    fileprivate enum Fields {
        static let name = TextField<ServerName>("name", expected: "the server's name, such as za1")
        static let region = TextField<RegionName>("region", expected: "a region, such as af-south-1")
        static let hostname = TextField<DomainName>("hostname", expected: "a host name, such as za1.dfree.example")
        static let addresses = TextsField<Address>(
            "addresses", count: addressCounts, expected: "the server's public addresses")
        static let trustedSenders = TextsField<Prefix>(
            "trustedSenders", count: 0...mostTrustedSenders, isUnique: false, expected: "prefixes such as 10.0.0.0/8")
        static let defaultServices = ObjectField(
            "defaultServices",
            .schema(
                .map(of: .slug, most: addressCounts.upperBound).described(
                    "For connections that name no service that we know: by one of the server's addresses, "
                        + "the service that takes them.")),
            standard: .object([:]),
            expected: "an object of addresses and service names, such as {\"192.0.2.10\": \"acme-app\"}")
    }

    /// How the server is, which the control plane knows and nobody sets.
    private static let told: [Schema.Member] = [
        Schema.Member("connected", .boolean),
        Schema.Member("connectedSince", .timestamp.orNull()),
        Schema.Member("appliedVersion", .integer.orNull()),
        Schema.Member("currentVersion", .integer),
        Schema.Member("refusal", .object(["version": .integer, "reasons": .array(of: .text)]).orNull()),
        Schema.Member("softwareVersion", .text.orNull()),
        Schema.Member("draining", .boolean),
        Schema.Member("connectionsOpen", .integer(0...)),
        Schema.Member("connectionsTotal", .integer(0...)),
        Schema.Member(
            "sessionAddress",
            .text.orNull().described("Where its session comes from: an address and a port, or unix.")),
        Schema.Member(
            "certificateExpiresAt",
            .timestamp.orNull().described(
                "Of the certificate of its session; null over the Unix socket. It renews by itself before.")),
        Schema.Member("uptimeSeconds", .integer(0...).described("Of its ddirect-proxy, as last reported.")),
        Schema.Member(
            "loadPercent",
            .integer(0...).described("The load average of its machine for each processor, times 100.")),
        Schema.Member(
            "connectFailures",
            .map(of: .integer(1...)).described(
                "By service: how often, in this session, an endpoint could not be connected to.")),
        Schema.Member(
            "standbyObstacle",
            .text.orNull().described(
                "Why it could not take over the traffic of another server now; null when it could.")),
        Schema.Member("services", .integer(0...)),
    ]

    /// What the operator wrote, in full: the body of the API and the text that the store keeps.
    var document: JSONValue {
        var defaults = JSONObject()
        for (address, service) in defaultServices.sorted(by: { $0.key < $1.key }) {
            defaults[address.description] = .string(service.text)
        }
        return [
            "name": .string(name.text),
            "region": .string(region.text),
            "hostname": .string(hostname.text),
            "addresses": .array(addresses.map { .string($0.description) }),
            "trustedSenders": .array(trustedSenders.map { .string($0.description) }),
            "defaultServices": .object(defaults),
            "monitoring": monitoring.document,
            "limits": limits.document,
            "flowLog": flowLog.document,
        ]
    }
}

/// A server as far as its document could be read, so that what can be checked against the fleet is, whatever else is
/// wrong with it.
package struct ServerDraft {
    var name: ServerName?
    var hostname: DomainName?
    /// Nil where the document has something that is no address.
    var addresses: [Address?] = []
    var defaultServices: [(address: Address, service: ServiceName)] = []
    /// Nil when it could not be read.
    var monitoring: MonitoringOverrides?
    /// The server, when nothing is wrong with the document itself.
    package var server: Server?

    init() {}

    init(_ server: Server) {
        name = server.name
        hostname = server.hostname
        addresses = server.addresses
        defaultServices = server.defaultServices.map { ($0.key, $0.value) }.sorted { $0.address < $1.address }
        monitoring = server.monitoring
        self.server = server
    }

    package init(reading value: JSONValue, _ findings: Findings) {
        let earlier = findings.all.count
        guard var reader = ObjectReader(value, at: "", findings) else { return }
        name = reader.read(Server.Fields.name)
        let region = reader.read(Server.Fields.region)
        hostname = reader.read(Server.Fields.hostname)
        addresses = reader.read(Server.Fields.addresses)
        let senders = reader.read(Server.Fields.trustedSenders)
        readDefaults(&reader, findings)
        monitoring = MonitoringOverrides()
        if let value = reader.read(MonitoringOverrides.field) {
            monitoring = MonitoringOverrides.read(value, at: "/monitoring", findings)
        }
        let limits = ServerLimits.read(&reader)
        let flowLog = FlowLog.read(&reader)
        reader.finish(readOnly: Server.schema.readOnly)
        for (index, address) in addresses.enumerated() {
            guard let address, addresses.firstIndex(of: address) != index else { continue }
            findings.add(.invalid("/addresses/\(index)", "'\(address)' is named twice; expected each address once."))
        }
        guard findings.all.count == earlier, let name, let region, let hostname, let monitoring, let limits,
            let flowLog
        else { return }
        do {
            server = try Server(
                name: name, region: region, hostname: hostname, addresses: addresses.compactMap { $0 },
                trustedSenders: senders.compactMap { $0 },
                defaultServices: Dictionary(defaultServices.map { ($0.address, $0.service) }) { first, _ in first },
                monitoring: monitoring, limits: limits, flowLog: flowLog)
        } catch {
            findings.add("", error)
        }
    }

    private mutating func readDefaults(_ reader: inout ObjectReader, _ findings: Findings) {
        let field = Server.Fields.defaultServices
        guard let value = reader.read(field) else { return }
        guard let object = value.object else {
            return reader.mistyped(value, at: "/defaultServices", expected: field.expected)
        }
        guard object.keys.count <= Server.addressCounts.upperBound else {
            return findings.add(
                .invalid(
                    "/defaultServices", "This has \(object.keys.count) members; expected one at most for each address.")
            )
        }
        for key in object.keys {
            let pointer = "/defaultServices/\(key.prefix(80).replacing("~", with: "~0").replacing("/", with: "~1"))"
            let service = reader.element(object[key] ?? .null, at: pointer, expected: "the name of a service") {
                text throws(InvalidValue) in try ServiceName(text)
            }
            do {
                let address = try Address(key)
                if !addresses.contains(address) {
                    findings.add(
                        .invalid(
                            pointer, "'\(address)' is no address of this server; expected one of its own addresses."))
                } else if defaultServices.contains(where: { $0.address == address }) {
                    findings.add(.invalid(pointer, "'\(address)' is named twice; expected each address once."))
                } else if let service {
                    defaultServices.append((address, service))
                }
            } catch {
                findings.add(pointer, error)
            }
        }
    }
}
