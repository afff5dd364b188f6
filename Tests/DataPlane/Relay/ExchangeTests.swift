import Domain
import Foundation
import Glibc
import Testing

@testable import DataPlane

@Suite struct `Exchanges of plain HTTP` {
    private let get = "GET / HTTP/1.1\r\nHost: one.acme.test\r\n\r\n"
    private let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    @Test func `another host's request that comes in the moment of a response's end is answered 421`() throws {
        let (relay, listener) = try RelayHarness.single()
        for _ in 0..<5 {
            let client = try TestConnection(port: relay.httpPort)
            try client.send(get)
            let endpoint = try listener.accept()
            _ = try endpoint.receive(exactly: get.utf8.count)
            relay.keepBusy()
            try endpoint.send(ok)
            try client.send("GET / HTTP/1.1\r\nHost: nobody.test\r\n\r\n")
            #expect(client.receiveText().hasPrefix(ok + "HTTP/1.1 421 "))
        }
        try relay.expectIdle()
    }

    @Test func `what an endpoint says behind an early answer is nobody's, and least of all the next request's`() throws
    {
        let (relay, listener) = try RelayHarness.single()
        let client = try TestConnection(port: relay.httpPort)
        try client.send("POST / HTTP/1.1\r\nHost: one.acme.test\r\nContent-Length: 5\r\n\r\nab")
        let endpoint = try listener.accept()
        _ = try endpoint.receive(untilSuffix: "ab")
        try endpoint.send(ok + "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
        #expect(try client.receive(untilSuffix: "ok") == ok)
        // The rest of the body comes in one segment with the next request.
        try client.send("cde" + get)
        #expect(client.receiveText() == "")
        #expect(relay.count(.responseMalformed) == 1)
        #expect(try endpoint.receive(exactly: 3) == Array("cde".utf8))
        #expect(endpoint.receive() != .bytes(Array(get.utf8)), "the next request is passed on to nobody")
    }

    @Test func `nor is it when the answer and what is behind it end with a turn`() throws {
        for interims in 10..<20 {
            let (relay, listener) = try RelayHarness.single()
            let client = try TestConnection(port: relay.httpPort)
            try client.send(get + get)
            let endpoint = try listener.accept()
            _ = try endpoint.receive(exactly: get.utf8.count)
            let interim = String(repeating: "HTTP/1.1 103 Early Hints\r\n\r\n", count: interims)
            let answer = interim + "HTTP/1.1 204 No Content\r\n\r\n"
            try endpoint.send(answer + "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
            #expect(client.receiveText() == answer, "\(interims) interim responses")
            #expect(relay.count(.responseMalformed) == 1)
        }
    }

    @Test func `an endpoint that goes away behind an interim response has not answered`() throws {
        let (relay, listener) = try RelayHarness.single()
        for resets in [false, true] {
            let client = try TestConnection(port: relay.httpPort)
            try client.send(get)
            let endpoint = try listener.accept()
            _ = try endpoint.receive(exactly: get.utf8.count)
            let interim = "HTTP/1.1 103 Early Hints\r\n\r\n"
            try endpoint.send(interim)
            #expect(try client.receive(untilSuffix: "\r\n\r\n") == interim)
            if resets { endpoint.reset() } else { endpoint.shutdownWriting() }
            #expect(client.receiveText().hasPrefix("HTTP/1.1 502 "))
        }
        #expect(relay.count(.endpointLeftEarly) == 1 && relay.count(.endpointReset) == 1)
    }

    @Test(arguments: ["interim", "expect", "upload"])
    func `an endpoint that never answers is a time-out, whatever it was doing`(what: String) throws {
        var settings = RelaySettings()
        settings.responseTimeout = .seconds(2)
        let (relay, listener) = try RelayHarness.single(settings)
        let client = try TestConnection(port: relay.httpPort)
        let head = "POST / HTTP/1.1\r\nHost: one.acme.test\r\n"
        switch what {
        case "interim":
            try client.send(get)
            let endpoint = try listener.accept()
            _ = try endpoint.receive(exactly: get.utf8.count)
            try endpoint.send("HTTP/1.1 103 Early Hints\r\n\r\n")
            #expect(try client.receive(untilSuffix: "\r\n\r\n").hasPrefix("HTTP/1.1 103 "))
            #expect(client.receiveText().hasPrefix("HTTP/1.1 504 "))
            withExtendedLifetime(endpoint) {}
        case "expect":
            try client.send(head + "Content-Length: 5\r\nExpect: 100-continue\r\n\r\n")
            let endpoint = try listener.accept()
            #expect(client.receiveText().hasPrefix("HTTP/1.1 504 "))
            withExtendedLifetime(endpoint) {}
        default:
            try client.send(head + "Content-Length: 100000000\r\n\r\n")
            let endpoint = try listener.accept()
            let sender = Foundation.Thread { try? client.send([UInt8](repeating: 7, count: 100_000_000)) }
            sender.start()
            #expect(client.receiveText().hasPrefix("HTTP/1.1 504 "))
            withExtendedLifetime(endpoint) {}
        }
        #expect(relay.count(.responseTimedOut) == 1)
    }

    @Test func `an endpoint that steadily takes an upload has its time for the answer from then on`() throws {
        var settings = RelaySettings()
        settings.responseTimeout = .seconds(2)
        let (relay, listener) = try RelayHarness.single(settings)
        let client = try TestConnection(port: relay.httpPort)
        let size = 3_000_000
        try client.send("POST / HTTP/1.1\r\nHost: one.acme.test\r\nContent-Length: \(size)\r\n\r\n")
        let endpoint = try listener.accept()
        endpoint.shrinkReceiveBuffer()
        let sender = Foundation.Thread { try? client.send([UInt8](repeating: 7, count: size)) }
        sender.start()
        _ = try endpoint.receive(untilSuffix: "\r\n\r\n")
        // Some six seconds: three times what it has for an answer.
        var taken = 0
        while taken < size {
            guard case .bytes(let bytes) = endpoint.receive(upTo: 10_000) else { break }
            taken += bytes.count
            usleep(20_000)
        }
        #expect(taken == size)
        try endpoint.send(ok)
        #expect(try client.receive(untilSuffix: "ok") == ok)
        #expect(relay.count(.responseTimedOut) == 0)
    }

    @Test func `a client that ends its side early gets the whole of a response that lasts until close`() throws {
        let (relay, listener) = try RelayHarness.single()
        let client = try TestConnection(port: relay.httpPort)
        try client.send(get)
        client.shutdownWriting()
        let endpoint = try listener.accept()
        _ = try endpoint.receive(exactly: get.utf8.count)
        let payload = pattern(8_000_000)
        let head = Array("HTTP/1.1 200 OK\r\n\r\n".utf8)
        let sender = Foundation.Thread {
            try? endpoint.send(head + payload)
            endpoint.shutdownWriting()
        }
        sender.start()
        // The relay is ahead of this reader by all that the sockets hold when it sees the endpoint's end.
        var all: [UInt8] = []
        var end = TestConnection.Read.nothing
        while true {
            let read = client.receive(upTo: 20_000)
            guard case .bytes(let bytes) = read else {
                end = read
                break
            }
            all += bytes
        }
        #expect(end == .end)
        #expect(all.count == head.count + payload.count)
        // Said as one fact: a description of how megabytes differ helps nobody.
        let isWhole = all == head + payload
        #expect(isWhole)
        try relay.expectIdle()
    }

    @Test func `a flow ends with its endpoint although the response came before the request was whole`() throws {
        let (relay, listener) = try RelayHarness.single()
        let client = try TestConnection(port: relay.httpPort)
        let head = "POST / HTTP/1.1\r\nHost: one.acme.test\r\nContent-Length: 10\r\n\r\n"
        try client.send(head + "01234")
        let endpoint = try listener.accept()
        _ = try endpoint.receive(exactly: head.utf8.count + 5)
        let early = "HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        try endpoint.send(early)
        endpoint.shutdownWriting()
        #expect(try client.receive(untilSuffix: "\r\n\r\n") == early)
        try client.send("56789")
        _ = try endpoint.receive(exactly: 5)
        #expect(client.receive() == .end)
        client.shutdownWriting()
        try relay.expectIdle()
    }

    @Test func `the end of a client that asked for the last time is passed on to the endpoint`() throws {
        let (relay, listener) = try RelayHarness.single()
        let client = try TestConnection(port: relay.httpPort)
        try client.send("GET / HTTP/1.1\r\nHost: one.acme.test\r\nConnection: close\r\n\r\n")
        let endpoint = try listener.accept()
        _ = try endpoint.receive(untilSuffix: "\r\n\r\n")
        try endpoint.send(ok)
        _ = try client.receive(untilSuffix: "\r\n\r\nok")
        client.shutdownWriting()
        #expect(endpoint.receive() == .end)
        endpoint.shutdownWriting()
        #expect(client.receive() == .end)
        try relay.expectIdle()
    }

    @Test func `what a client sends behind its last request does not cost it the response`() throws {
        let (relay, listener) = try RelayHarness.single()
        for _ in 0..<5 {
            let client = try TestConnection(port: relay.httpPort)
            let last = "GET / HTTP/1.1\r\nHost: one.acme.test\r\nConnection: close\r\n\r\n"
            try client.send(last)
            let endpoint = try listener.accept()
            _ = try endpoint.receive(exactly: last.utf8.count)
            try client.send(get)
            let payload = String(repeating: "x", count: 500_000)
            let response = "HTTP/1.1 200 OK\r\nContent-Length: 500000\r\nConnection: close\r\n\r\n\(payload)"
            let sender = Foundation.Thread {
                try? endpoint.send(response)
                endpoint.shutdownWriting()
            }
            sender.start()
            let answer = client.receiveAll()
            #expect(answer.bytes.count == response.utf8.count)
            #expect(answer.end == .end)
        }
        try relay.expectIdle()
    }

    @Test func `a client that leaves while its request waits is let go when the response may not come any more`() throws
    {
        var settings = RelaySettings()
        settings.halfCloseTimeout = .seconds(1)
        settings.responseTimeout = .seconds(2)
        let (relay, listener) = try RelayHarness.single(settings)
        let endpoint = try {
            let client = try TestConnection(port: relay.httpPort)
            try client.send(get)
            return try listener.accept()
        }()
        _ = try endpoint.receive(exactly: get.utf8.count)
        #expect(endpoint.receive() == .end)
        #expect(relay.count(.halfCloseTimedOut) == 0)
        #expect(relay.count(.responseTimedOut) == 1)
        try relay.expectIdle()
    }

    @Test func `an answer of ours is whole and the flow over at once for a client that has ended its side`() throws {
        var settings = RelaySettings()
        // Nobody waits here for such a time to be over.
        settings.halfCloseTimeout = .seconds(3600)
        settings.helloTimeout = .seconds(3600)
        let (relay, _) = try RelayHarness.single(settings)
        let client = try TestConnection(port: relay.httpPort)
        relay.keepBusy()
        try client.send("GET / HTTP/1.1\r\nHost: nobody.test\r\n\r\n")
        client.shutdownWriting()
        #expect(client.receiveText().hasPrefix("HTTP/1.1 421 "))
        try relay.expectIdle()
    }

    @Test func `interim responses pass before the response, and a HEAD's response has no body`() throws {
        let (relay, listener) = try RelayHarness.single()
        let client = try TestConnection(port: relay.httpPort)
        try client.send("HEAD / HTTP/1.1\r\nHost: one.acme.test\r\n\r\n" + get)
        let endpoint = try listener.accept()
        _ = try endpoint.receive(untilSuffix: "\r\n\r\n")
        let first = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n"
        try endpoint.send(first)
        #expect(try endpoint.receive(exactly: get.utf8.count) == Array(get.utf8))
        try endpoint.send(ok)
        #expect(try client.receive(exactly: (first + ok).utf8.count) == Array((first + ok).utf8))
    }

    @Test func `an upgrade that the endpoint declines leaves the connection to the next request`() throws {
        let (relay, listener) = try RelayHarness.single()
        let client = try TestConnection(port: relay.httpPort)
        let upgrade = "GET / HTTP/1.1\r\nHost: one.acme.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
        try client.send(upgrade + get)
        let endpoint = try listener.accept()
        #expect(try endpoint.receive(exactly: upgrade.utf8.count) == Array(upgrade.utf8))
        try endpoint.send(ok)
        #expect(try endpoint.receive(exactly: get.utf8.count) == Array(get.utf8))
        try endpoint.send(ok)
        #expect(try client.receive(exactly: (ok + ok).utf8.count) == Array((ok + ok).utf8))
    }

    @Test
    func `an endpoint that leaves without a word or within a head is a 502, and one that stops in a body is an end`()
        throws
    {
        let (relay, listener) = try RelayHarness.single()
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"
        for said in ["", String(head.prefix(27)), head + "01234"] {
            let client = try TestConnection(port: relay.httpPort)
            try client.send(get)
            let endpoint = try listener.accept()
            _ = try endpoint.receive(exactly: get.utf8.count)
            try endpoint.send(said)
            endpoint.shutdownWriting()
            let text = client.receiveText()
            #expect(said.hasPrefix(head) ? text == said : text.hasPrefix("HTTP/1.1 502 "))
        }
        try relay.expectIdle()
    }
}
