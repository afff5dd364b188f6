import Syscalls

/// Moving bytes between the two halves of a flow.
extension Worker {
    /// A read that brings this much at once is the beginning of a large transfer.
    private static var bulkRead: Int { 32768 }
    /// A spliced move smaller than this did not pay; after `smallMovesInARow` of them the direction goes back to copying.
    private static var smallMove: Int { 8192 }
    private static var smallMovesInARow: Int32 { 8 }
    /// Moves of one direction before the other flows get their turn: reads, and heads or chunks that pass one by one.
    private static var budget: Int { 16 }
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
            if halves[index].state.contains(.readable), !pump(index) { return }
            if becameWritable { _ = pump(index.other) }
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

    /// Notes that a half's socket has no room, and has epoll say when it has.
    private func armWriting(_ half: HalfIndex) {
        halves[half].state.remove(.writable)
        halves[half].state.insert(.wasFull)
        guard !halves[half].state.contains(.armedOut) else { return }
        halves[half].state.insert(.armedOut)
        epoll.modify(
            halves[half].socket.number, [.readable, .writable, .peerClosed, .urgent, .edgeTriggered], tag: tag(half))
    }

    /// Moves bytes that arrive at half `source` to the other, until nothing is left or the other has no room. False when the flow is gone.
    mutating func pump(_ source: HalfIndex) -> Bool {
        let halves = halves
        let sink = source.other
        var budget = Worker.budget
        while true {
            if halves[source].pendingCount > 0 {
                guard halves[sink].state.contains(.writable) else { return true }
                guard flushPending(source) else { return false }
                if halves[source].pendingCount > 0 { return true }
            }
            if halves[source].piped > 0 {
                guard halves[sink].state.contains(.writable) else { return true }
                let answer = halves[sink].socket.splice(from: halves[source].pipe, count: Int(halves[source].piped))
                if answer.isError {
                    guard answer.wouldBlock else { return sendFailed(sink, answer) }
                    armWriting(sink)
                    return true
                }
                halves[source].piped &-= Int32(answer.value)
                countSent(answer.value, from: source)
                if halves[source].piped > 0 { continue }
                pipes.give(&halves[source].pipe)
            }
            if halves[source].state.contains(.ended) { return passEnd(source) }
            budget &-= 1
            if budget < 0 {
                enqueue(source)
                return true
            }
            if halves[source].passable == 0 {
                guard !halves[sink].state.contains(.deaf) else { return true }
                switch follow(source) {
                case .moves: continue
                case .waits: return true
                case .gone: return false
                }
            }
            guard halves[source].state.contains(.readable), halves[sink].state.contains(.writable) else { return true }
            if halves[source].state.contains(.bulk) {
                if !halves[source].pipe.exists {
                    halves[source].pipe = pipes.take()
                    if !halves[source].pipe.exists {
                        halves[source].state.remove(.bulk)
                        continue
                    }
                }
                let most = Int(min(halves[source].passable, UInt64(PipePool.capacity)))
                let answer = halves[source].socket.splice(into: halves[source].pipe, upTo: most)
                if answer.value > 0 {
                    halves[source].piped = Int32(answer.value)
                    countRead(answer.value, source)
                    counters.add(UInt64(answer.value), .bytesSpliced)
                    if answer.value >= Worker.smallMove {
                        halves[source].smallMoves = 0
                    } else {
                        halves[source].smallMoves &+= 1
                        if halves[source].smallMoves > Worker.smallMovesInARow {
                            halves[source].state.remove(.bulk)
                            halves[source].smallMoves = 0
                        }
                    }
                    continue
                }
                pipes.give(&halves[source].pipe)
                if answer.wouldBlock {
                    halves[source].state.remove(.readable)
                    return true
                }
                if answer.value == 0 {
                    // The end, or urgent data with the end behind it, which splice never gets past: a read tells which.
                    halves[source].state.remove(.bulk)
                    continue
                }
                return fail(source, answer)
            }
            var most = mostToRead(source)
            if UInt64(most) > halves[source].passable { most = Int(halves[source].passable) }
            let answer = halves[source].socket.receive(into: scratch, at: 0, upTo: most)
            if answer.value <= 0 {
                if answer.value == 0 {
                    if halves[source].state.contains(.wasReset) { return fail(source, .reset) }
                    halves[source].state.insert(.ended)
                    continue
                }
                guard answer.wouldBlock else { return fail(source, answer) }
                halves[source].state.remove(.readable)
                return true
            }
            let count = answer.value
            countRead(count, source)
            counters.add(UInt64(count), .bytesCopied)
            if count < most, halves[source].state.isDisjoint(with: [.urgent, .failed]) {
                // Drained. When the peer's FIN is here already, this was the end of its stream, and the read that would tell can be saved.
                if halves[source].state.contains(.peerClosed) {
                    halves[source].state.insert(.ended)
                } else {
                    halves[source].state.remove(.readable)
                }
            }
            if count >= min(Worker.bulkRead, most), count > Worker.smallMove, !halves[source].state.contains(.urgent) { halves[source].state.insert(.bulk) }
            sendPromptly(sink)
            // MORE lets the FIN of the coming shutdown ride on the data.
            let sent = halves[sink].socket.send(
                scratch, at: 0, count: count, more: halves[source].state.contains(.ended))
            if sent.isError, !sent.wouldBlock { return sendFailed(sink, sent) }
            let taken = max(0, sent.value)
            countSent(taken, from: source)
            if taken == count {
                if halves[source].state.isDisjoint(with: [.readable, .ended]), halves[source].passable > 0 {
                    return true
                }
                continue
            }
            let buffer = borrow(count &- taken, for: source.flow)
            guard buffer.exists else {
                cutForMemory(source.flow)
                return false
            }
            buffer.copy(count &- taken, from: scratch, at: taken, to: 0)
            halves[source].pending = buffer
            halves[source].pendingOffset = 0
            halves[source].pendingCount = Int32(count &- taken)
            armWriting(sink)
            return true
        }
    }

