import Domain
import Logging
import Testing

@testable import API

@Suite struct `The API's listener` {
    /// The service group prints each of its services at a start. By reflection that took 60 ms.
    @Test func `is described in a line, and not by all of its operations`() async throws {
        try await Bench.run { bench in
            let server = APIServer(
                api: bench.api, listen: TransportAddress(Address(ipv4: 0x7F00_0001), port: 7080), mostConnections: 1,
                onListening: {}, logger: Logger(label: "test"))
            #expect("\(server)" == "API on 127.0.0.1:7080")
        }
    }
}
