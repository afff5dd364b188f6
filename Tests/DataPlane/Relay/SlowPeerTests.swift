import Domain
import Glibc
import Testing

@testable import DataPlane

/// Phones read slowly, fall silent in tunnels, and wait long for answers: nothing that was said to them is lost by
/// that.
@Suite struct `Slow peers` {
    private let hello = clientHello("one.acme.test")
    private let get = "GET / HTTP/1.1\r\nHost: one.acme.test\r\n\r\n"

    /// A flow of which one side has said enough, by TLS or by plain HTTP, that the other takes it slowly.
    private func open(
        _ relay: RelayHarness, _ listener: TestListener, isTLS: Bool
    ) throws -> (client: TestConnection, endpoint: TestConnection) {
        let client = try TestConnection(port: isTLS ? relay.httpsPort : relay.httpPort, receiveBuffer: 8192)
        let opening = isTLS ? hello : Array(get.utf8)
        try client.send(opening)
        let endpoint = try listener.accept()
        #expect(try endpoint.receive(exactly: opening.count) == opening)
        return (client, endpoint)
    }

    private func answer(_ body: [UInt8], isTLS: Bool) -> [UInt8] {
        isTLS ? body : Array("HTTP/1.1 200 OK\r\nContent-Length: \(body.count)\r\n\r\n".utf8) + body
    }

    private func impatient() -> RelaySettings {
        var settings = RelaySettings()
        settings.halfCloseTimeout = .milliseconds(400)
        return settings
    }

    @Test(arguments: [true, false])
    func `a slow reader gets all of an answer behind which the endpoint has ended`(isTLS: Bool) throws {
        let (relay, listener) = try RelayHarness.single(impatient())
        let (client, endpoint) = try open(relay, listener, isTLS: isTLS)
        let words = answer(pattern(600_000), isTLS: isTLS)
        try endpoint.send(words)
        endpoint.shutdownWriting()
        // Several of the half-close timeouts.
        let (bytes, end) = client.receiveAll(pausing: 20_000, upTo: 8000)
        let isWhole = bytes == words
        #expect(isWhole, "\(bytes.count) of \(words.count) bytes")
        #expect(end == .end)
        withExtendedLifetime(endpoint) {}
    }

    @Test(arguments: [true, false])
    func `a reader that is silent for long after the endpoint has ended gets the rest`(isTLS: Bool) throws {
        let (relay, listener) = try RelayHarness.single(impatient())
        let (client, endpoint) = try open(relay, listener, isTLS: isTLS)
        let words = answer(pattern(600_000), isTLS: isTLS)
        try endpoint.send(words)
        endpoint.shutdownWriting()
        usleep(2_000_000)
        let (bytes, end) = client.receiveAll()
        let isWhole = bytes == words
        #expect(isWhole, "\(bytes.count) of \(words.count) bytes")
        #expect(end == .end)
        withExtendedLifetime(endpoint) {}
    }

    @Test(arguments: [true, false])
    func `an answer that comes long after the client has ended its side is delivered`(isTLS: Bool) throws {
        let (relay, listener) = try RelayHarness.single(impatient())
        let (client, endpoint) = try open(relay, listener, isTLS: isTLS)
        client.shutdownWriting()
        usleep(2_000_000)
        let words = answer(pattern(10_000), isTLS: isTLS)
        try endpoint.send(words)
        endpoint.shutdownWriting()
        let (bytes, end) = client.receiveAll()
        let isWhole = bytes == words
        #expect(isWhole, "\(bytes.count) of \(words.count) bytes")
        #expect(end == .end)
    }

    @Test(arguments: [true, false])
    func `what an endpoint has said before its reset reaches a slow reader, and then the reset`(isTLS: Bool) throws {
        let (relay, listener) = try RelayHarness.single()
        let (client, endpoint) = try open(relay, listener, isTLS: isTLS)
        let words = answer(pattern(400_000), isTLS: isTLS)
        try endpoint.send(words)
        try eventually("the acknowledgement") { endpoint.unacknowledged == 0 }
        endpoint.reset()
        let (bytes, end) = client.receiveAll(pausing: 10_000, upTo: 8000)
        let isWhole = bytes == words
        #expect(isWhole, "\(bytes.count) of \(words.count) bytes")
        // Of plain HTTP the answer is complete, and its end is what the client hears; of TLS nobody but the two ends
        // can know.
        #expect(isTLS ? end == .reset : end == .reset || end == .end)
        client.reset()
        try relay.expectIdle()
    }

    @Test func `what a client has said before its reset reaches a slow endpoint, and then the reset`() throws {
        let (relay, listener) = try RelayHarness.single()
        let (client, endpoint) = try open(relay, listener, isTLS: true)
        endpoint.shrinkReceiveBuffer()
        let words = pattern(400_000)
        try client.send(words)
        try eventually("the acknowledgement") { client.unacknowledged == 0 }
        client.reset()
        let (bytes, end) = endpoint.receiveAll(pausing: 5_000, upTo: 8000)
        let isWhole = bytes == words
        #expect(isWhole, "\(bytes.count) of \(words.count) bytes")
        #expect(end == .reset)
        try relay.expectIdle()
    }

    @Test func `an upload of a client that takes no answer any more reaches a slow endpoint`() throws {
        let (relay, listener) = try RelayHarness.single()
        var (client, endpoint): (TestConnection?, TestConnection) = try open(relay, listener, isTLS: true)
        endpoint.shrinkReceiveBuffer()
        let words = pattern(400_000)
        try client?.send(words)
        try eventually("the acknowledgement") { client?.unacknowledged == 0 }
        client = nil
        // What the endpoint says is for nobody, and is answered by the client's machine with a reset.
        try endpoint.send(pattern(20_000))
        let (bytes, _) = endpoint.receiveAll(pausing: 5_000, upTo: 8000)
        let isWhole = bytes == words
        #expect(isWhole, "\(bytes.count) of \(words.count) bytes")
        try relay.expectIdle()
    }

    @Test func `a flow of which nothing is owed is let go, and without a reset where our end was sent`() throws {
        let (relay, listener) = try RelayHarness.single(impatient())
        let (client, endpoint) = try open(relay, listener, isTLS: true)
        try endpoint.send("bye")
        endpoint.shutdownWriting()
        #expect(client.receiveAll().bytes == Array("bye".utf8))
        #expect(endpoint.receive() == .reset)
        #expect(client.receive() == .end)
        #expect(relay.count(.halfCloseTimedOut) == 1)
        try relay.expectIdle()
    }

    @Test func `an answer of ours reaches a client that goes on sending for long`() throws {
        let (relay, _) = try RelayHarness.single()
        let client = try TestConnection(port: relay.httpPort, receiveBuffer: 8192)
        try client.send("POST / HTTP/1.1\r\nHost: nobody.test\r\nContent-Length: 8000000\r\n\r\n")
        let piece = pattern(100_000)
        for _ in 0..<80 { try client.send(piece) }
        client.shutdownWriting()
        let (bytes, end) = client.receiveAll()
        #expect(String(decoding: bytes, as: UTF8.self).hasPrefix("HTTP/1.1 421 "))
        #expect(end == .end)
        try relay.expectIdle()
    }
}
