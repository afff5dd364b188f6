import Domain
import Testing

@testable import Fleet
@testable import JSON

/// What services and servers say of failover.
@Suite struct `What steers traffic, in documents` {
    private func read(service members: String) throws -> (service: Service?, faults: [String], text: String) {
        let text = """
            {"name":"app","customer":"acme","clientDomains":["*.acme.test","app.acme.test"],"endpoint":{"host":"o.test"},
             "primary":"za1",\(members)}
            """
        let findings = Findings()
        let draft = ServiceDraft(reading: try JSONValue.parse(text.utf8), findings)
        return (draft.service, findings.all.map(\.pointer), findings.all.map(\.sentence).joined(separator: " "))
    }

    private func read(monitoring text: String) throws -> (
        monitoring: MonitoringOverrides?, faults: [String], text: String
    ) {
        let findings = Findings()
        let value = try JSONValue.parse(text.utf8)
        let monitoring = MonitoringOverrides.read(value, at: "/monitoring", findings)
        return (monitoring, findings.all.map(\.pointer), findings.all.map(\.sentence).joined(separator: " "))
    }

    @Test func `a service reads what it writes`() throws {
        let members = #"""
            "dns":[{"zone":"acme.test","name":"app.acme.test","kind":"cname","ttl":5},
                   {"zone":"acme.test","name":"acme.test","kind":"addresses","ttl":60}],
            "check":{"path":"/health?x=1","scheme":"http","host":"www.acme.test"}
            """#
        let (service, faults, _) = try read(service: members)
        #expect(faults == [])
        let document = try #require(service?.document.object)
        let sent = try #require(try JSONValue.parse("{\(members)}".utf8).object)
        #expect(document["dns"] == sent["dns"])
        #expect(document["check"] == sent["check"])
        let findings = Findings()
        #expect(ServiceDraft(reading: .object(document), findings).service == service)
    }

    @Test func `a service without them is as it was before there were any`() throws {
        let service = try #require(try read(service: #""dns":[],"check":null"#).service)
        #expect(service.bindings == [] && service.check == nil)
        #expect(try read(service: #""standbys":[]"#).service == service)
    }

    @Test func `what is usual need not be said`() throws {
        let service = try #require(
            try read(service: #""dns":[{"zone":"acme.test","name":"app.acme.test"}],"check":{"path":"/"}"#).service)
        #expect(service.bindings.map(\.kind) == [.cname])
        #expect(service.bindings.map(\.timeToLive) == [DNSBinding.standardTimeToLive])
        // The first client domain that is a name as it stands.
        #expect(service.check?.host.text == "app.acme.test")
        #expect(service.check?.usesTLS == true)
    }

    @Test(arguments: [
        (#""dns":{}"#, "/dns", "This is an object; expected objects"),
        (#""dns":["app.acme.test"]"#, "/dns/0", "This is a string; expected an object"),
        (#""dns":[{"name":"app.acme.test"}]"#, "/dns/0/zone", "'zone' is missing"),
        (#""dns":[{"zone":"acme.test","name":"*.acme.test"}]"#, "/dns/0/name", "wildcard where none is allowed"),
        (#""dns":[{"zone":"acme.test","name":"app.other.test"}]"#, "/dns/0/name", "is not in the zone acme.test"),
        (#""dns":[{"zone":"acme.test","name":"acme.test"}]"#, "/dns/0/kind", "no CNAME can stand"),
        (#""dns":[{"zone":"acme.test","name":"a.acme.test","kind":"txt"}]"#, "/dns/0/kind", "'cname', 'addresses'"),
        (#""dns":[{"zone":"acme.test","name":"a.acme.test","ttl":0}]"#, "/dns/0/ttl", "1 to 86400"),
        (#""dns":[{"zone":"acme.test","name":"a.acme.test","weight":1}]"#, "/dns/0/weight", "unknown field"),
        (
            #""dns":[{"zone":"acme.test","name":"a.acme.test"},{"zone":"acme.test","name":"A.acme.test","ttl":9}]"#,
            "/dns/1/name", "is bound twice"
        ),
        (#""dns":[{"zone":"o.test","name":"o.test","kind":"addresses"}]"#, "/dns/0/name", "this service's endpoint"),
        (#""check":"/health""#, "/check", "This is a string; expected an object"),
        (#""check":{}"#, "/check/path", "'path' is missing"),
        (#""check":{"path":"health"}"#, "/check/path", "is no path"),
        (#""check":{"path":"/a b"}"#, "/check/path", "is no path"),
        (#""check":{"path":"/","scheme":"ftp"}"#, "/check/scheme", "'https', 'http'"),
        (#""check":{"path":"/","host":"other.test"}"#, "/check/host", "is no client domain of this service"),
        (#""check":{"path":"/","port":80}"#, "/check/port", "unknown field"),
    ])
    func `a service names what is wrong, and where`(members: String, pointer: String, says: String) throws {
        let (service, faults, text) = try read(service: members)
        #expect(service == nil)
        #expect(faults == [pointer], "\(text)")
        #expect(text.contains(says), "\(text)")
    }

    @Test func `wildcards alone leave open which name a check asks for`() throws {
        let (service, faults, _) = try read(service: #""clientDomain":[],"check":{"path":"/"}"#)
        #expect(service == nil && faults == ["/clientDomain"])
        let findings = Findings()
        let text = #"""
            {"name":"app","customer":"acme","clientDomains":["*.acme.test"],"endpoint":{"host":"o.test"},"primary":"za1",
             "check":{"path":"/"}}
            """#
        _ = ServiceDraft(reading: try JSONValue.parse(text.utf8), findings)
        #expect(findings.all.map(\.pointer) == ["/check/host"])
    }

    @Test func `a server reads what it writes`() throws {
        let text =
            #"{"intervalSeconds":5,"timeoutSeconds":null,"threshold":2,"recoveryThreshold":null,"quorum":1,"httpPort":8080,"httpsPort":8443}"#
        let monitoring = try #require(try read(monitoring: text).monitoring)
        #expect(try monitoring.document == JSONValue.parse(text.utf8))
        #expect(try read(monitoring: "{}").monitoring == MonitoringOverrides())
    }

    @Test(arguments: [
        ("[]", "/monitoring", "This is an array; expected an object"),
        (#"{"intervalSeconds":0}"#, "/monitoring/intervalSeconds", "1 to 3600"),
        (#"{"timeoutSeconds":true}"#, "/monitoring/timeoutSeconds", "This is a boolean; expected a whole number"),
        (#"{"quorum":0}"#, "/monitoring/quorum", "1 to 64"),
        (#"{"httpPort":0}"#, "/monitoring/httpPort", "1 to 65535"),
        (#"{"ports":[80]}"#, "/monitoring/ports", "unknown field"),
    ])
    func `a server names what is wrong, and where`(text: String, pointer: String, says: String) throws {
        let (monitoring, faults, said) = try read(monitoring: text)
        #expect(monitoring == nil)
        #expect(faults == [pointer], "\(said)")
        #expect(said.contains(says), "\(said)")
    }
}
