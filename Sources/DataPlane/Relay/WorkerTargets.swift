import Domain
import Syscalls

/// Which of a target's addresses a dial tries next, and from which of ours.
extension Worker {
    func beginTarget(_ index: DialIndex) {
        dials[index].candidate = 0
        dials[index].passedOver = 0
        dials[index].targetDeadline = 0
    }

    func nextTarget(_ index: DialIndex) {
        dials[index].target &+= 1
        beginTarget(index)
    }

    /// The next address of a name: first those that have not failed lately, in turn, then the others.
    func nextCandidate(_ index: DialIndex, _ name: NameSlot, _ port: UInt16) -> JudgedAddress? {
        let rotation = dials[index].rotation
        while let candidate = names[name.index].candidate(Int(dials[index].candidate), rotation: rotation) {
            let place = dials[index].candidate
            dials[index].candidate &+= 1
            guard place < 64, failures.hasFailed(TransportAddress(candidate.address, port: port), now: now) else {
                return candidate
            }
            dials[index].passedOver |= 1 << UInt64(place)
        }
        guard dials[index].passedOver != 0 else { return nil }
        let place = dials[index].passedOver.trailingZeroBitCount
        dials[index].passedOver &= dials[index].passedOver &- 1
        return names[name.index].candidate(place, rotation: rotation)
    }

    /// Whether another address waits for its turn behind the one that is being attempted.
    func othersWait(_ index: DialIndex, _ name: NameSlot) -> Bool {
        guard name != .monitor else { return false }
        return dials[index].passedOver != 0
            || names[name.index].candidate(Int(dials[index].candidate), rotation: dials[index].rotation) != nil
    }

    /// Has connections come from the next of our source addresses of the family, where any are set.
    func bindSource(_ socket: Socket, _ family: Address.Family, turn: UInt32) -> KernelAnswer {
        let count = UInt32(truncatingIfNeeded: sources.count)
        guard count > 0 else { return KernelAnswer(0) }
        for step in 0..<count {
            let source = sources[Int((turn &+ step) % count)]
            if source.family == family { return socket.bindSource(KernelAddress(TransportAddress(source, port: 0))) }
        }
        return KernelAnswer(0)
    }
}
