import Crypto
import Domain
import FoundationEssentials
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization
import X509

@testable import Channel
@testable import Probing

/// What answers on two ports of the loopback as a server's monitor endpoint should, or as it should not.
final class MonitorStub: Sendable {
    enum Manner: Sendable {
        case answers(status: Int, server: String)
        /// Takes connections, and says nothing over them.
        case isSilent
        /// As if the network had lost them: nothing comes of the first so many connections to each port.
        case answersAfter(lost: Int)
        case hangsUp
        case speaksNonsense
    }

    private let channels: [any Channel]
    let httpPort: Domain.Port
    let httpsPort: Domain.Port

    private init(_ channels: [any Channel]) throws {
        self.channels = channels
        let ports = try channels.map { try Port($0.localAddress?.port ?? 0) }
        httpPort = ports[0]
        httpsPort = ports[1]
    }

    static func serving<Result: Sendable>(
        _ manner: Manner, certificateFor names: [String] = ["za1.dfree.test"],
        _ body: @Sendable (MonitorStub) async throws -> Result
    ) async throws -> Result {
        let context = try tls(names)
        var channels: [any Channel] = []
        for usesTLS in [false, true] {
            let counter = Counter()
            channels.append(
                try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                    .childChannelInitializer { channel in
                        channel.eventLoop.makeCompletedFuture {
                            let pipeline = channel.pipeline.syncOperations
                            if usesTLS { try pipeline.addHandler(NIOSSLServerHandler(context: context)) }
                            try pipeline.addHandler(Answering(manner, number: counter.next()))
                        }
                    }
                    .bind(host: "127.0.0.1", port: 0).get())
        }
        let stub = try MonitorStub(channels)
        let result: Swift.Result<Result, any Error>
        do { result = .success(try await body(stub)) } catch { result = .failure(error) }
        for channel in channels { try await channel.close() }
        return try result.get()
    }

    /// As a target that is asked over and over.
    /// The time is long, as a busy machine takes for what takes no time.
    func target(
        timeout: Duration = .seconds(60), addresses: [String] = ["127.0.0.1"], checks: [ProbeCheck] = []
    ) throws -> ProbeTarget {
        ProbeTarget(
            server: try ServerName("za1"), hostname: try DomainName("za1.dfree.test"),
            addresses: try addresses.map { try Address($0) }, httpPort: httpPort, httpsPort: httpsPort,
            interval: .milliseconds(50), timeout: timeout, checks: checks)
    }

    /// Whether a miss says this of one of the ports, or of both: whichever was found out first.
    func isTold(_ problem: String, in outcome: ProbeOutcome) -> Bool {
        let doors = [httpPort, httpsPort].map { "127.0.0.1:\($0): \(problem)" }
        return doors.contains(outcome.error ?? "") || outcome.error == doors.joined(separator: "; ")
    }

    /// A certificate that signs itself, as a monitor endpoint's does.
    static func certificate(_ names: [String]) throws -> (der: [UInt8], privateKeyPEM: String) {
        let key = Certificate.PrivateKey(P256.Signing.PrivateKey())
        let name = try DistinguishedName { CommonName("monitor") }
        let certificate = try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber.random(), publicKey: key.publicKey,
            notValidBefore: Date() - 3600, notValidAfter: Date() + 3600, issuer: name, subject: name,
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                if !names.isEmpty { SubjectAlternativeNames(names.map { .dnsName($0) }) }
            },
            issuerPrivateKey: key)
        return (try certificate.der, try key.serializeAsPEM().pemString)
    }

    private static func tls(_ names: [String]) throws -> NIOSSLContext {
        let (der, key) = try certificate(names)
        return try NIOSSLContext(
            configuration: .makeServerConfiguration(
                certificateChain: [.certificate(try NIOSSLCertificate(bytes: der, format: .der))],
                privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(key.utf8), format: .pem))))
    }

    private final class Counter: Sendable {
        private let count = Mutex(0)

        func next() -> Int {
            count.withLock { count in
                count += 1
                return count
            }
        }
    }

    private final class Answering: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let manner: Manner
        private let number: Int

        init(_ manner: Manner, number: Int) {
            self.manner = manner
            self.number = number
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch manner {
            case .answers(let status, let server): answer(context, status, server)
            case .answersAfter(let lost) where number > lost: answer(context, 200, "za1")
            case .isSilent, .answersAfter: break
            case .hangsUp: context.close(promise: nil)
            case .speaksNonsense:
                context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: "220 mail.example ESMTP\r\n")), promise: nil)
            }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

        private func answer(_ context: ChannelHandlerContext, _ status: Int, _ server: String) {
            let body = "{\"server\":\"\(server)\",\"state\":\"serving\"}\n"
            let head = "HTTP/1.1 \(status) Word\r\nContent-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n"
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: head + body)), promise: nil)
            context.close(promise: nil)
        }
    }
}
