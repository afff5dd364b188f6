import Domain
import FuzzInput
import Wire

/// Feeds the frame decoder with arbitrary octets, cut at a place that the first of them chooses, and takes what frames
/// there are as far as the two planes would: a Hello to its values, a snapshot to a configuration, a difference to what
/// it makes of one that is held.
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
        require((try? Hello(WireHello(hello))) == hello, "a Hello stays the same on its way")
    case .snapshot(let message): take(message)
    case .command(let command): take(command)
    case .observation(let observation): take(observation.flowList)
    default: break
    }
}

private func take(_ command: WireCommand) {
    _ = try? EndpointTarget(command.checkEndpoint.target)
    guard let query = try? FlowQuery(command.listFlows) else { return }
    require((try? FlowQuery(WireListFlows(query))) == query, "a query for flows stays the same on its way")
}

private func take(_ message: WireFlowList) {
    guard let list = try? FlowList(message) else { return }
    let again = WireFlowList(command: message.command, list)
    require((try? FlowList(again)) == list, "a list of flows stays the same on its way")
}

private func take(_ message: WireSnapshot) {
    let content: SnapshotContent
    do {
        content = try SnapshotContent(message)
    } catch {
        return require(!error.reasons.isEmpty, "a refusal has a reason")
    }
    switch content {
    case .whole(let snapshot):
        require((try? SnapshotContent(WireSnapshot(snapshot))) == content, "a snapshot stays the same on its way")
        require(outcome(of: content, on: nil) == snapshot, "a server that has nothing takes every valid snapshot")
    case .difference(let difference, _, _):
        require(outcome(of: content, on: nil) == nil, "a server that has nothing takes no difference")
        // An input would have to guess the version that is held, and the digest of the whole.
        apply(
            SnapshotDifference(
                base: held.version, version: difference.version, settings: difference.settings,
                carried: difference.carried, removed: difference.removed))
    }
    if let snapshot = outcome(of: content, on: held) { checkFollowsHeld(snapshot) }
}

/// What a server makes of a content; nil when it refuses.
private func outcome(of content: SnapshotContent, on current: Snapshot?) -> Snapshot? {
    do {
        return try content.applied(to: current)
    } catch {
        require(!error.reasons.isEmpty, "a refusal has a reason")
        return nil
    }
}

private func apply(_ difference: SnapshotDifference) {
    let snapshot: Snapshot
    do {
        snapshot = try held.applying(difference)
    } catch {
        return require(!error.reasons.isEmpty, "a refusal has a reason")
    }
    checkFollowsHeld(snapshot)
    let whole = try? Snapshot(
        incarnation: snapshot.incarnation, version: snapshot.version, settings: snapshot.settings,
        services: snapshot.services)
    require(whole == snapshot, "a difference leads to what would be found consistent as a whole, with the same digest")
    let message = WireSnapshot(difference, digest: snapshot.digest, incarnation: snapshot.incarnation)
    guard let content = try? SnapshotContent(message) else { fatalError("a difference is not valid on its way") }
    require(outcome(of: content, on: held) == snapshot, "a difference stays the same on its way")
}

private func checkFollowsHeld(_ snapshot: Snapshot) {
    require(snapshot.incarnation == held.incarnation, "versions of two stores are never compared")
    require(snapshot.version >= held.version, "a server never goes back")
    require((try? held.applying(snapshot.difference(from: held))) == snapshot, "a difference leads back")
}

/// What the difference among the seeds starts from: it carries service a otherwise, and removes b.
private let held: Snapshot = {
    do {
        let settings = ServerSettings(
            server: try Server(
                name: ServerName("za1"), region: RegionName("af"), hostname: DomainName("za1.dfree.test"),
                addresses: [Address("192.0.2.1")], trustedSenders: [Prefix("10.0.0.0/8")],
                defaultServices: [Address("192.0.2.1"): ServiceName("a")]),
            policy: EndpointPolicy(exceptions: [try Prefix("127.0.0.0/8")], fleet: [try Address("192.0.2.1")]))
        let endpoint = try Endpoint(EndpointTarget(host: EndpointHost("origin.acme.example")))
        return try Snapshot(
            incarnation: Incarnation(1), version: SnapshotVersion(4), settings: settings,
            services: [
                ServiceName("a"): Carriage(clientDomains: [ClientDomain("app1.acme.example")], endpoint: endpoint),
                ServiceName("b"): Carriage(clientDomains: [ClientDomain("app2.acme.example")], endpoint: endpoint),
            ])
    } catch {
        fatalError("what is held is invalid: \(error)")
    }
}()
