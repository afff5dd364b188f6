import Domain
import Routing

/// What is remembered of a flow so that it can be written down. Only those of flows that are written down are touched.
struct FlowFacts: BitwiseCopyable {
    var client: TransportAddress?
    var called: TransportAddress?
    var endpoint: TransportAddress?
    var target: Int32?
    var name = RoutingName()
    var rule = FlowRecord.Rule.none
    /// When it was accepted, or adopted; in the worker's milliseconds.
    var openedAt: UInt64 = 0
    /// Milliseconds from then until an endpoint had accepted and until its first byte was passed on. 0 before.
    var connectedAfter: UInt32 = 0
    var answeredAfter: UInt32 = 0
    var oneIn: UInt32 = 0
    /// Ticks from one line to the next of a flow that lasts; 0 for none.
    var interval: UInt32 = 0
    /// When the next is due; in the worker's ticks.
    var nextLine: UInt32 = 0
}
