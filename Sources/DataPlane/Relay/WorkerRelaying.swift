import Syscalls

/// Moving bytes between the two halves of a flow.
extension Worker {
    /// A read that brings this much at once is the beginning of a large transfer.
    private static var bulkRead: Int { 32768 }
    /// A spliced move smaller than this did not pay; after `smallMovesInARow` of them the direction goes back to
    /// copying.
    private static var smallMove: Int { 8192 }
    private static var smallMovesInARow: UInt8 { 8 }
    /// What a direction may move in one turn: a pipe full, some 50 µs.
    private static var turnBytes: Int { 262_144 }
    /// Turns of one direction, with others in between that have little to say, before the next one that moves much has
    /// its own: 8 MiB, more than a socket's queue holds. If directions changed places after each turn, every queue
    /// would be full at all times, and each read would wake a sender to send a little: that cost 1.5 to 2.5 times the
    /// CPU per gigabyte.
    private static var turnsInARow: Int32 { 32 }
    /// Moves in one turn: reads, and heads or chunks that pass one by one.
    private static var turnMoves: Int { 16 }
    /// How long turns of those that move much may follow each other before epoll is asked who else has come: one full
    /// turn, or several small ones. A small message waits for so long on each way, and for no queue. To ask costs 1 µs,
    /// and with 200 µs a gigabyte was no cheaper.
    static var bulkNanoseconds: UInt64 { 50_000 }

    /// What is left of one turn.
    private struct Turn {
        var moves = Worker.turnMoves
        var bytes = Worker.turnBytes
        var isOver: Bool { moves <= 0 || bytes <= 0 }
    }

    /// What a step of `pump` leaves to do.
    private enum Step {
        /// The next step may succeed.
        case goesOn
        /// Nothing, until an event or the next turn.
        case waits
        /// Nothing any more: the flow is gone.
        case gone
    }

    /// Takes in what epoll says about a half.
    @inline(__always) mutating func handle(_ tag: UInt64, _ events: EpollEvents) {
        let halves = halves
        let index = HalfIndex(Int32(truncatingIfNeeded: tag & 0xFFFF_FFFF))
        guard halves[index].generation == UInt32(truncatingIfNeeded: tag >> 32), halves[index].socket.exists else {
            return
        }
        if !events.isDisjoint(with: [.readable, .peerClosed, .hangUp, .error]) {
            halves[index].state.insert(.readable)
        }
        if events.contains(.peerClosed) { halves[index].state.insert(.peerClosed) }
        if events.contains(.urgent) {
            // Splice never gets past urgent data.
            halves[index].state.insert(.urgent)
            halves[index].state.remove(.bulk)
        }
        if !events.isDisjoint(with: [.error, .hangUp]) { halves[index].state.insert(.failed) }
        let flow = index.flow
        switch flows[flow].stage {
        case .relaying:
            flows[flow].lastActive = tick
            let becameWritable =
                events.contains(.writable) && halves[index].state.isDisjoint(with: [.writable, .deaf])
            if becameWritable { halves[index].state.insert(.writable) }
            if halves[index].state.contains(.readable), !attend(index) { return }
            if becameWritable { _ = attend(index.other) }
        case .opening: readOpening(flow)
        case .dialling:
            if index.isEndpoint {
                handleAttempt(flow, events)
            } else if !events.isDisjoint(with: [.error, .hangUp]) {
                note(.clientReset, flow: flow)
                close(flow)
            }
        case .lingering: discardInput(flow)
        case .free: break
        }
    }

    /// Pumps a half about which there is news: at once, or in its turn when it moves much. False when the flow is gone.
    @inline(__always) private mutating func attend(_ half: HalfIndex) -> Bool {
        guard halves[half].isQueued || halves[half].state.contains(.bulk) else { return pump(half) }
        enqueue(half, isBulk: true)
        return true
    }

    /// Notes that a half's socket has no room, and has epoll say when it has.
    private mutating func armWriting(_ half: HalfIndex) {
        halves[half].state.remove(.writable)
        halves[half].state.insert(.wasFull)
        guard !halves[half].state.contains(.armedOut) else { return }
        halves[half].state.insert(.armedOut)
        let answer = epoll.modify(
            halves[half].socket.number, [.readable, .writable, .peerClosed, .urgent, .edgeTriggered], tag: tag(half))
        if answer.isError { endUnwatched(half, answer) }
    }

    /// Moves bytes that arrive at half `source` to the other, until nothing is left, the other has no room, or the turn
    /// is over. False when the flow is gone.
    mutating func pump(_ source: HalfIndex) -> Bool {
        var turn = Turn()
        while true {
            switch nextStep(source, &turn) {
            case .goesOn: continue
            case .waits: return true
            case .gone: return false
            }
        }
    }

