import Glibc

/// A blocking TCP connection of a test, with a deadline on everything. Used by one thread at a time.
final class TCPConnection: @unchecked Sendable {
    let descriptor: Int32

    init(descriptor: Int32, patience: Duration = EndToEndTests.patience) {
        self.descriptor = descriptor
        setPatience(patience)
    }

    /// Connects, from an address of the test's choice if it matters who calls.
    convenience init(to place: Place, from source: String? = nil, patience: Duration = EndToEndTests.patience) throws {
        self.init(descriptor: try SystemSocket.make(for: place), patience: patience)
        if let source {
            guard SystemSocket.bind(descriptor, Place(address: source, port: 0)) else {
                throw Failure("cannot bind to \(source)")
            }
        }
        guard SystemSocket.connect(descriptor, place) else {
            throw Failure("cannot connect to \(place): errno \(errno)")
        }
    }

    /// Connects to a Unix socket instead.
    convenience init(toUnix path: String) throws {
        self.init(descriptor: try SystemSocket.make(AF_UNIX))
        guard SystemSocket.connect(descriptor, path: path) else {
            throw Failure("cannot connect to \(path): errno \(errno)")
        }
    }

    deinit { Glibc.close(descriptor) }

    func setPatience(_ patience: Duration) {
        let milliseconds = patience.milliseconds
        var time = timeval(tv_sec: milliseconds / 1000, tv_usec: milliseconds % 1000 * 1000)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            unsafe setsockopt(descriptor, SOL_SOCKET, option, &time, socklen_t(MemoryLayout<timeval>.size))
        }
    }

    func send(_ text: String) throws { try send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            let count = unsafe bytes.withUnsafeBytes {
                unsafe Glibc.send(
                    descriptor, $0.baseAddress.map { unsafe $0 + sent }, bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            // With a deadline a call is not taken up again after this process was stopped (signal(7)).
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Failure("send: errno \(errno)") }
            sent += count
        }
    }

    /// What one read brought.
    enum Read: Equatable {
        case bytes([UInt8])
        case end
        case reset
        /// Not a byte within the patience.
        case nothing
    }

    func receive(upTo count: Int = 65536) -> Read {
        var buffer = [UInt8](repeating: 0, count: count)
        var got = unsafe recv(descriptor, &buffer, count, 0)
        while got < 0, errno == EINTR { got = unsafe recv(descriptor, &buffer, count, 0) }
        if got > 0 { return .bytes(Array(buffer.prefix(got))) }
        if got == 0 { return .end }
        return errno == ECONNRESET || errno == EPIPE ? .reset : .nothing
    }

    func receive(exactly count: Int) throws -> [UInt8] {
        var all: [UInt8] = []
        while all.count < count {
            let read = receive(upTo: count - all.count)
            guard case .bytes(let bytes) = read else { throw Failure("\(read) after \(all.count) of \(count) bytes") }
            all += bytes
        }
        return all
    }

    /// Reads until what has come ends with `suffix`.
    func receive(until suffix: String) throws -> String {
        var all: [UInt8] = []
        let suffix = Array(suffix.utf8)
        while !all.suffix(suffix.count).elementsEqual(suffix) {
            let read = receive(upTo: 1)
            guard case .bytes(let bytes) = read else {
                throw Failure("\(read) after: \(String(decoding: all, as: UTF8.self))")
            }
            all += bytes
        }
        return String(decoding: all, as: UTF8.self)
    }

    /// Reads until the peer ends the stream, and how it did.
    func receiveAll() -> (text: String, end: Read) {
        var all: [UInt8] = []
        while true {
            switch receive() {
            case .bytes(let bytes): all += bytes
            case let end: return (String(decoding: all, as: UTF8.self), end)
            }
        }
    }

    /// One request of a series on this connection, and its answer, whose body has a Content-Length.
    func exchange(_ request: String) throws -> HTTPResponse {
        try send(request)
        return try receiveResponse()
    }

    func receiveResponse() throws -> HTTPResponse {
        var response = try HTTPResponse(head: receive(until: "\r\n\r\n"))
        if let length = response.fields["content-length"].flatMap(Int.init) {
            response.body = String(decoding: try receive(exactly: length), as: UTF8.self)
        }
        return response
    }

    func endWriting() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Sends a reset. The descriptor is closed by `deinit`.
    func reset() {
        var now = linger(l_onoff: 1, l_linger: 0)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &now, socklen_t(MemoryLayout<linger>.size))
        var nobody = sockaddr()
        nobody.sa_family = sa_family_t(AF_UNSPEC)
        unsafe _ = Glibc.connect(descriptor, &nobody, socklen_t(MemoryLayout<sockaddr>.size))
    }
}

/// An HTTP/1.1 response as it came.
struct HTTPResponse {
    let status: Int
    /// By name in lower case.
    let fields: [String: String]
    var body = ""

    init(head: String) throws {
        let lines = head.split(separator: "\r\n")
        guard let first = lines.first?.split(separator: " "), first.count > 1, let status = Int(first[1]) else {
            throw Failure("no HTTP response: \(head)")
        }
        self.status = status
        let pairs = lines.dropFirst().compactMap { line -> (String, String)? in
            guard let colon = line.firstIndex(of: ":") else { return nil }
            return (
                line[..<colon].lowercased(), line[line.index(after: colon)...].trimmingPrefix { $0 == " " }.description
            )
        }
        fields = Dictionary(pairs) { "\($0), \($1)" }
    }

    /// A whole response, read up to the end of its connection.
    init(whole text: String) throws {
        guard let gap = text.firstRange(of: "\r\n\r\n") else { throw Failure("no HTTP response: '\(text)'") }
        try self.init(head: String(text[..<gap.upperBound]))
        body = String(text[gap.upperBound...])
    }
}
