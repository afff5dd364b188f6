import Domain
import Wire

/// A data plane that carries nothing: it keeps the number of the version that it was sent, and says at once that it has applied it.
///
/// It holds the control plane to the protocol: a difference must start at what was answered last, versions must grow. The services in
/// a snapshot are decoded as messages and looked at no further; real proxies do that in the same measurement.
struct StubServer {
    let name: ServerName
    private(set) var held: SnapshotVersion?
    private(set) var wholeSnapshots = 0
    private(set) var differences = 0

    init(name: ServerName) { self.name = name }

    var hello: WireFrame {
        .hello(Hello(server: name, softwareVersion: "stub", holding: nil, bootID: "stub"))
    }

    /// What is answered to a frame, or nil.
    mutating func answer(to frame: WireFrame) throws(Failure) -> WireFrame? {
        switch frame.message {
        case .snapshot(let snapshot):
            let version = SnapshotVersion(snapshot.version)
            try check(version, base: snapshot.hasBase ? SnapshotVersion(snapshot.base) : nil)
            if snapshot.hasBase { differences += 1 } else { wholeSnapshots += 1 }
            held = version
            return .applied(version)
        case .heartbeat, .command: return nil
        case .goodbye(let goodbye): throw Failure("\(name): the control plane said goodbye: \(goodbye.reason)")
        case .hello, .applied, .refused, .observation, .enroll, .certificateRequest, .certificate, nil:
            throw Failure("\(name): the control plane sent a frame that is not its to send")
        }
    }

    private func check(_ version: SnapshotVersion, base: SnapshotVersion?) throws(Failure) {
        if let base, base != held {
            throw Failure("\(name): got a difference from \(base), but holds \(held?.description ?? "nothing")")
        }
        if let held, version <= held { throw Failure("\(name): got version \(version), but holds \(held) already") }
    }
}

/// Why the measurement is void.
struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
