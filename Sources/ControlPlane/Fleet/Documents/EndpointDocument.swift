package import Domain
package import JSON

extension EndpointTarget {
    fileprivate enum Fields {
        static let host = TextField<EndpointHost>(
            "host", expected: "a domain such as origin.acme.example, or an IP address")
        static let httpPort = PortField("httpPort", standard: .http)
        static let httpsPort = PortField("httpsPort", standard: .https)
        static let all: [any Field] = [host, httpPort, httpsPort]
    }

    package var document: JSONObject {
        [
            "host": .string(host.description), "httpPort": .integer(Int(httpPort.number)),
            "httpsPort": .integer(Int(httpsPort.number)),
        ]
    }
}

extension Endpoint {
    package static let schema = DocumentSchema(
        "Endpoint", fields: EndpointTarget.Fields.all + [Fields.fallbacks, HealthCheck.field])

    fileprivate enum Fields {
        static let fallbacks = ObjectsField(
            "fallbacks", DocumentSchema("Target", fields: EndpointTarget.Fields.all), most: mostFallbacks,
            expected: "objects with a host")
    }

    var document: JSONValue {
        var document = target.document
        document["fallbacks"] = .array(fallbacks.map { .object($0.document) })
        document["check"] = check?.document ?? .null
        return .object(document)
    }
}

/// An endpoint as far as its document could be read.
package struct EndpointDraft {
    /// Where each host that could be read stands in the document, the endpoint's own first.
    package var hosts: [(pointer: String, host: EndpointHost)] = []
    /// Where each port stands in the document (or would stand), and the whole target that it is of.
    var ports: [(pointer: String, port: Port, target: EndpointTarget)] = []
    /// The endpoint, when nothing is wrong with the document itself.
    package var endpoint: Endpoint?

    init() {}

    init(_ endpoint: Endpoint) {
        self.endpoint = endpoint
        for (index, target) in endpoint.targets.enumerated() {
            let pointer = index == 0 ? "/endpoint" : "/endpoint/fallbacks/\(index - 1)"
            hosts.append((pointer + "/host", target.host))
            addPorts(of: target, at: pointer)
        }
    }

    package init(reading value: JSONValue, at pointer: String, _ findings: Findings) {
        let earlier = findings.all.count
        guard var reader = ObjectReader(value, at: pointer, findings) else { return }
        let target = readTarget(&reader)
        var fallbacks: [EndpointTarget] = []
        for (index, element) in reader.read(Endpoint.Fields.fallbacks).enumerated() {
            guard var reader = ObjectReader(element, at: "\(pointer)/fallbacks/\(index)", findings) else { continue }
            let fallback = readTarget(&reader)
            reader.finish()
            if let fallback { fallbacks.append(fallback) }
            if let fallback, fallback == target || fallbacks.dropLast().contains(fallback) {
                findings.add(
                    .invalid(
                        "\(pointer)/fallbacks/\(index)",
                        "'\(fallback.host)' is named twice; expected fallbacks that differ from each other and "
                            + "from the endpoint."))
            }
        }
        let check = HealthCheck.read(&reader)
        reader.finish()
        guard findings.all.count == earlier, let target else { return }
        do {
            endpoint = try Endpoint(target, fallbacks: fallbacks, check: check)
        } catch {
            findings.add(pointer, error)
        }
    }

    private mutating func readTarget(_ reader: inout ObjectReader) -> EndpointTarget? {
        let host = reader.read(EndpointTarget.Fields.host)
        if let host { hosts.append((reader.pointer(to: "host"), host)) }
        let httpPort = reader.read(EndpointTarget.Fields.httpPort)
        let httpsPort = reader.read(EndpointTarget.Fields.httpsPort)
        guard let host, let httpPort, let httpsPort else { return nil }
        let target = EndpointTarget(host: host, httpPort: httpPort, httpsPort: httpsPort)
        addPorts(of: target, at: reader.pointer)
        return target
    }

    private mutating func addPorts(of target: EndpointTarget, at pointer: String) {
        ports.append((pointer + "/httpPort", target.httpPort, target))
        ports.append((pointer + "/httpsPort", target.httpsPort, target))
    }
}
