import Domain
import Routing
import Wire

/// A flow on its way from one process of this server to the next: all that the next one has to know beside the flow's
/// descriptors.
///
/// Taken between two rounds of a worker's events, so nothing is half done: what has been read and not been sent is
/// here, and the rest is in the kernel's sockets, whose descriptors travel beside it.
struct ParkedFlow: Equatable, Sendable {
    enum Stage: UInt8, Sendable {
        case opening = 1
        case dialling
        case relaying
        /// Of one connection, which has not been taken all that it was sent: its descriptor and its half are where the
        /// client's are.
        case lingering
    }

    struct Half: Equatable, Sendable {
        /// `Half.State`, as far as it is about the stream and not about the process.
        var state: UInt32 = 0
        var pending: [UInt8] = []
        var piped: [UInt8] = []
        var passable: UInt64 = .max
    }

    struct Message: Equatable, Sendable {
        var stage: UInt8 = 0
        var isChunked = false
        var inbox: [UInt8] = []
        var scanned: UInt32 = 0
        var left: UInt64 = 0
        var chunks = ChunkedBody.Position(kind: 0, count: 0, left: 0)
    }

    struct Exchange: Equatable, Sendable {
        var request = Message()
        var response = Message()
        var isHEAD = false
        var wantsUpgrade = false
        var awaitsContinue = false
        var closes = false
        var answered = false
        var requests: UInt32 = 0
    }

    var stage = Stage.relaying
    /// Of a flow that lingers.
    var endpointLingers = false
    var resetsAtEnd = false
    var awaitsProxyHeader = false
    /// Empty when the client has not said yet where it wants to go.
    var service = ""
    /// For how long nothing has passed, in tenths of a second.
    var idle: UInt32 = 0
    var source: TransportAddress?
    var destination: TransportAddress?
    var client = Half()
    var endpoint = Half()
    /// Of plain HTTP; nil by TLS.
    var exchange: Exchange?
}

/// The image of many parked flows, whose content is:
///
///     4 octets    how many records there are
///     a record    1 octet: how many descriptors it has; 4 octets: the length of the rest, which is the flow
///
/// Numbers are big-endian; a text or byte string has its length, 4 octets, in front. A record that another release has
/// written, and that cannot be read, is passed over by its length, and its descriptors are closed.
enum ParkedFlows {
    struct Record: Equatable, Sendable {
        let descriptors: Int
        /// Nil when it cannot be read.
        let flow: ParkedFlow?
    }

    static let image = SealedImage(kind: "DDFLOW", version: 1, of: "flows")

    static func octets(of flows: [(flow: ParkedFlow, descriptors: Int)]) -> [UInt8] {
        var body = ImageWriter()
        body.put(UInt32(truncatingIfNeeded: flows.count))
        for (flow, descriptors) in flows {
            body.put(UInt8(truncatingIfNeeded: descriptors))
            var record = ImageWriter()
            record.put(flow)
            body.put(record.octets)
        }
        return image.seal(body.octets)
    }

    static func records(in octets: [UInt8]) throws(SealedImage.Unusable) -> [Record] {
        var reader = ImageReader(Array(try image.open(octets)))
        guard let count = reader.uint32() else { throw SealedImage.Unusable(description: "it is cut short") }
        var records: [Record] = []
        for _ in 0..<count {
            guard let descriptors = reader.uint8(), let record = reader.bytes() else {
                throw SealedImage.Unusable(description: "it is cut short")
            }
            var flow = ImageReader(record)
            records.append(Record(descriptors: Int(descriptors), flow: flow.parkedFlow()))
        }
        return records
    }
}

/// Writes the parts of an image one after the other.
struct ImageWriter {
    private(set) var octets: [UInt8] = []

    mutating func put(_ number: UInt8) { octets.append(number) }
    mutating func put(_ flag: Bool) { octets.append(flag ? 1 : 0) }

    mutating func put(_ number: UInt32) {
        for shift: UInt32 in [24, 16, 8, 0] { octets.append(UInt8(truncatingIfNeeded: number >> shift)) }
    }

    mutating func put(_ number: UInt64) {
        put(UInt32(truncatingIfNeeded: number >> 32))
        put(UInt32(truncatingIfNeeded: number))
    }

    mutating func put(_ bytes: [UInt8]) {
        put(UInt32(truncatingIfNeeded: bytes.count))
        octets += bytes
    }

    mutating func put(_ address: TransportAddress?) {
        guard let address else { return put(UInt8(0)) }
        put(address.address.family.rawValue)
        put(UInt64(truncatingIfNeeded: address.address.bits >> 64))
        put(UInt64(truncatingIfNeeded: address.address.bits))
        put(UInt32(address.port))
    }

    mutating func put(_ half: ParkedFlow.Half) {
        put(half.state)
        put(half.pending)
        put(half.piped)
        put(half.passable)
    }

    mutating func put(_ message: ParkedFlow.Message) {
        put(message.stage)
        put(message.isChunked)
        put(message.inbox)
        put(message.scanned)
        put(message.left)
        put(message.chunks.kind)
        put(message.chunks.count)
        put(message.chunks.left)
    }

