import Domain
import Syscalls

/// One of a flow's two connections, and the direction that starts there.
///
/// 64 bytes, one cache line; an idle half holds no buffer and no pipe.
struct Half: BitwiseCopyable {
    struct State: OptionSet, BitwiseCopyable {
        let rawValue: UInt32
        /// The socket may have something to read: cleared when a read finds nothing.
        static var readable: State { State(rawValue: 1) }
        /// The socket has room: cleared when a write finds none.
        static var writable: State { State(rawValue: 2) }
        /// Its peer has sent FIN; what came before it may still wait to be read.
        static var peerClosed: State { State(rawValue: 4) }
        /// Everything up to its peer's FIN has been read.
        static var ended: State { State(rawValue: 8) }
        /// We have sent FIN on it.
        static var shut: State { State(rawValue: 16) }
        /// Moves much at a time: spliced through a pipe.
        static var bulk: State { State(rawValue: 32) }
        static var connecting: State { State(rawValue: 64) }
        /// Epoll reports when it becomes writable.
        static var armedOut: State { State(rawValue: 128) }
        /// Epoll would not take its socket, which nobody watches now: the flow ends at the half's next turn.
        static var unwatched: State { State(rawValue: 256) }
        static var sentOnce: State { State(rawValue: 512) }
        static var withoutDelay: State { State(rawValue: 1024) }
        static var registered: State { State(rawValue: 2048) }
        /// Its peer sends urgent data, at which a read stops short: a short read says nothing then.
        static var urgent: State { State(rawValue: 4096) }
        /// Epoll has reported an error: the next read tells which.
        static var failed: State { State(rawValue: 8192) }
        /// A send has failed: nothing can be said to the peer any more, but what it said before may still wait to be
        /// read.
        static var deaf: State { State(rawValue: 16384) }
        /// The failed send has met the reset, so that a read to the end will not.
        static var wasReset: State { State(rawValue: 32768) }
        /// The kernel looks after the connection: it notices a peer that has vanished.
        static var guarded: State { State(rawValue: 65536) }
        /// It had no room for all that was to be sent, once at least.
        static var wasFull: State { State(rawValue: 131072) }
    }

    var socket = Socket.none
    /// Grows with each use of the record, so that a late event for a closed socket is known as such.
    var generation: UInt32 = 0
    var state: State = []
    /// Bulk moves in a row that were small.
    var smallMoves: UInt8 = 0
    /// Stands in a queue of the worker's. True of the record, whatever becomes of the half meanwhile.
    var isQueued = false
    /// Bytes read here that may go to the other half, and have not gone yet.
    var pending = Buffer()
    var pendingOffset: Int32 = 0
    var pendingCount: Int32 = 0
    /// The same for bytes in a pipe.
    var pipe = Pipe()
    var piped: Int32 = 0
    /// How many further bytes may pass unseen; `unbounded` for a direction that is not looked into.
    var passable: UInt64 = Half.unbounded

    static var unbounded: UInt64 { .max }
    var isDry: Bool { pendingCount == 0 && piped == 0 }
}

/// What the two halves have in common. 80 bytes, since an idle connection is to cost a quarter of a kilobyte in all.
///
///     accept ─▶ opening ──hello or head──▶ dialling ──connected──▶ relaying ──both ended──▶ free
///                  │ refused                   │ failed                │ refused later, or one side was reset
///                  └────────────▶ lingering ◀──┴───────────────────────┘      (what is on its way is delivered, then free)
struct Flow: BitwiseCopyable {
    enum Stage: UInt8, BitwiseCopyable {
        case free, opening, dialling, relaying, lingering
    }

