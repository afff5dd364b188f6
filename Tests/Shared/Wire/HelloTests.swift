import Domain
import Testing
import Wire

@Suite struct `Hello messages` {
    @Test func `come out as they went in, with and without a snapshot`() throws {
        let server = try ServerName("za1")
        for holding in [nil, Hello.Holding(try Sample.snapshot())] {
            let hello = Hello(server: server, softwareVersion: "1.0", holding: holding, bootID: "b")
            #expect(try Hello(WireHello(hello)) == hello)
        }
    }

    @Test func `keep every octet of a digest`() throws {
        let digest = Digest(bits: 0x0001_0203_0405_0607_0809_0A0B_0C0D_0E0F)
        let holding = Hello.Holding(incarnation: Incarnation(1), version: SnapshotVersion(2), digest: digest)
        let hello = Hello(server: try ServerName("za1"), softwareVersion: "", holding: holding, bootID: "")
        #expect(Array(WireHello(hello).digest) == Array(0...15))
        #expect(try Hello(WireHello(hello)).holding?.digest == digest)
    }

    @Test func `that are wrong in several ways say so of each`() {
        var message = WireHello()
        message.server = "Not A Name"
        message.softwareVersion = String(repeating: "v", count: 200)
        message.version = 3
        let error = #expect(throws: InvalidMessage.self) { try Hello(message) }
        #expect(error?.reasons.count == 3)
    }
}
