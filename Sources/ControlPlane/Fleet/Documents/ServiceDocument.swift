package import Domain
package import JSON

extension Service {
    /// What the operator wrote, in full: the body of the API and the text that the store keeps.
    var document: JSONValue {
        [
            "name": .string(name.text),
            "customer": .string(customer.text),
            "clientDomains": .array(carriage.clientDomains.map { .string($0.description) }),
            "endpoint": carriage.endpoint.document,
            "primary": .string(primary.text),
            "standbys": .array(standbys.map { .string($0.text) }),
            "acceptProxyProtocol": .bool(carriage.acceptProxyProtocol),
            "sendProxyProtocol": .string(carriage.sendProxyProtocol.rawValue),
            "forwardedFor": .string(carriage.forwardedFor.rawValue),
            "forwardedFields": carriage.forwardedFields.map { .string($0.rawValue) } ?? .null,
            "limits": carriage.limits.document,
            "allow": .array(carriage.access.allow.map { .string($0.description) }),
            "deny": .array(carriage.access.deny.map { .string($0.description) }),
            "flowLog": carriage.flowLog.document,
            "dns": .array(bindings.map(\.document)),
            "check": check.map(\.document) ?? .null,
        ]
    }
}

/// A service as far as its document could be read, so that what can be checked against the fleet is, whatever else is wrong with it.
package struct ServiceDraft {
    var name: ServiceName?
    var customer: CustomerName?
    /// Nil where the document has something that is no client domain.
    var clientDomains: [ClientDomain?] = []
    var endpoint = EndpointDraft()
    var primary: ServerName?
    var standbys: [ServerName?] = []
    var bindings: [BindingDraft] = []
    var check: ServiceCheck?
    /// The service, when nothing is wrong with the document itself.
    package var service: Service?

    /// The servers that are named, right or wrong.
    var servers: [ServerName] { ([primary] + standbys).compactMap { $0 } }

    init() {}

    init(_ service: Service) {
        name = service.name
        customer = service.customer
        clientDomains = service.carriage.clientDomains
        endpoint = EndpointDraft(service.carriage.endpoint)
        primary = service.primary
        standbys = service.standbys
        bindings = service.bindings.enumerated().map { BindingDraft($1, at: "/dns/\($0)") }
        check = service.check
        self.service = service
    }

    package init(reading value: JSONValue, _ findings: Findings) {
        let earlier = findings.all.count
        guard var reader = ObjectReader(value, at: "", findings) else { return }
        name = reader.text("name", expected: "the service's name, such as acme-app") { text throws(InvalidValue) in
            try ServiceName(text)
        }
        customer = reader.text("customer", expected: "the name of a customer") { text throws(InvalidValue) in
            try CustomerName(text)
        }
        clientDomains =
            reader.texts(
                "clientDomains", required: true, count: 1...Carriage.mostClientDomains,
                expected: "names such as app.acme.example"
            ) { text throws(InvalidValue) in try ClientDomain(text) } ?? []
        if let value = reader.value("endpoint", required: true, expected: "an object with a host") {
            endpoint = EndpointDraft(reading: value, at: "/endpoint", findings)
        }
        primary = reader.text("primary", expected: "the name of a server") { text throws(InvalidValue) in
            try ServerName(text)
        }
        standbys =
            reader.texts(
                "standbys", required: false, count: 0...ServiceDraft.mostStandbys, expected: "names of servers"
            ) {
                text throws(InvalidValue) in try ServerName(text)
            } ?? []
        let accept = reader.bool("acceptProxyProtocol", default: false)
        let send = reader.choice("sendProxyProtocol", default: SendProxyProtocol.off)
        let forwarded = reader.choice("forwardedFor", default: ForwardedFor.append)
        let forwardedFields = readForwardedFields(&reader)
        let limits = ServiceLimits.read(&reader)
        let access = ClientAccess.read(&reader)
        let flowLog = FlowLog.read(&reader)
        readBindings(&reader)
        readCheck(&reader)
        reader.finish(readOnly: Representation.readOnly)
        findRepetitions(findings)
        findOwnLoops(findings)
        findBindingFaults(findings)
        guard findings.all.count == earlier, let name, let customer, let endpoint = endpoint.endpoint, let primary,
            let limits, let access, let flowLog
        else { return }
        do {
            let carriage = try Carriage(
                clientDomains: clientDomains.compactMap { $0 }, endpoint: endpoint, acceptProxyProtocol: accept,
                sendProxyProtocol: send, forwardedFor: forwarded, forwardedFields: forwardedFields, limits: limits,
                access: access, flowLog: flowLog)
            service = try Service(
                name: name, customer: customer, carriage: carriage, primary: primary,
                standbys: standbys.compactMap { $0 }, bindings: bindings.compactMap(\.binding), check: check)
        } catch {
            findings.add("", error)
        }
    }

    /// More regions than any fleet of ours has; each standby is one more server to publish to.
    static let mostStandbys = 64

    /// Nil when nothing is said, or with a finding.
    private func readForwardedFields(_ reader: inout ObjectReader) -> ForwardedFields? {
        let expected =
            "one of " + ForwardedFields.allCases.map { "'\($0.rawValue)'" }.joined(separator: ", ") + ", or null"
        guard let value = reader.value("forwardedFields", required: false, expected: expected), value != .null else {
            return nil
        }
        return reader.element(value, at: reader.pointer(to: "forwardedFields"), expected: expected) {
            text throws(InvalidValue) in
            guard let fields = ForwardedFields(rawValue: text) else {
                throw InvalidValue(text, "is not known here", expected: expected)
            }
            return fields
        }
    }

    private func findRepetitions(_ findings: Findings) {
        var domains = Set<ClientDomain>()
        for (index, domain) in clientDomains.enumerated() {
            guard let domain, !domains.insert(domain).inserted else { continue }
            findings.add(
                .invalid("/clientDomains/\(index)", "'\(domain)' is named twice; expected each client domain once."))
        }
        var servers = Set([primary])
        for (index, server) in standbys.enumerated() {
            guard let server, !servers.insert(server).inserted else { continue }
            findings.add(
                .invalid(
                    "/standbys/\(index)",
                    "'\(server)' is named twice; expected servers that differ from each other and from the primary."))
        }
    }

    private func findOwnLoops(_ findings: Findings) {
        for (pointer, target) in endpoint.hosts {
            guard case .name(let host) = target else { continue }
            guard let domain = clientDomains.lazy.compactMap({ $0 }).first(where: { $0.matches(host) }) else {
                continue
            }
            findings.add(
                .invalid(
                    pointer,
                    "'\(host)' is also this service's client domain \(domain), so traffic would go round in a loop; "
                        + "expected an endpoint that differs from every client domain."))
        }
    }
}
