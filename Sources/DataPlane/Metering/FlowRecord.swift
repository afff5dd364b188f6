import Domain
import Routing

/// What is written down of one flow, at its end or while it lasts: plain memory, on its way from a worker to the flow
/// log.
struct FlowRecord: BitwiseCopyable {
    enum Event: UInt8, BitwiseCopyable {
        /// It goes on; one line of several.
        case open
        case end
        /// The process ends, and the next one goes on with it.
        case parked
        /// The process ends, and cuts it.
        case stopped
    }

    /// How it came to its service.
    enum Rule: UInt8, BitwiseCopyable {
        /// It did not.
        case none
        /// By a client domain that is the name it asked for.
        case domain
        /// By a client domain with a wildcard.
        case wildcard
        /// As a default service of the address that was called.
        case address
        /// An earlier process knew.
        case adopted
    }

    var event: Event
    var isHTTP: Bool
    var rule: Rule
    /// One in so many is written down.
    var oneIn: UInt32
    var service: Int32
    /// The number of the routing table when this was written: a slot is another service's from a later one on.
    var generation: UInt64
    /// Nanoseconds since 1970 by the system's clock.
    var time: UInt64
    /// Who; nil when it had gone before anybody asked.
    var client: TransportAddress?
    /// Which of this server's addresses it has called.
    var called: TransportAddress?
    var name: RoutingName
    /// nil when none has accepted.
    var endpoint: TransportAddress?
    /// 0 for the endpoint, else which fallback; nil when none has accepted, or an earlier process knew.
    var target: Int32?
    /// In milliseconds.
    var age: UInt64
    /// Milliseconds from its beginning until an endpoint had accepted and until its first byte was passed on; 0 for
    /// never.
    var connectedAfter: UInt32
    var answeredAfter: UInt32
    var bytesUp: UInt64
    var bytesDown: UInt64
    /// Of plain HTTP: how many requests were passed on, and the status of the last response; 0 for none.
    var requests: UInt32
    var status: UInt16
    /// What ended it; nil when both sides have.
    var ending: Incident?
}
