import Domain
import FuzzInput
import Routing

/// No outcome on a prefix differs from that on the whole, a byte at a time finds what the whole does, and a head that is handed on
/// with the client's address is read as the same request.
@_cdecl("LLVMFuzzerTestOneInput") public func fuzzOne(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = unsafe fuzzInput(start, count)
    let (whole, host) = inspect(input)
    for cut in cuts(of: input) {
        let (outcome, prefixHost) = inspect(Array(input[..<cut]))
        require(outcome == .incomplete || (outcome == whole && prefixHost == host), "an outcome is final")
    }
    var scanned = 0
    var trickled = RoutingName()
    var outcome = RequestHead.Outcome.incomplete
    for cut in 0...input.count where outcome == .incomplete {
        outcome = RequestHead.inspect(input.span.extracting(first: cut), scanned: &scanned, host: &trickled)
        require(scanned >= 0 && scanned <= cut, "the search stays within what is there")
    }
    require(outcome == whole && trickled == host, "a byte at a time finds what the whole does")

    guard case .head(let head) = whole else {
        require(host.isEmpty, "only a head has a host")
        return 0
    }
    require(head.length <= input.count && head.length <= RequestHead.longest, "a head is there when it is found")
    for mode in ForwardedFor.allCases { checkForwarded(input, head, host, mode) }
    return 0
}

private func inspect(_ bytes: [UInt8]) -> (RequestHead.Outcome, RoutingName) {
    var host = RoutingName()
    var scanned = 0
    let outcome = RequestHead.inspect(bytes.span, scanned: &scanned, host: &host)
    return (outcome, host)
}

private func checkForwarded(_ input: [UInt8], _ head: RequestHead, _ host: RoutingName, _ mode: ForwardedFor) {
    let client = Array("192.0.2.7".utf8)
    var octets = [UInt8](repeating: 0, count: head.length + RequestHead.longestGrowth + client.count)
    var output = octets.mutableSpan
    guard let count = head.copy(input.span, forwardedFor: mode, client: client.span, into: &output) else {
        fatalError("the room that is said to suffice does not")
    }
    let copy = Array(octets[..<count])
    if mode == .off { return require(copy == Array(input[..<head.length]), "off changes nothing") }

    let (outcome, copiedHost) = inspect(copy)
    // One field or a few bytes more may be too many; what an endpoint makes of that is for it to say.
    if outcome == .refused(.tooLong) || outcome == .refused(.tooManyFields) { return }
    guard case .head(let copied) = outcome else { fatalError("a head that is handed on is refused") }
    require(copiedHost == host, "a head is handed on for the same host")
    require(copied.length == count && copied.framing == head.framing, "a head is handed on with the same framing")
    require(copied.isHEAD == head.isHEAD && copied.closes == head.closes, "a head is handed on with the same meaning")
    require(copied.expectsContinue == head.expectsContinue, "a head is handed on with the same expectation")
    require(head.wantsUpgrade || !copied.wantsUpgrade, "no upgrade is asked for that the client did not ask for")

    let addresses = forwardedFor(copy)
    require(addresses.last?.last == "192.0.2.7", "the client's address comes last")
    require(mode == .append || addresses.count == 1, "replacing leaves one line")
    require(mode == .append || addresses.first?.count == 1, "replacing leaves one address")
}

/// The elements of each X-Forwarded-For line, read in another way than the parser does.
private func forwardedFor(_ head: [UInt8]) -> [[String]] {
    String(decoding: head.map { $0 < 0x80 ? $0 : UInt8(ascii: "?") }, as: UTF8.self).split(separator: "\r\n").compactMap
    { line in
        guard line.lowercased().hasPrefix("x-forwarded-for:") else { return nil }
        return line.dropFirst(16).split(separator: ",").map {
            $0.split(whereSeparator: { " \t".contains($0) }).joined(separator: " ")
        }
    }
}
