import Domain
import Testing

@Suite struct `Ports of endpoints` {
    @Test func `are those of the web, and those that any user can listen on`() throws {
        let ports = EndpointPorts()
        for port in [80, 443, 1024, 8080, 8443, 65_535] { #expect(try ports.allows(Port(port)), "\(port)") }
        for port in [1, 22, 25, 53, 79, 81, 442, 444, 1023] { #expect(try !ports.allows(Port(port)), "\(port)") }
    }

    @Test func `are others too where the operator says so`() throws {
        let ports = EndpointPorts(allowed: [try PortRange("25"), try PortRange("500-600")])
        for port in [25, 500, 550, 600, 80] { #expect(try ports.allows(Port(port)), "\(port)") }
        for port in [24, 26, 499, 601] { #expect(try !ports.allows(Port(port)), "\(port)") }
    }

    @Test func `are read as one or as a range`() throws {
        #expect(try PortRange("25").description == "25")
        #expect(try PortRange("1-65535").description == "1-65535")
        #expect(try PortRange("7-7").description == "7")
        for text in ["", "-", "1-", "-1", "0", "65536", "2-1", "1-2-3", "ssh", "+1", " 1", "1 - 2", "\u{0661}"] {
            #expect(throws: InvalidValue.self, "\(text)") { try PortRange(text) }
        }
    }
}
