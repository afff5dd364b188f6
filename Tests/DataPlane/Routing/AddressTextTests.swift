import Domain
import Routing
import Testing

@Suite struct `Address text` {
    @Test(arguments: [
        "0.0.0.0", "192.0.2.1", "255.255.255.255", "::", "::1", "2001:db8::1", "2001:db8:0:1:1:1:1:1", "1::",
        "fe80::1:0:0:1",
        "1:0:0:2:0:0:0:3", "2001:db8:1:2:3:4:5:6", "0:1::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "1:2:3:4:5:6:7::",
    ])
    func `an address is written as it describes itself`(text: String) throws {
        let address = try Address(text)
        var octets = [UInt8](repeating: 0, count: Address.longestText)
        var output = octets.mutableSpan
        let written = address.write(into: &output)
        let count = try #require(written)
        #expect(String(decoding: octets[..<count], as: UTF8.self) == address.description)

        var fewer = [UInt8](repeating: 0, count: count - 1)
        var tooShort = fewer.mutableSpan
        let none = address.write(into: &tooShort)
        #expect(none == nil)
    }
}
