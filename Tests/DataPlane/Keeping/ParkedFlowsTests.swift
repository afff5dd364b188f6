import Domain
import Routing
import Testing
import Wire

@testable import DataPlane

@Suite struct `The image of parked flows` {
    private func samples() throws -> [(flow: ParkedFlow, descriptors: Int)] {
        var raw = ParkedFlow()
        raw.service = "acme-app"
        raw.idle = 42
        raw.client = ParkedFlow.Half(state: 6, pending: [1, 2, 3], piped: [], passable: .max)
        raw.endpoint = ParkedFlow.Half(
            state: 32, pending: [], piped: [UInt8](repeating: 9, count: 100_000), passable: 7)
        var http = ParkedFlow()
        http.stage = .dialling
        http.awaitsProxyHeader = true
        http.source = TransportAddress(try Address("192.0.2.1"), port: 50_000)
        http.destination = TransportAddress(try Address("2001:db8::1"), port: 443)
        var exchange = ParkedFlow.Exchange()
        exchange.request = ParkedFlow.Message(
            stage: 1, isChunked: true, inbox: [7, 8], scanned: 1, left: 5,
            chunks: ChunkedBody.Position(kind: 8, count: 3, left: 1))
        exchange.closes = true
        exchange.requests = 3
        http.exchange = exchange
        return [(raw, 2), (http, 1), (ParkedFlow(), 2)]
    }

    @Test func `brings back what went in`() throws {
        let flows = try samples()
        let records = try ParkedFlows.records(in: ParkedFlows.octets(of: flows))
        #expect(records == flows.map { ParkedFlows.Record(descriptors: $0.descriptors, flow: $0.flow) })
        #expect(try ParkedFlows.records(in: ParkedFlows.octets(of: [])) == [])
    }

    @Test func `is not used when it is damaged, cut short, or of another release`() throws {
        let octets = ParkedFlows.octets(of: Array(try samples().dropFirst()))
        for count in octets.indices {
            #expect(throws: SealedImage.Unusable.self) { try ParkedFlows.records(in: Array(octets.prefix(count))) }
            var damaged = octets
            damaged[count] ^= 1
            #expect(throws: SealedImage.Unusable.self) { try ParkedFlows.records(in: damaged) }
        }
        var later = octets
        later[7] = 2
        let problem = #expect(throws: SealedImage.Unusable.self) { try ParkedFlows.records(in: later) }
        #expect(problem?.description.contains("format 2") == true)
    }

    @Test func `passes over a record that cannot be read, and knows its descriptors`() throws {
        // As another release might write it: a flow with something more at its end, between two of ours.
        let flows = try samples()
        var record = ImageWriter()
        record.put(flows[1].flow)
        record.put(UInt8(99))
        var body = ImageWriter()
        body.put(UInt32(2))
        body.put(UInt8(1))
        body.put(record.octets)
        body.put(UInt8(2))
        var good = ImageWriter()
        good.put(flows[0].flow)
        body.put(good.octets)
        let records = try ParkedFlows.records(in: ParkedFlows.image.seal(body.octets))
        #expect(records.map(\.descriptors) == [1, 2])
        #expect(records.map(\.flow) == [nil, flows[0].flow])
    }
}