    /// Sends pending bytes as far as there is room. False when the flow is gone.
    private mutating func flushPending(_ source: HalfIndex) -> Bool {
        let sink = source.other
        sendPromptly(sink)
        let sent = halves[sink].socket.send(
            halves[source].pending, at: Int(halves[source].pendingOffset), count: Int(halves[source].pendingCount))
        if sent.isError {
            guard sent.wouldBlock else { return sendFailed(sink, sent) }
            armWriting(sink)
            return true
        }
        countSent(sent.value, from: source)
        halves[source].pendingOffset &+= Int32(sent.value)
        halves[source].pendingCount &-= Int32(sent.value)
        if halves[source].pendingCount > 0 {
            armWriting(sink)
        } else {
            buffers.give(&halves[source].pending)
            halves[source].pendingOffset = 0
        }
        return true
    }

    /// Turns Nagle's delay off, from the second send on: the first segment never waits for it, and a short flow saves the call.
    @inline(__always) private func sendPromptly(_ sink: HalfIndex) {
        guard !halves[sink].state.contains(.withoutDelay) else { return }
        if halves[sink].state.contains(.sentOnce) {
            halves[sink].socket.sendWithoutDelay()
            halves[sink].state.insert(.withoutDelay)
        } else {
            halves[sink].state.insert(.sentOnce)
        }
    }

    /// Passes the end of one direction on. False when that was the end of both, and the flow is gone.
    private mutating func passEnd(_ source: HalfIndex) -> Bool {
        let sink = source.other
        if halves[sink].state.contains(.ended), halves[sink].isDry {
            closeFlow(of: source)
            return false
        }
        if !halves[sink].state.contains(.shut) {
            halves[sink].state.insert(.shut)
            if source.isEndpoint, owesFirstAnswer(source.flow) {
                note(.endpointLeftEarly, flow: source.flow)
                answer(source.flow, .badGateway)
                return false
            }
            halves[sink].socket.shutdownWriting()
            // A client that waits for its response may have ended its side long ago; from now on that is looked for.
            if halves[sink].passable == 0 { enqueue(sink) }
        }
        if halves[source].state.contains(.deaf) {
            // It has said everything and takes nothing: what the other still says is for nobody.
            hearOut(sink)
            return false
        }
        // The same, and known without having told it anything: a reset behind its end. (With our own end behind it a hang-up is no news.)
        guard halves[source].state.contains(.failed), !halves[source].state.contains(.shut) else { return true }
        note(source.isClient ? .clientReset : .endpointReset, flow: source.flow)
        hearOut(sink, thenReset: true)
        return false
    }

    /// Half `half` takes no more. It may have said something before it went (an endpoint's early answer to an upload that it did not want, a
    /// client's upload of which it wants no answer), and that still waits in its socket; behind it comes the end, which is a reset if this was
    /// one. False when the flow is gone.
    private mutating func sendFailed(_ half: HalfIndex, _ answer: KernelAnswer) -> Bool {
        guard !halves[half].state.contains(.deaf) else { return fail(half, answer) }
        halves[half].state.insert(answer.meetsReset ? [.deaf, .readable, .wasReset] : [.deaf, .readable])
        halves[half].state.remove(.writable)
        let other = half.other
        if halves[other].pending.exists { buffers.give(&halves[other].pending) }
        halves[other].pendingOffset = 0
        halves[other].pendingCount = 0
        if halves[other].pipe.exists { pipes.discard(&halves[other].pipe) }
        halves[other].piped = 0
        return pump(half)
    }

    /// Ends a flow of which one connection has failed. What it said before is in the other's socket by now: that is delivered, and then the
    /// reset is passed on as a reset (invariant 13).
    @discardableResult
    mutating func fail(_ half: HalfIndex, _ answer: KernelAnswer) -> Bool {
        note(half.isClient ? .clientReset : .endpointReset, flow: half.flow) { _ in
            SystemCallError.text(of: answer.code)
        }
        if half.isEndpoint, owesFirstAnswer(half.flow) {
            self.answer(half.flow, .badGateway)
        } else {
            hearOut(half.other, thenReset: true)
        }
        return false
    }

    @inline(__always) private func countRead(_ count: Int, _ source: HalfIndex) {
        if halves[source].passable != Half.unbounded { halves[source].passable &-= UInt64(count) }
        guard source.isClient else { return }
        flows[source.flow].heard &+= UInt32(truncatingIfNeeded: count)
        counters.add(UInt64(count), .bytesUp, service: flows[source.flow].service)
    }

    @inline(__always) private func countSent(_ count: Int, from source: HalfIndex) {
        if source.isEndpoint { counters.add(UInt64(count), .bytesDown, service: flows[source.flow].service) }
    }
}
