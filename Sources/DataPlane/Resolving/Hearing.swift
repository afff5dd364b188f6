/// Whether it is DNS that is silent, or only the names that have failed. Pure; time is passed in, in milliseconds.
///
/// While nothing is heard, one of those that answered last is asked beside those that fail. If it answers, the others
/// are mute. If it fails too, we are deaf, and are known to hear again when a question is answered that has failed
/// meanwhile.
struct Hearing {
    /// One of those that answered last is asked at most so often.
    static let witnessInterval: UInt64 = 1000
    private static let mostWitnesses = 8

    /// When an answer was last heard, of addresses or of nothing.
    private(set) var heardAt: UInt64?
    private var witnesses: [Asking] = []
    private var witnessAskedAt: UInt64 = 0

    /// Whether nothing has been heard since a question was asked.
    func isSilent(since askedAt: UInt64?) -> Bool { (heardAt ?? 0) < (askedAt ?? 0) }

    /// A question has failed. The one to ask now, to know.
    mutating func failed(now: UInt64) -> Asking? {
        guard let heardAt, now >= heardAt + Hearing.witnessInterval, now >= witnessAskedAt + Hearing.witnessInterval
        else { return nil }
        while let witness = witnesses.popLast() {
            guard witness.failingSince == nil else { continue }
            witnessAskedAt = now
            // In turn: one of them may have become mute itself.
            witnesses.insert(witness, at: 0)
            return witness
        }
        return nil
    }

    /// A question was answered that had been failing since `failingSince`, if it had. Since when nobody was heard, when
    /// that is over now.
    mutating func heard(_ asking: Asking, failingSince: UInt64?, now: UInt64) -> UInt64? {
        let before = heardAt ?? 0
        heardAt = now
        if witnesses.last !== asking {
            witnesses.removeAll { $0 === asking }
            witnesses.append(asking)
            if witnesses.count > Hearing.mostWitnesses { witnesses.removeFirst() }
        }
        guard let failingSince, failingSince > before else { return nil }
        return before
    }

    /// The name is gone.
    mutating func forget(_ asking: Asking) { witnesses.removeAll { $0 === asking } }

    /// Other servers are asked from now on.
    mutating func startAnew() { heardAt = nil }
}
