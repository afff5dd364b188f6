package import Domain
package import JSON

extension Service {
    package static let schema = DocumentSchema(
        "Service", told: Representation.told,
        fields: [
            Fields.name, Fields.customer, Fields.clientDomains, Fields.endpoint, Fields.primary, Fields.standbys,
            Fields.acceptProxyProtocol, Fields.sendProxyProtocol, Fields.forwardedFor, Fields.forwardedFields,
            ServiceLimits.field, ClientAccess.Fields.allow, ClientAccess.Fields.deny, FlowLog.field, DNSBinding.field,
            ServiceCheck.field,
        ])

    fileprivate enum Fields {
        static let name = TextField<ServiceName>("name", expected: "the service's name, such as acme-app")
        static let customer = TextField<CustomerName>("customer", expected: "the name of a customer")
        static let clientDomains = TextsField<ClientDomain>(
            "clientDomains", count: 1...Carriage.mostClientDomains, expected: "names such as app.acme.example")
        static let endpoint = ObjectField(
            "endpoint", Endpoint.schema, isRequired: true, expected: "an object with a host")
        static let primary = TextField<ServerName>("primary", expected: "the name of a server")
        static let standbys = TextsField<ServerName>(
            "standbys", count: 0...ServiceDraft.mostStandbys, expected: "names of servers")
        static let acceptProxyProtocol = FlagField("acceptProxyProtocol", standard: false)
        static let sendProxyProtocol = ChoiceField("sendProxyProtocol", standard: SendProxyProtocol.off)
        static let forwardedFor = ChoiceField("forwardedFor", standard: ForwardedFor.append)
        static let forwardedFields = TextField<ForwardedFields>(
            choice: "forwardedFields",
            .named(
                "ForwardedFields",
                Schema(.values(ForwardedFields.allCases.map { .string($0.rawValue) } + [.null])).standard(.null)
                    .described(
                        "What becomes of Forwarded, X-Real-IP and X-Forwarded-Proto, -Host and -Port in plain HTTP: "
                            + "passed on as the device sent them, dropped, or dropped and sent anew by us. "
                            + "Null: strip where forwardedFor is replace, else keep.")),
            isRequired: false, isNullable: true)
    }

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

/// A service as far as its document could be read, so that what can be checked against the fleet is, whatever else is
/// wrong with it.
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
        name = reader.read(Service.Fields.name)
        customer = reader.read(Service.Fields.customer)
        clientDomains = reader.read(Service.Fields.clientDomains)
        if let value = reader.read(Service.Fields.endpoint) {
            endpoint = EndpointDraft(reading: value, at: "/endpoint", findings)
        }
        primary = reader.read(Service.Fields.primary)
        standbys = reader.read(Service.Fields.standbys)
        let accept = reader.read(Service.Fields.acceptProxyProtocol)
        let send = reader.read(Service.Fields.sendProxyProtocol)
        let forwarded = reader.read(Service.Fields.forwardedFor)
        let forwardedFields = reader.read(Service.Fields.forwardedFields)
        let limits = ServiceLimits.read(&reader)
        let access = ClientAccess.read(&reader)
        let flowLog = FlowLog.read(&reader)
        readBindings(&reader)
        readCheck(&reader)
        reader.finish(readOnly: Service.schema.readOnly)
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
