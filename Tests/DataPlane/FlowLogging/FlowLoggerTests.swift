import Domain
import Foundation
import Glibc
import JSON
import Logging
import Routing
import Syscalls
import Testing

@testable import DataPlane

@Suite struct `The flow log` {
    private func record(_ age: UInt64 = 1234) throws -> FlowRecord {
        FlowRecord(
            event: .end, isHTTP: false, rule: .domain, oneIn: 1, service: 2, generation: 1,
            time: 1_767_225_600_042_000_000, client: try TransportAddress("192.0.2.7:40000"),
            called: try TransportAddress("198.51.100.1:443"), name: try #require(RoutingName("shop.acme.test")),
            endpoint: try TransportAddress("[2001:db8::1]:8443"), target: 0, age: age, connectedAfter: 12,
            answeredAfter: 30, bytesUp: 517, bytesDown: 90_000, requests: 0, status: 0, ending: nil)
    }

    private func text(_ record: FlowRecord, service: String? = "shop") -> String {
        String(decoding: FlowLine(record: record, server: "za1", service: service).rendered(), as: UTF8.self)
    }

    @Test func `has a JSON object for each flow`() throws {
        #expect(
            text(try record())
                == #"{"time":"2026-01-01T00:00:00.042Z","event":"end","server":"za1","service":"shop","protocol":"https","#
                + #""client":"192.0.2.7:40000","called":"198.51.100.1:443","name":"shop.acme.test","rule":"domain","#
                + #""endpoint":"[2001:db8::1]:8443","target":"endpoint","bytesUp":517,"bytesDown":90000,"milliseconds":1234,"#
                + #""connectedAfter":12,"answeredAfter":30,"ending":"closed"}"# + "\n")
    }

    @Test func `leaves out what is not known`() throws {
        var record = try record()
        record.isHTTP = true
        record.client = nil
        record.name = RoutingName()
        record.endpoint = nil
        record.target = nil
        record.rule = .none
        record.connectedAfter = 0
        record.answeredAfter = 0
        record.status = 502
        record.oneIn = 10
        record.ending = .endpointUnreachable
        #expect(
            text(record, service: nil)
                == #"{"time":"2026-01-01T00:00:00.042Z","event":"end","server":"za1","protocol":"http","#
                + #""called":"198.51.100.1:443","bytesUp":517,"bytesDown":90000,"milliseconds":1234,"requests":0,"#
                + #""status":502,"ending":"endpoint_unreachable","oneIn":10}"# + "\n")
    }

    @Test func `has no name that a device could break out of its line with`() throws {
        var record = try record()
        record.name = try #require(RoutingName("a\"b\\c\n{\u{1}é"))
        let line = text(record)
        #expect(line.hasSuffix("}\n") && line.count { $0 == "\n" } == 1)
        #expect(try JSONValue.parse(line.utf8)["name"].text == record.name.description)
    }

    // MARK: A socket

    /// A Unix socket of datagrams on which somebody listens.
    private final class Collector {
        let path: String
        private let descriptor: Int32

        init() throws {
            path = FileManager.default.temporaryDirectory.path + "/flows-\(UUID().uuidString.prefix(8))"
            descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
            try listen()
        }

