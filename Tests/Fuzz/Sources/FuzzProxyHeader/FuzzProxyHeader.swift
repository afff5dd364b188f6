import Domain
import FuzzInput
import Routing

/// No outcome on a prefix differs from that on the whole, and what is read is written so that it reads the same.
@_cdecl("LLVMFuzzerTestOneInput") public func fuzzOne(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = unsafe fuzzInput(start, count)
    let whole = ProxyHeader.inspect(input.span)
    for cut in cuts(of: input) {
        let outcome = ProxyHeader.inspect(input.span.extracting(first: cut))
        require(outcome == .incomplete || outcome == whole, "an outcome is final")
    }
    if whole == .incomplete { require(input.count < ProxyHeader.longest, "a header has an end") }
    guard case .header(let header) = whole else { return 0 }
    require(header.length <= input.count && header.length <= ProxyHeader.longest, "a header is there when it is found")
    guard let source = header.source, let destination = header.destination else {
        require(header.source == nil && header.destination == nil, "both ends are told or neither")
        return 0
    }
    for version in [SendProxyProtocol.v1, .v2] {
        var octets = [UInt8](repeating: 0, count: ProxyHeader.longestWritten)
        var output = octets.mutableSpan
        guard let count = ProxyHeader.write(version, source: source, destination: destination, into: &output) else {
            fatalError("the room that is said to suffice does not")
        }
        guard case .header(let again) = ProxyHeader.inspect(octets.span.extracting(first: count)) else {
            fatalError("a header that we wrote is not read")
        }
        require(again.length == count, "a header that we wrote is as long as we said")
        require(
            again.source == source && again.destination == destination, "a header that we wrote tells the same ends")
    }
    return 0
}
