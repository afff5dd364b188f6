/// Something that went otherwise than a device, an endpoint or an operator wished: worth a counter, and a log line now
/// and then.
///
/// Who is at fault is part of the name: the client, the endpoint, or we ourselves.
enum Incident: Int, CaseIterable, Sendable, BitwiseCopyable {
    case clientSilent
    case clientLeftEarly
    case helloRefused
    case requestRefused
    case requestTimedOut
    case nameUnknown
    case otherHostOnConnection
    case proxyHeaderRefused
    case requestBodyMalformed
    case responseMalformed
    case clientReset
    case endpointUnresolved
    case endpointForbidden
    case endpointUnreachable
    case endpointTimedOut
    case endpointReset
    case endpointLeftEarly
    case fallbackUsed
    case idleTimedOut
    case halfCloseTimedOut
    case responseTimedOut
    case responseTruncated
    case requestTruncated
    case flowLimitReached
    case descriptorsExhausted
    case buffersExhausted
    case watchRefused
    case localPortsExhausted
    case drainRefused
    case serviceGone
    case serviceLimitReached
    case serviceRateExceeded
    case clientLimitReached
    case clientRateExceeded
    case openingsExceeded
    case clientDenied
    case clientTooSlow
    case monitorRefused

    /// The label in metrics.
    var label: String {
        switch self {
        case .clientSilent: "client_silent"
        case .clientLeftEarly: "client_left_early"
        case .helloRefused: "hello_refused"
        case .requestRefused: "request_refused"
        case .requestTimedOut: "request_timed_out"
        case .nameUnknown: "name_unknown"
        case .otherHostOnConnection: "other_host_on_connection"
        case .proxyHeaderRefused: "proxy_header_refused"
        case .requestBodyMalformed: "request_body_malformed"
        case .responseMalformed: "response_malformed"
        case .clientReset: "client_reset"
        case .endpointUnresolved: "endpoint_unresolved"
        case .endpointForbidden: "endpoint_forbidden"
        case .endpointUnreachable: "endpoint_unreachable"
        case .endpointTimedOut: "endpoint_timed_out"
        case .endpointReset: "endpoint_reset"
        case .endpointLeftEarly: "endpoint_left_early"
        case .fallbackUsed: "fallback_used"
        case .idleTimedOut: "idle_timed_out"
        case .halfCloseTimedOut: "half_close_timed_out"
        case .responseTimedOut: "response_timed_out"
        case .responseTruncated: "response_truncated"
        case .requestTruncated: "request_truncated"
        case .flowLimitReached: "flow_limit_reached"
        case .descriptorsExhausted: "descriptors_exhausted"
        case .buffersExhausted: "buffers_exhausted"
        case .watchRefused: "watch_refused"
        case .localPortsExhausted: "local_ports_exhausted"
        case .drainRefused: "drain_refused"
        case .serviceGone: "service_gone"
        case .serviceLimitReached: "service_limit_reached"
        case .serviceRateExceeded: "service_rate_exceeded"
        case .clientLimitReached: "client_limit_reached"
        case .clientRateExceeded: "client_rate_exceeded"
        case .openingsExceeded: "openings_exceeded"
        case .clientDenied: "client_denied"
        case .clientTooSlow: "client_too_slow"
        case .monitorRefused: "monitor_refused"
        }
    }

    /// The constant sentence of the log line.
    var sentence: String {
        switch self {
        case .clientSilent: "A client connected and did not say in time where it wants to go"
        case .clientLeftEarly: "A client left before it had said where it wants to go"
        case .helloRefused: "A TLS hello was refused"
        case .requestRefused: "A request was refused"
        case .requestTimedOut: "A request did not arrive in time"
        case .nameUnknown: "A client asked for a name that no service has"
        case .otherHostOnConnection: "A request named another service than its connection"
        case .proxyHeaderRefused: "A trusted sender did not begin with a valid PROXY header"
        case .requestBodyMalformed: "The body of a request was malformed"
        case .responseMalformed: "An endpoint's response was malformed, or one that nobody had asked for"
        case .clientReset: "A client reset its connection"
        case .endpointUnresolved: "The name of an endpoint cannot be resolved"
        case .endpointForbidden: "An endpoint's address is forbidden by the endpoint policy"
        case .endpointUnreachable: "An endpoint cannot be connected to"
        case .endpointTimedOut: "An endpoint did not accept a connection in time"
        case .endpointReset: "An endpoint reset a connection"
        case .endpointLeftEarly: "An endpoint closed a connection before it answered"
        case .fallbackUsed: "A fallback took a connection, since the endpoint before it cannot be connected to"
        case .idleTimedOut: "A connection was closed after nothing had passed for long"
        case .halfCloseTimedOut: "A half-closed connection was closed after nothing had passed for long"
        case .responseTimedOut: "An endpoint did not begin its response in time; the client was answered 504"
        case .responseTruncated: "An endpoint ended its connection in the middle of a response"
        case .requestTruncated: "A client ended its connection in the middle of a request"
        case .flowLimitReached: "The limit of flows is reached; no connections are accepted until some close"
        case .descriptorsExhausted: "The process has run out of descriptors; no connections are accepted for a moment"
        case .buffersExhausted:
            "The limit of buffered bytes is reached, most of it by this service; a connection was cut"
        case .watchRefused:
            "The kernel watches no further socket for this user, so a connection was ended; raise fs.epoll.max_user_watches, or give it memory"
        case .localPortsExhausted:
            "There is no local port left for another connection to an endpoint; widen net.ipv4.ip_local_port_range, or give it more addresses"
        case .drainRefused: "A connection was refused since this server is draining"
        case .monitorRefused:
            "A caller of the monitor endpoint was refused, since there were too many from its address, or in all"
        case .serviceGone: "A service was removed while a connection to its endpoint was being made"
        case .serviceLimitReached: "A service has as many connections as its limit allows; another was refused"
        case .serviceRateExceeded: "A service has more new connections a second than its limit allows; one was refused"
        case .clientLimitReached: "A client has as many connections as one client may have; another was refused"
        case .clientRateExceeded: "A client has more new connections a second than one client may have; one was refused"
        case .openingsExceeded:
            "A client has too many connections that have not said where they want to go; one was refused"
        case .clientDenied: "A connection was refused since its service does not take connections from this client"
        case .clientTooSlow: "A client sent its hello or request too slowly; the connection was closed"
        }
    }

    /// What is every day's business is counted, and logged only by those who ask for debug lines.
    var isRoutine: Bool {
        switch self {
        case .clientLeftEarly, .clientReset, .endpointReset, .idleTimedOut, .halfCloseTimedOut, .clientSilent,
            .requestTruncated:
            true
        default: false
        }
    }
}

/// One incident for the log, with how many of its kind were left out since the last.
struct IncidentReport: Sendable {
    let incident: Incident
    let service: Int32
    let client: String
    let detail: String
    let leftOut: UInt64
}