        private func listen() throws {
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            let octets = Array(path.utf8)
            guard octets.count < 107 else { throw NotInTime(description: "the path is too long: \(path)") }
            unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: octets) }
            let outcome = unsafe withUnsafePointer(to: &address) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
            guard outcome == 0 else { throw NotInTime(description: "bind: errno \(errno)") }
        }

        deinit {
            close(descriptor)
            unsafe _ = unlink(path)
        }

        func line() throws -> String {
            var room = [UInt8](repeating: 0, count: 4096)
            var got = -1
            try eventually("a line of the flow log") {
                got = unsafe recv(descriptor, &room, room.count, 0)
                return got >= 0
            }
            return String(decoding: room.prefix(got), as: UTF8.self)
        }
    }

    private func run(_ logger: FlowLogger, _ body: () throws -> Void) throws {
        let thread = try JoinableThread(named: "flow-log") { logger.run() }
        defer {
            logger.mailbox.post(.stop)
            thread.join()
        }
        try body()
    }

    private func logger(_ ring: RecordRing<FlowRecord>, to path: String) throws -> FlowLogger {
        try FlowLogger(
            rings: [ring], server: ServerName("za1"), destination: .socket(path: path), isJournal: true,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
    }

    @Test func `goes to a socket, a line in each datagram, with the name that the slot had`() throws {
        let ring = try RecordRing<FlowRecord>(capacity: 16)
        let collector = try Collector()
        let logger = try logger(ring, to: collector.path)
        try run(logger) {
            logger.mailbox.post(.tenants([ServiceSlots.Tenant(slot: 2, name: "shop")], generation: 1))
            for age in 1...2 as ClosedRange<UInt64> { _ = ring.append(try record(age)) }
            let lines = try [collector.line(), collector.line()]
            #expect(lines.allSatisfy { $0.hasPrefix("{") && $0.hasSuffix("}") && $0.contains(#""service":"shop""#) })
            #expect(lines[0].contains(#""milliseconds":1,"#) && lines[1].contains(#""milliseconds":2,"#))
            try eventually("the count") { logger.linesWritten == 2 }
        }
        #expect(logger.linesLost == 0)
    }

    @Test func `loses and counts what nobody listens for, and goes on when somebody does`() throws {
        let ring = try RecordRing<FlowRecord>(capacity: 16)
        var collector: Collector? = try Collector()
        let path = try #require(collector).path
        collector = nil
        let logger = try logger(ring, to: path)
        try run(logger) {
            _ = ring.append(try record())
            try eventually("the loss") { logger.linesLost == 1 }
            #expect(logger.linesWritten == 0)
        }
    }

    @Test func `waits for a reader that is slow, and loses nothing as long as there is room`() throws {
        let ring = try RecordRing<FlowRecord>(capacity: 8192)
        let collector = try Collector()
        let logger = try logger(ring, to: collector.path)
        try run(logger) {
            // A socket holds some (net.unix.max_dgram_qlen); the rest waits in the ring.
            for age in 1...2000 as ClosedRange<UInt64> {
                let isTaken = ring.append(try record(age))
                #expect(isTaken)
            }
            for age in 1...2000 {
                let line = try collector.line()
                #expect(line.contains("\"milliseconds\":\(age),"))
            }
        }
        #expect(logger.linesWritten == 2000 && logger.linesLost == 0)
    }

    @Test func `follows a reader that goes on, as fast as that one is`() throws {
        let count = 8000
        let ring = try RecordRing<FlowRecord>(capacity: 8192)
        let collector = try Collector()
        let logger = try logger(ring, to: collector.path)
        try run(logger) {
            for age in 1...UInt64(count) { _ = ring.append(try record(age)) }
            let began = ContinuousClock.now
            for age in 1...count { #expect(try collector.line().contains("\"milliseconds\":\(age),")) }
            // Some thousand lines a second, and 200 on a machine that is slow beyond belief. One that looked for room
            // ten times a second would write 110 where a socket holds eleven datagrams, as the kernel has it by itself
            // (net.unix.max_dgram_qlen).
            #expect(ContinuousClock.now - began < .seconds(40))
        }
        #expect(logger.linesWritten == UInt64(count) && logger.linesLost == 0)
    }

    @Test(arguments: ["", "syslog", "unix:", "unix:relative", "/run/collector.sock"])
    func `goes nowhere that it cannot go`(text: String) {
        #expect(throws: InvalidValue.self) { try FlowLogDestination(text) }
    }

    @Test func `goes to standard output, or to a socket`() throws {
        #expect(try FlowLogDestination("stdout") == .standardOutput)
        #expect(try FlowLogDestination("unix:/run/c.sock") == .socket(path: "/run/c.sock"))
    }
}