    /// Ends the turn of a half that could go on. It keeps its place before the others of its kind until it has had its
    /// turns in a row.
    private mutating func giveWay(_ half: HalfIndex) {
        guard half == served, servedTurns < Worker.turnsInARow, !halves[half].isQueued else {
            if half == served { served = .none }
            return enqueue(half, isBulk: true)
        }
        servedTurns &+= 1
        halves[half].isQueued = true
        bulk.prepend(half)
    }

    /// What has been read goes first, then the end, and only then more is read: so nothing overtakes anything.
    @inline(__always) private mutating func nextStep(_ source: HalfIndex, _ turn: inout Turn) -> Step {
        let halves = halves
        let sink = source.other
        if !halves[source].isDry {
            guard halves[sink].state.contains(.writable) else { return .waits }
            return halves[source].pendingCount > 0 ? flushPending(source) : emptyPipe(source)
        }
        if halves[source].state.contains(.ended) { return passEnd(source) ? .waits : .gone }
        if turn.isOver {
            giveWay(source)
            return .waits
        }
        turn.moves &-= 1
        if halves[source].passable == 0 { return followOn(source) }
        // Reading only what can be passed on is all the backpressure there is.
        guard halves[source].state.contains(.readable), halves[sink].state.contains(.writable) else { return .waits }
        return halves[source].state.contains(.bulk) ? fillPipe(source, &turn) : copy(source, &turn)
    }

    /// Sends pending bytes as far as there is room.
    @inline(__always) private mutating func flushPending(_ source: HalfIndex) -> Step {
        let sink = source.other
        sendPromptly(sink)
        let sent = halves[sink].socket.send(
            halves[source].pending, at: Int(halves[source].pendingOffset), count: Int(halves[source].pendingCount))
        if sent.isError {
            guard sent.wouldBlock else { return sendFailed(sink, sent) ? .waits : .gone }
            armWriting(sink)
            return .waits
        }
        countSent(sent.value, from: source)
        halves[source].pendingOffset &+= Int32(sent.value)
        halves[source].pendingCount &-= Int32(sent.value)
        if halves[source].pendingCount > 0 {
            armWriting(sink)
            return .waits
        }
        buffers.give(&halves[source].pending)
        halves[source].pendingOffset = 0
        return .goesOn
    }

    /// Splices what is in the pipe on, as far as there is room.
    @inline(__always) private mutating func emptyPipe(_ source: HalfIndex) -> Step {
        let halves = halves
        let sink = source.other
        let answer = halves[sink].socket.splice(from: halves[source].pipe, count: Int(halves[source].piped))
        if answer.isError {
            guard answer.wouldBlock else { return sendFailed(sink, answer) ? .waits : .gone }
            armWriting(sink)
            return .waits
        }
        halves[source].piped &-= Int32(answer.value)
        countSent(answer.value, from: source)
        if halves[source].piped == 0 { pipes.give(&halves[source].pipe, of: flows[source.flow].service) }
        return .goesOn
    }

    /// Of plain HTTP: looks at the next bytes, since all that were let pass have passed.
    @inline(__always) private mutating func followOn(_ source: HalfIndex) -> Step {
        guard !halves[source.other].state.contains(.deaf) else { return .waits }
        switch follow(source) {
        case .moves: return .goesOn
        case .waits: return .waits
        case .gone: return .gone
        }
    }

    /// Splices what has come into a pipe.
    @inline(__always) private mutating func fillPipe(_ source: HalfIndex, _ turn: inout Turn) -> Step {
        let halves = halves
        if !halves[source].pipe.exists {
            halves[source].pipe = pipes.lend(at: now, for: flows[source.flow].service)
            if !halves[source].pipe.exists {
                halves[source].state.remove(.bulk)
                return .goesOn
            }
        }
        let most = Int(min(halves[source].passable, UInt64(PipePool.capacity)))
        let answer = halves[source].socket.splice(into: halves[source].pipe, upTo: most)
        if answer.value > 0 {
            halves[source].piped = Int32(answer.value)
            turn.bytes &-= answer.value
            countRead(answer.value, source)
            counters.add(UInt64(answer.value), .bytesSpliced)
            judgeMove(source, answer.value)
            return .goesOn
        }
        pipes.give(&halves[source].pipe, of: flows[source.flow].service)
        if answer.wouldBlock {
            halves[source].state.remove(.readable)
            return .waits
        }
        guard answer.value == 0 else {
            fail(source, answer)
            return .gone
        }
        // The end, or urgent data with the end behind it, which splice never gets past: a read tells which.
        halves[source].state.remove(.bulk)
        return .goesOn
    }