    mutating func put(_ flow: ParkedFlow) {
        put(flow.stage.rawValue)
        put(flow.awaitsProxyHeader)
        put(Array(flow.service.utf8))
        put(flow.idle)
        put(flow.source)
        put(flow.destination)
        put(flow.client)
        put(flow.endpoint)
        put(flow.exchange != nil)
        if flow.stage == .lingering {
            put(flow.endpointLingers)
            put(flow.resetsAtEnd)
        }
        guard let exchange = flow.exchange else { return }
        put(exchange.request)
        put(exchange.response)
        for flag in [
            exchange.isHEAD, exchange.wantsUpgrade, exchange.awaitsContinue, exchange.closes, exchange.answered,
        ] {
            put(flag)
        }
        put(exchange.requests)
    }
}

/// Reads the parts of an image; each answers nil when it is not there, or is not what it has to be.
struct ImageReader {
    private let octets: [UInt8]
    private var position = 0

    init(_ octets: [UInt8]) { self.octets = octets }

    private var isAtEnd: Bool { position == octets.count }

    mutating func uint8() -> UInt8? {
        guard position < octets.count else { return nil }
        position += 1
        return octets[position - 1]
    }

    mutating func flag() -> Bool? { uint8().flatMap { $0 < 2 ? $0 == 1 : nil } }

    mutating func uint32() -> UInt32? {
        guard octets.count - position >= 4 else { return nil }
        position += 4
        return octets[position - 4..<position].reduce(0) { $0 << 8 | UInt32($1) }
    }

    mutating func uint64() -> UInt64? {
        guard let high = uint32(), let low = uint32() else { return nil }
        return UInt64(high) << 32 | UInt64(low)
    }

    mutating func bytes() -> [UInt8]? {
        guard let count = uint32(), Int(count) <= octets.count - position else { return nil }
        position += Int(count)
        return Array(octets[position - Int(count)..<position])
    }

    /// An address or none.
    private mutating func address() -> TransportAddress?? {
        guard let family = uint8() else { return nil }
        if family == 0 { return .some(nil) }
        guard let high = uint64(), let low = uint64(), let port = uint32().flatMap({ UInt16(exactly: $0) }) else {
            return nil
        }
        switch Address.Family(rawValue: family) {
        case .ipv4?: return UInt32(exactly: low).map { TransportAddress(Address(ipv4: $0), port: port) }
        case .ipv6?: return TransportAddress(Address(ipv6: UInt128(high) << 64 | UInt128(low)), port: port)
        case nil: return nil
        }
    }

    private mutating func half() -> ParkedFlow.Half? {
        guard let state = uint32(), let pending = bytes(), let piped = bytes(), let passable = uint64() else {
            return nil
        }
        return ParkedFlow.Half(state: state, pending: pending, piped: piped, passable: passable)
    }

    private mutating func message() -> ParkedFlow.Message? {
        guard let stage = uint8(), let isChunked = flag(), let inbox = bytes(), let scanned = uint32(),
            let left = uint64(), let kind = uint8(), let count = uint32(), let ofChunk = uint64()
        else { return nil }
        return ParkedFlow.Message(
            stage: stage, isChunked: isChunked, inbox: inbox, scanned: scanned, left: left,
            chunks: ChunkedBody.Position(kind: kind, count: count, left: ofChunk))
    }

    /// A whole record's flow.
    mutating func parkedFlow() -> ParkedFlow? {
        var flow = ParkedFlow()
        guard let stage = uint8().flatMap(ParkedFlow.Stage.init), let awaits = flag(), let service = bytes(),
            let idle = uint32(), let source = address(), let destination = address(), let client = half(),
            let endpoint = half(), let isHTTP = flag()
        else { return nil }
        flow.stage = stage
        flow.awaitsProxyHeader = awaits
        flow.service = String(decoding: service, as: UTF8.self)
        flow.idle = idle
        flow.source = source
        flow.destination = destination
        flow.client = client
        flow.endpoint = endpoint
        if stage == .lingering {
            guard let endpointLingers = flag(), let resetsAtEnd = flag(), !isHTTP else { return nil }
            flow.endpointLingers = endpointLingers
            flow.resetsAtEnd = resetsAtEnd
        }
        if isHTTP {
            var exchange = ParkedFlow.Exchange()
            guard let request = message(), let response = message(), let isHEAD = flag(), let wantsUpgrade = flag(),
                let awaitsContinue = flag(), let closes = flag(), let answered = flag(), let requests = uint32()
            else { return nil }
            exchange.request = request
            exchange.response = response
            exchange.isHEAD = isHEAD
            exchange.wantsUpgrade = wantsUpgrade
            exchange.awaitsContinue = awaitsContinue
            exchange.closes = closes
            exchange.answered = answered
            exchange.requests = requests
            flow.exchange = exchange
        }
        return isAtEnd ? flow : nil
    }
}
