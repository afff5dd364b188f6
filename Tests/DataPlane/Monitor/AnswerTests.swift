import Domain
import Syscalls
import Testing

@testable import DataPlane

@Suite struct `What is asked` {
    private func question(_ line: String) -> Question { Question(head: Array("\(line)\r\nHost: x\r\n\r\n".utf8).span) }

    @Test(arguments: [
        ("GET /metrics HTTP/1.1", "/metrics"), ("GET /metrics?a=b HTTP/1.1", "/metrics"), ("GET / HTTP/1.0", "/"),
        ("GET http://127.0.0.1:7081/readyz HTTP/1.1", "/readyz"), ("GET HTTP://x/a?b HTTP/1.1", "/a"),
        ("GET http://x HTTP/1.1", "/"), ("GET http://x?y HTTP/1.1", "/"), ("OPTIONS * HTTP/1.1", "*"),
    ])
    func `is a path, whatever the form of the target`(line: String, path: String) {
        #expect(question(line).path == path)
    }

    @Test func `is asked with GET or HEAD, in capitals, or with another method`() {
        #expect(question("GET / HTTP/1.1").method == .get)
        #expect(question("HEAD / HTTP/1.1").method == .head)
        #expect(question("POST / HTTP/1.1").method == .other)
        #expect(question("get / HTTP/1.1").method == .other)
    }

    @Test(arguments: ["", " ", "GET", "GET ", "\r\n", "GET\r\n/metrics"])
    func `does no harm when it is no request line at all`(line: String) {
        #expect(Question(head: Array(line.utf8).span).path.isEmpty)
    }
}

@Suite struct `The monitor's answer` {
    private let time = UTCTime(nanosecondsSince1970: 1_767_225_600_123_000_000)
    private let get = Question(head: Array("GET /anything HTTP/1.1\r\n".utf8).span)

    private func answer(_ board: StatusBoard) -> Answer { MonitorAnswer.to(get, status: board.current, time: time) }

    @Test func `names the server, its region, its version and the time, and is kept by no cache`() throws {
        let answer = answer(try Samples.servingBoard())
        #expect(answer.status == 200)
        #expect(answer.contentType == "application/json")
        #expect(answer.fields == ["Cache-Control: no-store"])
        #expect(
            String(decoding: answer.body, as: UTF8.self)
                == #"{"server":"za1","region":"af-south-1","version":42,"state":"serving","time":"2026-01-01T00:00:00.123Z"}"#
                + "\n")
    }

    @Test func `is 503 with the same body while draining`() throws {
        let board = try Samples.servingBoard()
        board.stage(.draining)
        #expect(answer(board).status == 503)
        #expect(String(decoding: answer(board).body, as: UTF8.self).contains(#""version":42,"state":"draining""#))
    }

    @Test func `is 503 while starting, when region and version are not known`() throws {
        let body = String(decoding: answer(try Samples.board()).body, as: UTF8.self)
        #expect(answer(try Samples.board()).status == 503)
        #expect(body.contains(#""server":"za1","region":null,"version":null,"state":"starting""#))
    }
}

@Suite struct `The admin listener's answer` {
    private func answer(_ line: String, _ board: StatusBoard) -> Answer {
        AdminAnswer.to(Question(head: Array("\(line) HTTP/1.1\r\n".utf8).span), status: board.current) { _ in [] }
    }

    private func readiness(_ board: StatusBoard) -> String {
        let answer = answer("GET /readyz", board)
        return "\(answer.status) \(String(decoding: answer.body, as: UTF8.self))"
    }

    @Test func `to anything else is 404, and to another method 405`() throws {
        let board = try Samples.servingBoard()
        #expect(answer("GET /", board).status == 404)
        #expect(answer("POST /metrics", board).status == 405)
        #expect(answer("DELETE /healthz", board).fields == ["Allow: GET, HEAD"])
        #expect(answer("GET /metrics", board).contentType == "text/plain; version=0.0.4; charset=utf-8")
    }

    @Test func `about health names the thread that makes no progress`() throws {
        let board = try Samples.board()
        #expect(answer("GET /healthz", board).status == 200)
        board.setAilments([ThreadAilment(thread: "worker-3", loss: .ofTraffic, kind: .stuck)], at: .zero)
        #expect(answer("GET /healthz", board) == .text(503, "Thread worker-3 makes no progress."))
    }

    @Test func `about health names the main thread when that has looked after the others too long ago`() throws {
        let board = try Samples.servingBoard()
        #expect(board.status(at: .seconds(1000)).ailments.isEmpty, "it has not begun")
        board.setAilments([], at: .seconds(1000))
        #expect(board.status(at: .seconds(1010)).ailments.isEmpty)
        let status = board.status(at: .seconds(1011))
        #expect(status.ailments == [ThreadAilment(thread: "main", loss: .ofTraffic, kind: .stuck)])
        #expect(status.unreadiness == "Thread main makes no progress.")
        board.setAilments([], at: .seconds(1011))
        #expect(board.status(at: .seconds(1012)).ailments.isEmpty)
    }

    @Test func `about readiness says why not`() throws {
        let board = try Samples.board()
        #expect(readiness(board) == "503 There is no snapshot yet, and no connection to the control plane.\n")
        board.connected(true)
        #expect(readiness(board) == "503 The control plane has not sent a snapshot yet.\n")
        board.refused(SnapshotVersion(42), reasons: ["one reason", "another"])
        #expect(readiness(board) == "503 Snapshot 42 was refused: one reason; another.\n")
        board.applied(try Samples.applied(43))
        #expect(readiness(board) == "503 The listeners are not open yet.\n")
        board.stage(.serving)
        #expect(readiness(board) == "200 ok\n")
        // Serving goes on with the last good snapshot, whatever the control plane does.
        board.refused(SnapshotVersion(44), reasons: ["no"])
        board.connected(false)
        #expect(readiness(board) == "200 ok\n")
        board.stage(.draining)
        #expect(readiness(board) == "503 This server is draining and takes no new connections.\n")
    }
}
