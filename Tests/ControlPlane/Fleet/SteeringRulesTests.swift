import Domain
import Testing

@testable import Fleet

/// A fleet of servers za1 and ie1, zones acme.test and other.test, and service app, which app.acme.test steers.
@Suite struct `Rules about what steers traffic` {
    let catalogue: Catalogue

    init() throws {
        let servers = try [Server.sample("za1", address: 1), Server.sample("ie1", address: 2)]
        let zones = try ["acme.test", "other.test"].map { try Zone.sample($0) }
        let app = try Service.sample("app", domains: ["app.test"], names: ["app.acme.test"])
        catalogue = Catalogue(
            FleetState(
                incarnation: Incarnation(1), version: SnapshotVersion(1),
                customers: [Customer(name: try CustomerName("acme"))], servers: servers, services: [app], zones: zones))
    }

    private func faults(of edits: [Change.Edit], named: Bool = false) -> [String] {
        var proposal = Proposal(edits)
        proposal.namesResources = named
        return Rules.violations(of: proposal, in: catalogue, exceptions: []).map(\.sentence)
    }

    private func edit(_ service: Service) -> Change.Edit {
        .service(service.name, before: catalogue.state.services[service.name], after: service)
    }

    private func edit(_ server: Server) -> Change.Edit {
        .server(server.name, before: catalogue.state.servers[server.name], after: server)
    }

    @Test func `a name of a zone that exists may be bound`() throws {
        let web = try Service.sample("web", domains: ["web.test"], names: ["web.acme.test", "web.other.test"])
        #expect(faults(of: [edit(web)]) == [])
    }

    @Test func `a zone that does not exist has no names`() throws {
        let web = try Service.sample("web", domains: ["web.test"], names: ["web.acme.test", "web.none.test"])
        #expect(
            faults(of: [edit(web)]) == ["/dns/1/zone: 'none.test' is no zone; expected the apex of one that exists."])
        // One that comes with the same change will do.
        let zone = try Zone.sample("none.test")
        #expect(faults(of: [edit(web), .zone(zone.name, before: nil, after: zone)]) == [])
    }

    @Test func `a name steers one service only, and may change hands in one version`() throws {
        let web = try Service.sample("web", domains: ["web.test"], names: ["app.acme.test"])
        #expect(faults(of: [edit(web)]).first?.contains("steers the traffic of service app") == true)
        let released = try Service.sample("app", domains: ["app.test"])
        #expect(faults(of: [edit(released), edit(web)]) == [])
        // And its own service keeps it.
        #expect(faults(of: [edit(try Service.sample("app", domains: ["app.test"], names: ["app.acme.test"]))]) == [])
    }

    @Test func `a name that leads to a server or an endpoint is not bound`() throws {
        let server = try Server.sample("us1", hostname: "us1.acme.test", address: 3)
        let origin = try Service.sample("origin", domains: ["origin.test"], endpoint: "o.acme.test")
        let web = try Service.sample("web", domains: ["web.test"], names: ["us1.acme.test", "o.acme.test"])
        let said = faults(of: [edit(server), edit(origin), edit(web)], named: true)
        #expect(
            said.contains { $0.hasPrefix("/services/web/dns/0/name: 'us1.acme.test' is the host name of server us1") })
        #expect(
            said.contains { $0.hasPrefix("/services/web/dns/1/name: 'o.acme.test' is where service origin has its") })
    }

    @Test func `neither a server nor an endpoint is at a name that is bound`() throws {
        let server = try Server.sample("us1", hostname: "app.acme.test", address: 3)
        #expect(faults(of: [edit(server)]).first?.hasPrefix("/hostname: 'app.acme.test' is a name that steers") == true)
        let web = try Service.sample("web", domains: ["web.test"], endpoint: "app.acme.test")
        #expect(
            faults(of: [edit(web)]).first?.hasPrefix("/endpoint/host: 'app.acme.test' is a name that steers") == true)
    }

    @Test func `a zone that services use stays`() throws {
        let (acme, other) = (try DomainName("acme.test"), try DomainName("other.test"))
        let deletion = Change.Edit.zone(acme, before: catalogue.state.zones[acme], after: nil)
        #expect(
            faults(of: [deletion]) == [
                "Zone acme.test has names that steer service app; expected a zone that no service names. Unbind them first."
            ])
        #expect(faults(of: [.zone(other, before: catalogue.state.zones[other], after: nil)]) == [])
        #expect(faults(of: [deletion, edit(try Service.sample("app", domains: ["app.test"]))]) == [])
    }

    @Test func `a server's own timeout has to fit into the interval that holds for it`() throws {
        let patient = try Server.sample("za1", address: 1, timeout: 5)
        #expect(
            faults(of: [edit(patient)]) == [
                "/monitoring/timeoutSeconds: '5' is no timeout; expected 1 second to the interval, 2 s."
            ])
        #expect(faults(of: [edit(try Server.sample("za1", address: 1, interval: 9, timeout: 5))]) == [])
        // What holds for the fleet may change in the same version.
        #expect(faults(of: [edit(patient), .settings(before: FleetSettings(), after: .every(9))]) == [])
    }

    @Test func `the fleet's interval has to leave room for every server's own timeout`() throws {
        var patient = catalogue
        patient.apply(
            Change(
                version: SnapshotVersion(2),
                edits: [
                    .settings(before: FleetSettings(), after: .every(9)),
                    edit(try Server.sample("za1", address: 1, timeout: 5)),
                    edit(try Server.sample("ie1", address: 2, timeout: 3)),
                ]))
        func faults(_ seconds: Int, _ edits: [Change.Edit] = []) -> [String] {
            let proposal = Proposal([.settings(before: .every(9), after: .every(seconds))] + edits)
            return Rules.violations(of: proposal, in: patient, exceptions: []).map(\.sentence)
        }
        #expect(faults(5) == [])
        #expect(
            faults(4) == [
                "/monitoring/intervalSeconds: 4 s is shorter than the timeout that is set for server za1; "
                    + "expected an interval that is no shorter."
            ])
        #expect(faults(2).first?.contains("servers ie1, za1") == true)
        #expect(faults(4, [edit(try Server.sample("za1", address: 1))]) == [])
    }
}

extension FleetSettings {
    /// The usual ones, but for the interval between probes.
    static func every(_ seconds: Int) -> FleetSettings {
        var settings = FleetSettings()
        let standard = settings.monitoring
        // Any interval of a test is a valid one; if not, the usual one makes the test fail.
        settings.monitoring =
            (try? Monitoring(
                interval: seconds, timeout: standard.timeout, threshold: standard.threshold,
                recoveryThreshold: standard.recoveryThreshold)) ?? standard
        return settings
    }
}
