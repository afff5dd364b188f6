import Foundation
import Glibc
import Synchronization
import Wire

/// A control plane of a test's own, for what no real one says: it speaks the real channel, and sends what the test
/// wants.
///
/// Of its own accord it only beats, in every session, unless it is silent.
final class FakeControl: Sendable {
    private let path: String
    private let descriptor: Int32
    private let opened = Mutex<[Session]>([])
    private let silence = Mutex(false)

    init() throws {
        let scene = try Scene.present()
        path = scene.path("fake.sock")
        descriptor = try SystemSocket.make(AF_UNIX)
        guard SystemSocket.bind(descriptor, path: path), listen(descriptor, 16) == 0 else {
            throw Failure("cannot listen on \(path): errno \(errno)")
        }
        scene.atEnd { [self] in stop() }
        let thread = Thread { [self] in
            while let connection = accept() { begin(Session(connection)) }
        }
        thread.name = "fake control plane"
        thread.start()
    }

    deinit { Glibc.close(descriptor) }

    var channel: String { "unix:\(path)" }

    /// Whether it leaves out its heartbeats.
    var isSilent: Bool {
        get { silence.withLock { $0 } }
        set { silence.withLock { $0 = newValue } }
    }

    /// Waits for a session that is open, in which the data plane has said Hello, and that is not `former` or one before
    /// it.
    func awaitSession(after former: Session? = nil) throws -> Session {
        try eventually("a data plane says Hello to the fake control plane") { () -> Session? in
            let sessions = opened.withLock { $0 }
            let known = former.flatMap { former in sessions.lastIndex { $0 === former } }
            return sessions.dropFirst(known.map { $0 + 1 } ?? 0).last { !$0.isOver && !$0.heard.isEmpty }
        }
    }

    private func accept() -> TCPConnection? {
        let number = Glibc.accept(descriptor, nil, nil)
        return number < 0 ? nil : TCPConnection(descriptor: number)
    }

    private func begin(_ session: Session) {
        opened.withLock { $0.append(session) }
        Thread { session.hear() }.start()
        Thread { [self] in
            while !session.isOver {
                // That the data plane has gone is seen by the thread that hears.
                if !isSilent { try? session.send(.heartbeat) }
                pause(ChannelRules.heartbeatInterval)
            }
        }.start()
    }

    private func stop() {
        shutdown(descriptor, Int32(SHUT_RDWR))
        for session in opened.withLock({ $0 }) { session.end() }
    }
}

extension FakeControl {
    /// One connection of a data plane.
    final class Session: Sendable {
        private let connection: TCPConnection
        /// Held while something is sent: heartbeats come from a thread of their own.
        private let turn = Mutex(())
        private let state = Mutex(State())

        private struct State {
            var heard: [WireFrame.OneOf_Message] = []
            var isOver = false
        }

        init(_ connection: TCPConnection) { self.connection = connection }

        /// What the data plane has said so far, but for its heartbeats; Hello comes first.
        var heard: [WireFrame.OneOf_Message] { state.withLock { $0.heard } }
        /// Whether either side has ended it.
        var isOver: Bool { state.withLock { $0.isOver } }

        var hello: Hello {
            get throws {
                guard case .hello(let message)? = heard.first else { throw Failure("no Hello, but \(heard)") }
                return try Hello(message)
            }
        }

        var refusals: [WireRefused] {
            heard.compactMap { if case .refused(let refused) = $0 { refused } else { nil } }
        }

        func send(_ frame: WireFrame) throws {
            try send(octets: FrameEncoder(longestFrame: ChannelRules.longestFrameDown).encoded(frame))
        }

        func send(octets: [UInt8]) throws { try turn.withLock { _ in try connection.send(octets) } }

        func awaitApplied(_ version: UInt64) throws {
            try eventually("version \(version) is applied") { () -> Bool in
                heard.contains { if case .applied(let applied) = $0 { applied.version == version } else { false } }
            }
        }

        /// Waits for a refusal, the first of this session.
        func awaitRefusal() throws -> WireRefused {
            try eventually("a snapshot is refused") { () -> WireRefused? in refusals.first }
        }

        /// Waits until it is over.
        func awaitEnd() throws { try eventually("the data plane ends the session") { () -> Bool in isOver } }

        /// Hangs up without a word.
        func end() { shutdown(connection.descriptor, Int32(SHUT_RDWR)) }

        /// Takes what the data plane says, until the session is over.
        func hear() {
            var decoder = FrameDecoder(longestFrame: ChannelRules.longestFrameUp)
            do {
                while case .bytes(let bytes) = connection.receive() {
                    decoder.append(bytes)
                    while let frame = try decoder.next() { note(frame) }
                }
            } catch {
                // As a real control plane would. Whoever waits for what the data plane should have said finds out.
                end()
            }
            state.withLock { $0.isOver = true }
        }

        private func note(_ frame: WireFrame) {
            guard let message = frame.message else { return }
            if case .heartbeat = message { return }
            state.withLock { $0.heard.append(message) }
        }
    }
}