    var stage = Stage.free
    var isHTTP = false
    /// The connection begins with a PROXY header that has not been read yet.
    var awaitsProxyHeader = false
    /// Who lingers is the endpoint, and not the client.
    var endpointLingers = false
    /// The end of the lingering is a reset: the other side's was.
    var resetsAtEnd = false
    /// A trusted sender has told whose connection this is: in the worker's `asserted`.
    var hasAssertedAddresses = false
    /// It was refused by a limit of its service, and is not counted among that service's connections any more.
    var hasLeftService = false
    /// Something is remembered of it for the flow log, in `facts`.
    var hasFacts = false
    /// It is one of those of its service that are written down.
    var isLogged = false
    /// Something of its endpoint's was passed on.
    var hasAnswer = false
    /// The last incident that befell it, since its endpoint accepted if one has.
    var ending: Incident?
    /// The ledger counts it as one whose hello or first head has not come whole.
    var countsAsOpening = false
    var service: Int32 = ServiceSlot.unrouted
    /// Where the ledger counts it: among all of its client's, and among those to its service.
    var arrival = ClientLedger.nowhere
    var membership = ClientLedger.nowhere
    /// Its client's key in the ledger; 0 when that is not limited.
    var client: UInt64 = 0
    /// Payload, as it is counted for its service.
    var bytesUp: UInt64 = 0
    var bytesDown: UInt64 = 0
    /// Since when the client's rate is measured, 0 when it is not; once the flow lingers, since when it does. In the
    /// worker's ticks.
    var measuredSince: UInt32 = 0
    /// When a byte last passed, or the stage began; in the worker's ticks.
    var lastActive: UInt32 = 0
    /// When it was accepted, or adopted; in the worker's ticks.
    var openedAt: UInt32 = 0
    /// When an endpoint had accepted: the lowest 32 bits of the worker's milliseconds. 0 before, and for a flow that
    /// was adopted.
    var connectedAt: UInt32 = 0
    /// In the opening: how many bytes must be there before it is worth looking again. Later: bytes that the peers had
    /// not acknowledged at the last look, both sides together.
    var awaited: UInt32 = 0
    /// The dial that is under way, if one is.
    var dial = DialIndex.none
    /// What the monitor gate has given a flow to the monitor endpoint.
    var monitorPass = MonitorGate.Pass.none
    /// In the free list: the next.
    var nextFree = FlowIndex.none
}

/// Whose connection a trusted sender says that this is.
struct AssertedAddresses: BitwiseCopyable {
    var source: TransportAddress
    var destination: TransportAddress
}

/// An endpoint being connected to. Held only while it lasts.
struct Dial: BitwiseCopyable {
    var flow = FlowIndex.none
    /// How many of the service's targets have been tried in vain, and which of the present one's addresses comes next.
    /// `Worker.place` tells which target that is.
    var target: Int32 = 0
    var candidate: Int32 = 0
    /// The place of the target that is tried before the others.
    var first: Int32 = 0
    /// Whose addresses `candidate` counts: a new table may have another endpoint in the same place.
    var name = NameSlot.monitor
    var port: UInt16 = 0
    var rotation: UInt32 = 0
    /// In the worker's milliseconds.
    var startedAt: UInt64 = 0
    /// Of the present target's addresses, those that were passed over since they failed lately: a bit for each
    /// candidate.
    var passedOver: UInt64 = 0
    /// Until when the present target may be tried.
    var targetDeadline: UInt64 = 0
    /// Where the two attempts go.
    var firstPeer = TransportAddress(Address(ipv4: 0), port: 0)
    var rivalPeer = TransportAddress(Address(ipv4: 0), port: 0)
    /// The address that failed last.
    var failedPeer = TransportAddress(Address(ipv4: 0), port: 0)
    /// The second of two attempts that race; the first is the endpoint half's own socket.
    var rival = Socket.none
    var generation: UInt32 = 0
    var firstDeadline: UInt64 = 0
    var rivalDeadline: UInt64 = 0
    /// When the next address is tried although the last has not failed yet; in milliseconds.
    var nextAttempt: UInt64 = 0
    /// Until when the name may stay unresolved.
    var nameDeadline: UInt64 = 0
    var waitsForName = false
    var sawTimeout = false
    var sawForbidden = false
    /// The kernel's reason for the last failed attempt.
    var lastCode: Int32 = 0
    /// Its place in the list of dials under way.
    var position: Int32 = 0
    var nextFree = DialIndex.none
}
