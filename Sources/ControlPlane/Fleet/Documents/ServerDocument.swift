package import Domain
package import JSON

extension Server {
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

    /// What the representation has beside the document.
    static let readOnly =
        Representation.readOnly + [
            "connected", "connectedSince", "appliedVersion", "currentVersion", "refusal", "softwareVersion", "draining",
            "connectionsOpen", "connectionsTotal", "sessionAddress", "certificateExpiresAt", "uptimeSeconds",
            "loadPercent", "connectFailures", "standbyObstacle", "services",
        ]
}

/// A server as far as its document could be read, so that what can be checked against the fleet is, whatever else is wrong with it.
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
        name = reader.text("name", expected: "the server's name, such as za1") { text throws(InvalidValue) in
            try ServerName(text)
        }
        let region = reader.text("region", expected: "a region, such as af-south-1") { text throws(InvalidValue) in
            try RegionName(text)
        }
        hostname = reader.text("hostname", expected: "a host name, such as za1.dfree.example") {
            text throws(InvalidValue) in
            try DomainName(text)
        }
        addresses =
            reader.texts("addresses", required: true, count: 1...64, expected: "the server's public addresses") {
                text throws(InvalidValue) in try Address(text)
            } ?? []
        let senders =
            reader.texts("trustedSenders", required: false, count: 0...256, expected: "prefixes such as 10.0.0.0/8") {
                text throws(InvalidValue) in try Prefix(text)
            } ?? []
        readDefaults(&reader, findings)
        monitoring = MonitoringOverrides()
        if let value = reader.value("monitoring", required: false, expected: "an object") {
            monitoring = MonitoringOverrides.read(value, at: "/monitoring", findings)
        }
        let limits = ServerLimits.read(&reader)
        let flowLog = FlowLog.read(&reader)
        reader.finish(readOnly: Server.readOnly)
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
        let expected = "an object of addresses and service names, such as {\"192.0.2.10\": \"acme-app\"}"
        guard let value = reader.value("defaultServices", required: false, expected: expected) else { return }
        guard let object = value.object else {
            return reader.mistyped(value, at: "/defaultServices", expected: expected)
        }
        guard object.keys.count <= 64 else {
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
