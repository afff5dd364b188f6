import Domain
import Routing
import Syscalls

/// The bytes of an exchange, of whichever direction: read into an inbox, followed to the end of a body, handed to the
/// relay.
extension Worker {
    /// Does what following a body or a head came to. Nil when the body has ended.
    mutating func settle(_ half: HalfIndex, _ following: Following) -> Progress? {
        switch following {
        case .moves: return .moves
        case .waits: return .waits
        case .ended: return nil
        case .malformed: cutMalformed(half)
        case .failed(let answer): fail(half, answer)
        case .noMemory: cutForMemory(half.flow)
        }
        return .gone
    }

    /// Ends a flow of which one message cannot be followed. A client is told why, unless a part of another answer is on
    /// its way already; an endpoint must not take what it has for a whole request.
    private mutating func cutMalformed(_ half: HalfIndex) {
        let flow = half.flow
        note(half.isClient ? .requestBodyMalformed : .responseMalformed, flow: flow)
        guard half.isClient, exchanges[flow].response.stage == .head, halves[flow.endpoint].isDry else {
            return close(flow, reset: true)
        }
        closeHalf(flow.endpoint, reset: true)
        answer(flow, .malformedBody)
    }

    /// Moves what may pass of a body.
    mutating func followBody(_ half: HalfIndex, _ message: inout Exchange.Message) -> Following {
        if half.isClient, exchanges[half.flow].awaitsContinue {
            guard message.count > 0 || halves[half].state.contains(.readable) else { return .waits }
            exchanges[half.flow].awaitsContinue = false  // it waits no longer
        }
        while true {
            if !message.isChunked {
                if message.left == 0 { return .ended }
                if message.count > 0 {
                    let count = Int(min(message.left, UInt64(message.count)))
                    if message.left != Half.unbounded { message.left &-= UInt64(count) }
                    return handOver(&message, count, half)
                }
                halves[half].passable = message.left
                if message.left != Half.unbounded { message.left = 0 }
                return .moves
            }
            if message.count > 0 {
                let outcome = message.inbox.withSpan(Int(message.offset), Int(message.count)) {
                    message.chunked.follow($0)
                }
                switch outcome {
                case .pass(let count): return handOver(&message, count, half)
                case .drop(let count):
                    skip(&message, count)
                    continue
                case .wait: break
                case .ended(let count):
                    message.isChunked = false
                    message.left = 0
                    return handOver(&message, count, half)
                case .malformed: return .malformed
                }
            }
            if message.chunked.passable > 0 {
                let count = message.chunked.passable
                halves[half].passable = count
                message.chunked.passed(count)
                return .moves
            }
            switch fill(half, &message) {
            case .some:
                if half.isClient { countUp(Int(message.lastRead), half.flow) }
            case .nothing: return .waits
            case .ended:
                halves[half].state.insert(.ended)
                return .moves
            case .failed(let answer): return .failed(answer)
            case .noMemory: return .noMemory
            }
        }
    }

    /// Lets the next `count` bytes of the inbox pass. The buffer itself goes when nothing stays behind.
    mutating func handOver(_ message: inout Exchange.Message, _ count: Int, _ half: HalfIndex) -> Following {
        guard count > 0 else { return .moves }
        if count == Int(message.count) {
            halves[half].pending = message.inbox
            halves[half].pendingOffset = message.offset
            message.inbox = Buffer()
            message.offset = 0
            message.count = 0
        } else {
            let buffer = borrow(count, for: half.flow)
            guard buffer.exists else { return .noMemory }
            buffer.copy(count, from: message.inbox, at: Int(message.offset), to: 0)
            halves[half].pending = buffer
            halves[half].pendingOffset = 0
            message.offset &+= Int32(count)
            message.count &-= Int32(count)
        }
        halves[half].pendingCount = Int32(count)
        return .moves
    }

    /// Takes the next `count` bytes off the inbox, for good. The buffer goes with the last of them.
    mutating func skip(_ message: inout Exchange.Message, _ count: Int) {
        message.offset &+= Int32(count)
        message.count &-= Int32(count)
        guard message.count == 0 else { return }
        buffers.give(&message.inbox)
        message.offset = 0
    }

    /// Reads once into a message's inbox. The first look is taken in the scratch memory, so an idle direction holds
    /// nothing.
    mutating func fill(_ half: HalfIndex, _ message: inout Exchange.Message) -> Fill {
        guard halves[half].state.contains(.readable) else { return .nothing }
        if message.inbox.exists, message.offset &+ message.count == message.inbox.capacity,
            !makeRoom(&message, half.flow)
        {
            return .noMemory
        }
        let into = message.inbox.exists ? message.inbox : scratch
        let have = message.inbox.exists ? Int(message.offset &+ message.count) : 0
        let room = min(Int(into.capacity) - have, mostToRead(half))
        let answer = halves[half].socket.receive(into: into, at: have, upTo: room)
        if answer.value <= 0 {
            if answer.value == 0 { return halves[half].state.contains(.wasReset) ? .failed(.reset) : .ended }
            guard answer.wouldBlock else { return .failed(answer) }
            halves[half].state.remove(.readable)
            return .nothing
        }
        let count = answer.value
        if count < room, halves[half].state.isDisjoint(with: [.urgent, .failed, .peerClosed]) {
            halves[half].state.remove(.readable)
        }
        if !message.inbox.exists {
            let buffer = borrow(count, for: half.flow)
            guard buffer.exists else { return .noMemory }
            buffer.copy(count, from: scratch, at: 0, to: 0)
            message.inbox = buffer
            message.offset = 0
        }
        message.count &+= Int32(count)
        message.lastRead = Int32(count)
        return .some
    }

    /// Makes room behind what an inbox holds. False when there is none to be had.
    private mutating func makeRoom(_ message: inout Exchange.Message, _ flow: FlowIndex) -> Bool {
        if message.offset > 0 {
            message.inbox.copy(Int(message.count), from: message.inbox, at: Int(message.offset), to: 0)
            message.offset = 0
            return true
        }
        return enlarge(&message.inbox, Int(message.count), for: flow)
    }
}

extension Exchange.Message {
    /// Begins the body that a head has announced, whose Connection field names the fields `named`.
    mutating func begin(_ framing: BodyFraming, from sender: ChunkedBody.Sender, named: NamedFields = NamedFields()) {
        stage = .body
        isChunked = false
        left = 0
        switch framing {
        case .none: break
        case .length(let count): left = count
        case .chunked:
            isChunked = true
            chunked = ChunkedBody(from: sender, named: named)
        case .untilClose: left = Half.unbounded
        }
    }
}
