/// The head of an HTTP/1.x request, read by RFC 9112 and RFC 9110 as strictly as they allow.
///
/// What two parsers could read differently is refused, whichever of the two readings is right: the endpoint's parser is
/// not ours, and a request that it reads differently is one that slipped past our routing, our X-Forwarded-For or our
/// idea of where it ends.
public struct RequestHead: Hashable, Sendable {
    /// The bytes of the head, the empty line included.
    public let length: Int
    public let framing: BodyFraming
    /// The response to a HEAD request has no body, whatever its head says.
    public let isHEAD: Bool
    /// The client asks for another protocol (RFC 9110 section 7.8). If the endpoint answers 101, a tunnel begins.
    public let wantsUpgrade: Bool
    /// This is the connection's last request: it says so, or is HTTP/1.0 and does not say otherwise.
    public let closes: Bool
    /// The client waits for `100 Continue`, for a while at least, before it sends the body.
    public let expectsContinue: Bool

    /// What the Connection fields say, as far as it is for us.
    let options: ConnectionOptions
    /// An Upgrade field has HTTP/2 in the clear among its protocols; and one has none of it.
    let offersHTTP2: Bool
    let offersAnother: Bool
    /// Where the last X-Forwarded-For line can be added to.
    let forwardedFor: ForwardedForPlace
    /// There is a field that tells where the request came from, other than X-Forwarded-For.
    let hasForwardedFields: Bool
    /// There is a field that is of this connection alone, named or not.
    let hasHopFields: Bool
    /// Where the value of the Host field is.
    let hostField: Range<Int>?
    /// Of a target in absolute form.
    let target: AbsoluteTarget?
    /// The method is one of those for which Max-Forwards counts, and there is such a field.
    let countsForwards: Bool

    public enum Outcome: Hashable, Sendable {
        case incomplete
        /// A whole head. The host is empty when the client names an address, or is HTTP/1.0 and names nothing.
        case head(RequestHead)
        case refused(Refusal)
    }

    /// What an intermediary answers in place of the endpoint: the request says that it goes no further (RFC 9110
    /// section 7.6.2).
    public let finalAnswer: HTTPAnswer?

    /// The fields that Connection names, which are not for the endpoint, in a trailer either.
    public var namedFields: NamedFields { options.named }

    /// 32 KiB. The cookies of one domain alone may come to several; more than this is nobody's honest request.
    public static let longest = 32_768

    /// Far more than any client sends, and few enough to be read in microseconds.
    public static let mostFields = 256

    /// Empty lines before a request that are passed over: RFC 9112 section 2.2 has a server ignore one, which some
    /// clients send behind a body. A few more do no harm; what goes on is no client of ours.
    public static let mostEmptyLines = 4

    /// The bytes of whole empty lines at the beginning of `bytes`, which are not part of a request.
    public static func emptyLines(_ bytes: Span<UInt8>) -> Int {
        var count = 0
        while bytes.count &- count >= 2, bytes[count] == .carriageReturn, bytes[count &+ 1] == .lineFeed { count &+= 2 }
        return count
    }

    /// Looks for a whole head at the beginning of `bytes`.
    ///
    /// `scanned` is where the search for its end goes on: 0 for a new head, and then kept by the caller for as long as
    /// the answer is `.incomplete`, so that no byte is searched twice. Any other outcome is final: more bytes would not
    /// change it.
    public static func inspect(_ bytes: Span<UInt8>, scanned: inout Int, host: inout RoutingName) -> Outcome {
        host.removeAll()
        guard !bytes.isEmpty else { return .incomplete }
        // What may be the beginning of an empty line is for the caller to pass over, once it is whole.
        if bytes.count == 1, bytes[0] == .carriageReturn { return .incomplete }
        guard bytes[0].isToken else { return .refused(bytes[0] == 22 ? .tlsOnHTTP : .badRequestLine) }
        switch findEnd(of: bytes, scanned: &scanned) {
        case .incomplete: return .incomplete
        case .refused(let refusal): return .refused(refusal)
        case .found(let length):
            var reading = RequestReading()
            if let refusal = reading.read(bytes, length: length, host: &host) {
                host.removeAll()
                return .refused(refusal)
            }
            return .head(reading.head(length: length))
        }
    }

    private enum Search {
        case incomplete
        case found(length: Int)
        case refused(Refusal)
    }

    /// Looks for the empty line, and checks on the way that every line ends with CR LF and that no other control
    /// character is there.
    private static func findEnd(of bytes: Span<UInt8>, scanned: inout Int) -> Search {
        let end = min(bytes.count, longest)
        var index = min(max(scanned, 0), end)
        defer { scanned = index }
        while index < end {
            index = bytes.firstControl(from: index, to: end)
            guard index < end else { break }
            let octet = bytes[index]
            guard octet != .tab else {
                index &+= 1  // below `end`, as in the step over CR LF
                continue
            }
            guard octet == .carriageReturn else {
                return .refused(octet == .lineFeed ? .bareLineFeed : .controlCharacter)
            }
            guard index &+ 1 < end else { break }  // the search goes on at the CR
            guard bytes[index &+ 1] == .lineFeed else { return .refused(.bareCarriageReturn) }
            if index > 0, bytes[index &- 1] == .lineFeed { return .found(length: index &+ 2) }
            index &+= 2
        }
        return bytes.count >= longest ? .refused(.tooLong) : .incomplete
    }
}

/// Where the parts of a target in absolute form are: `http://app.example:8080/path`.
struct AbsoluteTarget: Hashable, Sendable {
    let authority: Range<Int>
    /// From the path on, which may be empty, to the end of the target.
    let rest: Range<Int>
    /// Without a path it asks about the server as a whole (RFC 9112 section 3.2.4).
    let isAsterisk: Bool
    /// The Host field names another host, or the same in another way.
    var differsFromHost = false
}

/// Where X-Forwarded-For can be added to in a head.
enum ForwardedForPlace: Hashable, Sendable {
    /// There is no such line.
    case nowhere
    /// The last such line has a value, which ends here.
    case after(Int)
    /// The last such line has no value; its colon ends here.
    case emptyAfter(Int)
}
