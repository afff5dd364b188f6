import Domain
import Glibc
import NIOCore
import NIOPosix

/// Sends DNS messages to one server and gathers the answers to them, in one time for everything.
struct DNSTransport: Sendable {
    /// Why there are no answers.
    struct Failure: Error {
        let reason: String
        /// Whether the server may have taken a message.
        var wasSent = false
    }

    enum Kind: Sendable {
        case tcp
        case udp
    }

    var loops: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton

    /// The answers in the order of the messages, whose first two octets have to differ, since answers come in any
    /// order.
    func exchange(
        _ messages: [[UInt8]], with server: TransportAddress, over kind: Kind, within limit: Duration
    ) async throws -> [[UInt8]] {
        guard !messages.isEmpty else { return [] }
        let loop = loops.next()
        let answers = loop.makePromise(of: [[UInt8]].self)
        let deadline = NIODeadline.now() + TimeAmount(limit)
        let late = Failure(reason: "\(server) does not answer within \(limit)")
        do {
            let address = try SocketAddress(ipAddress: server.address.description, port: Int(server.port))
            let channel =
                switch kind {
                case .tcp:
                    ClientBootstrap(group: loop).connectTimeout(TimeAmount(limit)).channelInitializer { channel in
                        channel.eventLoop.makeCompletedFuture {
                            try channel.pipeline.syncOperations.addHandlers([
                                ByteToMessageHandler(MessageDecoder()), MessagePrefix(),
                                DNSExchange(messages, answers, until: deadline, server, late),
                            ])
                        }
                    }.connect(to: address)
                case .udp:
                    DatagramBootstrap(group: loop).channelInitializer { channel in
                        channel.eventLoop.makeCompletedFuture {
                            try channel.pipeline.syncOperations.addHandlers([
                                Envelopes(), DNSExchange(messages, answers, until: deadline, server, late),
                            ])
                        }
                    }.connect(to: address)
                }
            channel.whenFailure { error in
                let reason = error is ChannelError ? late.reason : "\(server) cannot be connected to: \(error.words)"
                answers.fail(Failure(reason: reason))
            }
        } catch {
            answers.fail(Failure(reason: "\(server) is no address to connect to: \(error)"))
        }
        // Who does not want to know any more is not kept waiting; the connection ends by its deadline.
        return try await withTaskCancellationHandler {
            try await answers.futureResult.get()
        } onCancel: {
            answers.fail(CancellationError())
        }
    }
}

/// Sends the messages, some at a time, and takes the answers.
private final class DNSExchange: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Messages that wait for an answer. Servers read on while they answer, but none has to read without end.
    private static let mostUnderWay = 32

    private let messages: [[UInt8]]
    private let promise: EventLoopPromise<[[UInt8]]>
    private let deadline: NIODeadline
    private let server: TransportAddress
    private let late: DNSTransport.Failure
    /// Where the message with an ID stands.
    private let places: [UInt16: Int]
    private var answers: [[UInt8]?]
    private var sent = 0
    private var answered = 0
    private var timer: Scheduled<Void>?

    init(
        _ messages: [[UInt8]], _ promise: EventLoopPromise<[[UInt8]]>, until deadline: NIODeadline,
        _ server: TransportAddress,
        _ late: DNSTransport.Failure
    ) {
        self.messages = messages
        self.promise = promise
        self.deadline = deadline
        self.server = server
        self.late = late
        answers = Array(repeating: nil, count: messages.count)
        places = Dictionary(messages.enumerated().map { (DNSExchange.id(of: $1), $0) }) { first, _ in first }
    }

    private static func id(of message: [UInt8]) -> UInt16 { message.prefix(2).reduce(0) { $0 << 8 | UInt16($1) } }

    func channelActive(context: ChannelHandlerContext) {
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleTask(deadline: deadline) {
            let (handler, context) = bound.value
            handler.end(context, handler.late.reason)
        }
        send(context)
    }

    private func send(_ context: ChannelHandlerContext) {
        while sent < messages.count, sent - answered < DNSExchange.mostUnderWay {
            context.write(wrapOutboundOut(ByteBuffer(bytes: messages[sent])), promise: nil)
            sent += 1
        }
        context.flush()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let answer = Array(unwrapInboundIn(data).readableBytesView)
        // What answers nothing that we asked is somebody else's, or somebody's guess.
        guard let place = places[DNSExchange.id(of: answer)], place < sent, answers[place] == nil else { return }
        answers[place] = answer
        answered += 1
        guard answered == messages.count else { return send(context) }
        timer?.cancel()
        promise.succeed(answers.compactMap(\.self))
        context.close(promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        end(context, "\(server) does not answer: \(error.words)")
    }

    func channelInactive(context: ChannelHandlerContext) {
        end(context, "\(server) closed the connection before its answer")
    }

    /// Ends with a failure. Questions that were answered before are answered no more.
    private func end(_ context: ChannelHandlerContext, _ reason: String) {
        timer?.cancel()
        promise.fail(DNSTransport.Failure(reason: reason, wasSent: sent > 0))
        context.close(promise: nil)
    }
}

/// Cuts what comes over TCP into messages: each has its length before it (RFC 1035 section 4.2.2).
private struct MessageDecoder: ByteToMessageDecoder {
    typealias InboundOut = ByteBuffer

    mutating func decode(context: ChannelHandlerContext, buffer: inout ByteBuffer) throws -> DecodingState {
        guard let message = buffer.readLengthPrefixedSlice(as: UInt16.self) else { return .needMoreData }
        context.fireChannelRead(wrapInboundOut(message))
        return .continue
    }
}

private final class MessagePrefix: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let message = unwrapOutboundIn(data)
        var framed = context.channel.allocator.buffer(capacity: message.readableBytes + 2)
        framed.writeInteger(UInt16(clamping: message.readableBytes))
        framed.writeImmutableBuffer(message)
        context.write(wrapOutboundOut(framed), promise: promise)
    }
}

/// Of a socket that speaks to one address only, so that the kernel keeps all others out.
private final class Envelopes: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    typealias InboundOut = ByteBuffer

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        context.fireChannelRead(wrapInboundOut(unwrapInboundIn(data).data))
    }
}

extension Error {
    /// What went wrong with a connection, without where in our libraries.
    fileprivate var words: String {
        switch (self as? IOError)?.errnoCode {
        case ECONNREFUSED: "refused"
        case ECONNRESET: "reset"
        case EHOSTUNREACH, ENETUNREACH: "no way there"
        default: "\(self)"
        }
    }
}
