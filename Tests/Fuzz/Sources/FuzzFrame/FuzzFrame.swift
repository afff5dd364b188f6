import Domain
import FuzzInput
import Wire

/// Feeds the frame decoder with arbitrary octets, cut at a place that the first of them chooses, and takes what frames there are as far
/// as the two planes would: a Hello to its values, a snapshot to a configuration.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzFrame(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let octets = unsafe fuzzInput(start, count)
    let cut = octets.first.map { min(Int($0), octets.count) } ?? 0
    var decoder = FrameDecoder(longestFrame: ChannelRules.longestFrameUp)
    for piece in [octets[..<cut], octets[cut...]] {
        decoder.append(Array(piece))
        do {
            while let frame = try decoder.next() { take(frame) }
        } catch {
            return 0
        }
    }
    return 0
}

private func take(_ frame: WireFrame) {
    switch frame.message {
    case .hello(let message):
        guard let hello = try? Hello(message) else { return }
        precondition((try? Hello(WireHello(hello))) == hello, "a Hello is not what it was when it is sent again")
    case .snapshot(let message):
        var reasons: [String] = []
        do {
            let snapshot = try SnapshotContent(message).applied(to: nil)
            precondition(
                (try? SnapshotContent(WireSnapshot(snapshot))) == .whole(snapshot), "a snapshot changes on its way")
        } catch {
            reasons = error.reasons
            precondition(!reasons.isEmpty, "a refusal without a reason")
        }
    case .command(let command): _ = try? EndpointTarget(command.checkEndpoint.target)
    default: break
    }
}
