import Domain
import FoundationEssentials
import Glibc
import NIOCore
import NIOPosix
import NIOSSL
import SystemPackage

/// One attempt at a door: a connection, a request, and what comes back.
struct ProbeAttempt: Sendable {
    let series: ProbeSeries
    let door: ProbeQuestion.Door
    let tls: ProbeTLS
    let loop: any EventLoop
    /// Told when the other end has taken the connection.
    let accepted: @Sendable () -> Void

    /// Makes it; ends early when the task is cancelled, which is how a round lets go of what it waits for no more.
    func end() async -> ProbeRound.End {
        let address: SocketAddress
        do {
            address = try SocketAddress(ipAddress: door.address.address.description, port: Int(door.address.port))
        } catch {
            return .unreachable("\(error)")
        }
        let end = await connect(to: address)
        // The same words may come from this machine, which has no way there, or from a router at the other end of the
        // world.
        guard case .unreachable(let problem) = end, await hasRoute(to: address) else { return end }
        return .failed(problem)
    }

    private func connect(to address: SocketAddress) async -> ProbeRound.End {
        let verdict = loop.makePromise(of: ProbeRound.End.self)
        return await withTaskCancellationHandler {
            ClientBootstrap(group: loop)
                .channelOption(.tcpOption(.tcp_nodelay), value: 1)
                // The round's end comes first.
                .connectTimeout(TimeAmount(series.timeout + .seconds(1)))
                .channelInitializer { channel in
                    // Not at once: the verdict may come from the middle of TLS, which must not be called back then.
                    verdict.futureResult.whenComplete { _ in loop.execute { channel.close(promise: nil) } }
                    return channel.eventLoop.makeCompletedFuture {
                        let pipeline = channel.pipeline.syncOperations
                        if door.usesTLS { try pipeline.addHandler(tls.handler(for: series, verdict: verdict)) }
                        try pipeline.addHandler(ProbeExchange(series, accepted, verdict: verdict))
                    }
                }
                .connect(to: address)
                .whenFailure { verdict.succeed(ProbeAttempt.end(ofConnecting: $0)) }
            do {
                return try await verdict.futureResult.get()
            } catch {
                return .failed("\(error)")
            }
        } onCancel: {
            verdict.succeed(.notMade("the round was over"))
        }
    }

    private static func end(ofConnecting error: any Error) -> ProbeRound.End {
        guard let error = error as? IOError else { return .failed("\(error)") }
        let errno = Errno(rawValue: error.errnoCode)
        return switch error.errnoCode {
        case ECONNREFUSED: .refused("refused")
        case ECONNRESET: .refused("reset")
        case ENETUNREACH, EHOSTUNREACH, EACCES, EPERM, EINVAL, EAFNOSUPPORT: .unreachable("\(errno)")
        case EMFILE, ENFILE, ENOBUFS, ENOMEM, EADDRNOTAVAIL, EAGAIN: .notMade("\(errno)")
        default: .failed("\(errno)")
        }
    }

    /// Whether this machine has a way to an address. Connecting UDP sends nothing: it is a question to our own kernel.
    private func hasRoute(to address: SocketAddress) async -> Bool {
        do {
            let channel = try await DatagramBootstrap(group: loop).connect(to: address).get()
            try await channel.close()
            return true
        } catch {
            return false
        }
    }
}

/// Asks, and reads the answer.
private final class ProbeExchange: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let series: ProbeSeries
    private let accepted: @Sendable () -> Void
    private let verdict: EventLoopPromise<ProbeRound.End>
    private var answer: ProbeAnswer

    init(_ series: ProbeSeries, _ accepted: @escaping @Sendable () -> Void, verdict: EventLoopPromise<ProbeRound.End>) {
        self.series = series
        self.accepted = accepted
        self.verdict = verdict
        answer = ProbeAnswer(wantsServer: series.question.service == nil)
    }

    func channelActive(context: ChannelHandlerContext) {
        accepted()
        let request = series.question.request(
            from: Vantage.control.description, at: UInt64(max(0, Date().timeIntervalSince1970)),
            nonce: .random(in: .min ... .max), authenticate: ProbeToken.authenticate)
        // TLS keeps it until the handshake is complete.
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: request)), promise: nil)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if let reading = answer.read(unwrapInboundIn(data).readableBytesView) { conclude(reading) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        if answer.isEmpty { verdict.succeed(.turnedAway("closed without an answer")) } else { conclude(answer.ended()) }
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error {
        case let error as IOError where error.errnoCode == ECONNRESET || error.errnoCode == EPIPE:
            verdict.succeed(
                answer.isEmpty ? .turnedAway("reset") : .refused("reset before the end of its answer"))
        case let error as IOError: verdict.succeed(.failed("\(Errno(rawValue: error.errnoCode))"))
        // The connection was closed without TLS's goodbye. It becomes inactive, and the octets so far are judged.
        case NIOSSLError.uncleanShutdown: break
        case is NIOSSLError, is BoringSSLError:
            let text = ProbeTLS.text(error)
            verdict.succeed(text == ProbeTLS.closed ? .turnedAway(text) : .refused(text))
        default: verdict.succeed(.failed("\(error)"))
        }
    }

    private func conclude(_ reading: ProbeAnswer.Reading) {
        switch reading {
        case .malformed(let problem): verdict.succeed(.refused(problem))
        case .complete(let status, let server):
            verdict.succeed(series.question.end(status: status, server: server))
        }
    }
}
