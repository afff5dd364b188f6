import Logging
import Synchronization
import Syscalls
import Testing

@testable import DataPlane

/// A thread that does what a test wants: it runs until it is let go.
private final class Puppet: Sendable {
    struct Fault: Error, CustomStringConvertible {
        let description: String
    }

    let pulse = Pulse()
    private let strings: Mailbox<String?>

    init() throws { strings = try Mailbox() }

    /// Ends it, with a fault or without.
    func end(_ fault: String? = nil) { strings.post(fault) }

    func plan(
        _ name: String, _ loss: DaemonThread.Loss = .ofTraffic, stopped: @escaping @Sendable () -> Void = {}
    ) -> DaemonThread {
        DaemonThread(
            name: name, loss: loss, consequence: "nobody dances", rounds: { self.pulse.count }, patience: .seconds(5),
            run: {
                var set = PollSet()
                set.add(self.strings.descriptor)
                set.wait(milliseconds: -1)
                if let fault = self.strings.drain().compactMap({ $0 }).first { throw Fault(description: fault) }
            },
            stop: {
                stopped()
                self.end()
            })
    }
}

@Suite struct `The list of threads` {
    private let lines = LineKeeper()
    private let threads: ThreadList

    init() {
        let lines = lines
        threads = ThreadList(logger: Logger(label: "threads") { _ in lines })
    }

    @Test func `stops them in the reverse of the order in which they were started`() throws {
        let order = Mutex<[String]>([])
        for name in ["first", "second", "third", "fourth"] {
            let plan = try Puppet().plan(name) { order.withLock { $0.append(name) } }
            try threads.start(plan, at: .zero)
        }
        threads.stop(after: "second")
        #expect(order.withLock { $0 } == ["fourth", "third"])
        threads.stop()
        #expect(order.withLock { $0 } == ["fourth", "third", "second", "first"])
        threads.stop()
        #expect(order.withLock { $0.count } == 4)
        #expect(lines.all.isEmpty)
    }

    @Test func `tells of one that fails, and why, in the log and to who asks`() throws {
        let (resolver, prober) = (try Puppet(), try Puppet())
        try threads.start(resolver.plan("resolver"), at: .zero)
        try threads.start(prober.plan("prober", .ofService), at: .zero)
        #expect(threads.ailments(at: .zero).isEmpty)
        prober.end("no descriptor")
        try eventually("the end of the prober") { !threads.ailments(at: .zero).isEmpty }
        let first = ThreadAilment(thread: "prober", loss: .ofService, kind: .ended("no descriptor", "nobody dances"))
        #expect(threads.ailments(at: .zero) == [first])
        #expect(!first.isOfTraffic)
        #expect(first.text == "Thread prober has ended (no descriptor): nobody dances")
        resolver.end("no memory")
        try eventually("the end of the resolver") { threads.ailments(at: .zero).count == 2 }
        #expect(threads.ailments(at: .zero).map(\.thread) == ["resolver", "prober"])
        #expect(threads.ailments(at: .zero).map(\.isOfTraffic) == [true, false])
        // A line is written just after it can be asked for.
        try eventually("two lines") { lines.all.count == 2 }
        threads.stop()
    }

    @Test func `takes one that just returns for one that has failed`() throws {
        let puppet = try Puppet()
        try threads.start(puppet.plan("subscriber"), at: .zero)
        puppet.end()
        try eventually("its end") { !threads.ailments(at: .zero).isEmpty }
        #expect(
            threads.ailments(at: .zero).map(\.text) == ["Thread subscriber has ended (it has returned): nobody dances"])
        threads.stop()
    }

    @Test func `finds nothing wrong with an end that is expected`() throws {
        let puppet = try Puppet()
        try threads.start(puppet.plan("worker-0"), at: .zero)
        threads.expectEnds()
        puppet.end("whatever")
        threads.stop()
        #expect(threads.ailments(at: .seconds(1)).isEmpty)
        #expect(lines.all.isEmpty)
    }

    @Test func `takes one whose rounds stand still for longer than its patience for stuck, until it moves`() throws {
        let puppet = try Puppet()
        try threads.start(puppet.plan("worker-0"), at: .seconds(100))
        for second in 101...105 { #expect(threads.ailments(at: .seconds(second)).isEmpty) }
        #expect(threads.ailments(at: .milliseconds(105_001)).map(\.text) == ["Thread worker-0 makes no progress"])
        puppet.pulse.beat()
        #expect(threads.ailments(at: .seconds(106)).isEmpty)
        for second in 107...111 { #expect(threads.ailments(at: .seconds(second)).isEmpty) }
        #expect(threads.ailments(at: .seconds(112)).map(\.kind) == [.stuck])
        threads.stop()
    }

    @Test func `judges nobody when the whole process has stood still`() throws {
        let puppet = try Puppet()
        try threads.start(puppet.plan("worker-0"), at: .zero)
        #expect(threads.ailments(at: .seconds(1)).isEmpty)
        #expect(threads.ailments(at: .seconds(3600)).isEmpty)
        #expect(threads.ailments(at: .seconds(3601)).isEmpty)
        threads.stop()
    }
}

@Suite struct `What is told of a thread that is lost` {
    private func answer(_ path: String, _ board: StatusBoard) -> Answer {
        AdminAnswer.to(Question(head: Array("GET \(path) HTTP/1.1\r\n".utf8).span), status: board.current) { _ in [] }
    }

    @Test func `traffic needs it: this server is neither healthy nor ready, and says which thread and why`() throws {
        let board = try Samples.servingBoard()
        board.setAilments(
            [ThreadAilment(thread: "resolver", loss: .ofTraffic, kind: .ended("no memory", "no names"))], at: .zero)
        let told = Answer.text(503, "Thread resolver has ended (no memory): no names.")
        #expect(answer("/healthz", board) == told)
        #expect(answer("/readyz", board) == told)
        #expect(board.current.line.hasSuffix("; Thread resolver has ended (no memory): no names"))
        board.setAilments([], at: .zero)
        #expect(answer("/healthz", board).status == 200)
        #expect(answer("/readyz", board).status == 200)
    }

    @Test func `traffic does not: this server is unhealthy, and ready`() throws {
        let board = try Samples.servingBoard()
        board.setAilments(
            [
                ThreadAilment(thread: "prober", loss: .ofService, kind: .stuck),
                ThreadAilment(thread: "health", loss: .ofService, kind: .stuck),
            ], at: .zero)
        #expect(
            answer("/healthz", board)
                == .text(503, "Thread prober makes no progress.\nThread health makes no progress."))
        #expect(answer("/readyz", board).status == 200)
    }
}
