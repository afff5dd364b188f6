import Domain
import Testing

@testable import Fleet
@testable import JSON

@Suite struct `The settings' document` {
    private func read(_ text: String) throws -> (settings: FleetSettings?, faults: [String], text: String) {
        let findings = Findings()
        let settings = FleetSettings.read(try JSONValue.parse(text.utf8), findings)
        return (settings, findings.all.map(\.pointer), findings.all.map(\.sentence).joined(separator: " "))
    }

    private static let whole = #"""
        {"monitoring":{"intervalSeconds":60,"timeoutSeconds":5,"threshold":5,"recoveryThreshold":2,"quorum":3},
         "failover":{"automatic":false,"failback":"automatic","holdDownSeconds":0},
         "webhooks":[{"url":"https://alerts.test/x","credential":"hook-key"}]}
        """#

    @Test func `reads what it writes`() throws {
        let settings = try #require(try read(Self.whole).settings)
        #expect(try settings.document == JSONValue.parse(Self.whole.utf8))
        #expect(
            settings.monitoring
                == (try Monitoring(
                    interval: 60, timeout: 5, threshold: 5, recoveryThreshold: 2, quorum: 3)))
        #expect(!settings.failsOver && settings.failsBack && settings.holdDown == 0)
    }

    @Test(arguments: ["{}", #"{"monitoring":{},"failover":{},"webhooks":[]}"#, #"{"monitoring":{"quorum":null}}"#])
    func `says what holds where it is silent`(text: String) throws {
        #expect(try read(text).settings == FleetSettings())
    }

    @Test func `a short interval shortens the usual timeout`() throws {
        let settings = try #require(try read(#"{"monitoring":{"intervalSeconds":1}}"#).settings)
        #expect(settings.monitoring.timeout == 1)
    }

    @Test(arguments: [
        (#""monitoring":7"#, "/monitoring", "This is a number; expected an object"),
        (#""monitoring":{"intervalSeconds":0}"#, "/monitoring/intervalSeconds", "'0' is out of range"),
        (#""monitoring":{"intervalSeconds":3601}"#, "/monitoring/intervalSeconds", "1 to 3600"),
        (#""monitoring":{"intervalSeconds":"2"}"#, "/monitoring/intervalSeconds", "This is a string; expected a whole"),
        (#""monitoring":{"intervalSeconds":2.5}"#, "/monitoring/intervalSeconds", "This is a number; expected a whole"),
        (#""monitoring":{"timeoutSeconds":3}"#, "/monitoring/timeoutSeconds", "1 second to the interval, 2 s"),
        (#""monitoring":{"threshold":101}"#, "/monitoring/threshold", "1 to 100"),
        (#""monitoring":{"recoveryThreshold":0}"#, "/monitoring/recoveryThreshold", "1 to 100"),
        (#""monitoring":{"quorum":65}"#, "/monitoring/quorum", "1 to 64"),
        (#""monitoring":{"httpPort":80}"#, "/monitoring/httpPort", "unknown field"),
        (#""failover":{"automatic":"yes"}"#, "/failover/automatic", "true or false"),
        (#""failover":{"failback":"never"}"#, "/failover/failback", "'manual', 'automatic'"),
        (#""failover":{"holdDownSeconds":-1}"#, "/failover/holdDownSeconds", "0 to 86400"),
        (#""webhooks":{}"#, "/webhooks", "This is an object; expected objects"),
        (#""webhooks":["https://a.test"]"#, "/webhooks/0", "This is a string; expected an object"),
        (#""webhooks":[{"url":"https://a.test"}]"#, "/webhooks/0/credential", "'credential' is missing"),
        (#""webhooks":[{"url":"mailto:a@b.test","credential":"k"}]"#, "/webhooks/0/url", "no URL that can be called"),
        (
            #""webhooks":[{"url":"https://a.test","credential":"k"},{"url":"https://a.test","credential":"l"}]"#,
            "/webhooks/1/url", "is named twice"
        ),
        (#""name":"fleet""#, "/name", "unknown field"),
        (#""revision":1"#, "/revision", "is told by D-Direct"),
    ])
    func `names what is wrong, and where`(member: String, pointer: String, says: String) throws {
        let (settings, faults, text) = try read("{\(member)}")
        #expect(settings == nil)
        #expect(faults == [pointer], "\(text)")
        #expect(text.contains(says), "\(text)")
    }

    @Test func `has no more webhooks than can be told`() throws {
        let hooks = (0..<9).map { #"{"url":"https://a\#($0).test","credential":"k"}"# }.joined(separator: ",")
        #expect(try read("{\"webhooks\":[\(hooks)]}").faults == ["/webhooks"])
    }
}