    /// Has a direction go back to copying once splicing has not paid for a while.
    @inline(__always) private func judgeMove(_ source: HalfIndex, _ count: Int) {
        if count >= Worker.smallMove {
            halves[source].smallMoves = 0
        } else {
            halves[source].smallMoves &+= 1
            if halves[source].smallMoves > Worker.smallMovesInARow {
                halves[source].state.remove(.bulk)
                halves[source].smallMoves = 0
            }
        }
    }

    /// Reads into the scratch memory and sends from it at once; what finds no room is kept.
    @inline(__always) private mutating func copy(_ source: HalfIndex, _ turn: inout Turn) -> Step {
        let halves = halves
        let sink = source.other
        let most = Int(min(halves[source].passable, UInt64(mostToRead(source))))
        let answer = halves[source].socket.receive(into: scratch, at: 0, upTo: most)
        guard answer.value > 0 else { return readNothing(source, answer) }
        let count = answer.value
        turn.bytes &-= count
        countRead(count, source)
        counters.add(UInt64(count), .bytesCopied)
        if count < most, halves[source].state.isDisjoint(with: [.urgent, .failed]) {
            // Drained. When the peer's FIN is here already, this was the end of its stream, and the read that would
            // tell can be saved.
            if halves[source].state.contains(.peerClosed) {
                halves[source].state.insert(.ended)
            } else {
                halves[source].state.remove(.readable)
            }
        }
        // All that was asked for has come, so there is more.
        let isMuch = count >= min(Worker.bulkRead, max(most, Worker.smallMove))
        if isMuch, !halves[source].state.contains(.urgent) { halves[source].state.insert(.bulk) }
        sendPromptly(sink)
        // MORE lets the FIN of the coming shutdown ride on the data.
        let sent = halves[sink].socket.send(
            scratch, at: 0, count: count, more: halves[source].state.contains(.ended))
        if sent.isError, !sent.wouldBlock { return sendFailed(sink, sent) ? .waits : .gone }
        let taken = max(0, sent.value)
        countSent(taken, from: source)
        guard taken == count else { return keep(source, from: taken, to: count) }
        let isDone = halves[source].state.isDisjoint(with: [.readable, .ended]) && halves[source].passable > 0
        return isDone ? .waits : .goesOn
    }

    /// A read has brought nothing: there is nothing yet, nothing any more, or the connection has failed.
    @inline(__always) private mutating func readNothing(_ source: HalfIndex, _ answer: KernelAnswer) -> Step {
        if answer.wouldBlock {
            halves[source].state.remove(.readable)
            return .waits
        }
        if answer.value == 0, !halves[source].state.contains(.wasReset) {
            halves[source].state.insert(.ended)
            return .goesOn
        }
        fail(source, answer.value == 0 ? .reset : answer)
        return .gone
    }

    /// Keeps bytes of the scratch memory, from `start` to `end`, for which the other half has had no room.
    @inline(__always) private mutating func keep(_ source: HalfIndex, from start: Int, to end: Int) -> Step {
        let buffer = borrow(end &- start, for: source.flow)
        guard buffer.exists else {
            cutForMemory(source.flow)
            return .gone
        }
        buffer.copy(end &- start, from: scratch, at: start, to: 0)
        halves[source].pending = buffer
        halves[source].pendingOffset = 0
        halves[source].pendingCount = Int32(end &- start)
        armWriting(source.other)
        return .waits
    }

    /// Turns Nagle's delay off, from the second send on: the first segment never waits for it, and a short flow saves
    /// the call.
    @inline(__always) private func sendPromptly(_ sink: HalfIndex) {
        guard !halves[sink].state.contains(.withoutDelay) else { return }
        if halves[sink].state.contains(.sentOnce) {
            halves[sink].socket.sendWithoutDelay()
            halves[sink].state.insert(.withoutDelay)
        } else {
            halves[sink].state.insert(.sentOnce)
        }
    }

    @inline(__always) private func countRead(_ count: Int, _ source: HalfIndex) {
        if halves[source].passable != Half.unbounded { halves[source].passable &-= UInt64(count) }
        if source.isClient { countUp(count, source.flow) }
    }

    private func noteFirstByte(_ flow: FlowIndex) {
        flows[flow].hasAnswer = true
        // One that an earlier process has begun tells nothing.
        guard flows[flow].connectedAt > 0 else { return }
        let time = UInt32(truncatingIfNeeded: now) &- flows[flow].connectedAt
        counters.observe(.firstByte, milliseconds: UInt64(time), service: flows[flow].service)
        if flows[flow].isLogged { facts[flow].answeredAfter = max(1, age(flow)) }
    }

    @inline(__always) private func countSent(_ count: Int, from source: HalfIndex) {
        guard source.isEndpoint else { return }
        countDown(count, source.flow)
        if !flows[source.flow].hasAnswer { noteFirstByte(source.flow) }
    }
}
