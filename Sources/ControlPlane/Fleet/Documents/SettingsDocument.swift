package import Domain
package import JSON

extension FleetSettings {
    /// There is one of them, and this is its name: in the store, in versions and in the audit trail.
    package static let name = "fleet"

    /// What holds, in full: the body of the API and the text that the store keeps.
    package var document: JSONValue {
        [
            "monitoring": monitoring.document,
            "failover": [
                "automatic": .bool(failsOver),
                "failback": .string((failsBack ? Failback.automatic : .manual).rawValue),
                "holdDownSeconds": .integer(holdDown),
            ],
            "webhooks": .array(
                webhooks.map { ["url": .string($0.url), "credential": .string($0.credential.text)] }),
        ]
    }

    private enum Failback: String, CaseIterable {
        case manual
        case automatic
    }

    /// Reads a document, or answers nil with findings. What is left out is as it is when nobody says anything.
    package static func read(_ value: JSONValue, _ findings: Findings) -> FleetSettings? {
        let earlier = findings.all.count
        guard var reader = ObjectReader(value, at: "", findings) else { return nil }
        var settings = FleetSettings()
        if let value = reader.value("monitoring", required: false, expected: "an object") {
            settings.monitoring = Monitoring.read(value, at: "/monitoring", findings) ?? .standard
        }
        if let value = reader.value("failover", required: false, expected: "an object") {
            settings.readFailover(value, findings)
        }
        let expected = "objects with a url and a credential"
        if let value = reader.value("webhooks", required: false, expected: expected),
            let elements = reader.array(
                value, at: "/webhooks", count: 0...FleetSettings.mostWebhooks, expected: expected)
        {
            settings.readWebhooks(elements, findings)
        }
        reader.finish(readOnly: Representation.readOnly)
        return findings.all.count == earlier ? settings : nil
    }

    private mutating func readFailover(_ value: JSONValue, _ findings: Findings) {
        guard var reader = ObjectReader(value, at: "/failover", findings) else { return }
        failsOver = reader.bool("automatic", default: true)
        failsBack = reader.choice("failback", default: Failback.manual) == .automatic
        let holdDown = reader.integer(
            "holdDownSeconds", default: FleetSettings.standardHoldDown, in: FleetSettings.holdDowns,
            expected: "a whole number of seconds from 0 to 86400")
        if let holdDown { self.holdDown = holdDown }
        reader.finish()
    }

    private mutating func readWebhooks(_ elements: [JSONValue], _ findings: Findings) {
        for (index, element) in elements.enumerated() {
            let pointer = "/webhooks/\(index)"
            guard var reader = ObjectReader(element, at: pointer, findings) else { continue }
            let url = reader.text("url", expected: "a URL such as https://alerts.example/ddirect") {
                text throws(InvalidValue) in try HTTPAddress.checked(text)
            }
            let credential = reader.text("credential", expected: CredentialName.expected) {
                text throws(InvalidValue) in try CredentialName(text)
            }
            reader.finish()
            if let url, webhooks.contains(where: { $0.url == url }) {
                findings.add(.invalid(pointer + "/url", "'\(url)' is named twice; expected each URL once."))
            }
            guard let url, let credential else { continue }
            do {
                webhooks.append(try Webhook(url: url, credential: credential))
            } catch {
                findings.add(pointer + "/url", error)
            }
        }
    }
}

extension CredentialName {
    /// What a document should have: secrets are named, never told.
    static let expected = "the name of a credential, such as acme-tsig"
}
