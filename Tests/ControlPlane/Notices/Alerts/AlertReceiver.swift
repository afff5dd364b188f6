import Foundation
import Hummingbird
import Logging
import ServiceLifecycle
import Synchronization

@testable import JSON

/// Whoever is told by a webhook: an HTTP server in this process, and all that it was sent.
final class AlertReceiver: Sendable {
    struct Call: Sendable {
        let headers: HTTPFields
        let body: String

        var id: String? { header("ddirect-alert-id") }
        var signature: String? { header("ddirect-signature") }
        var json: JSONValue { (try? JSONValue.parse(body.utf8)) ?? .null }

        private func header(_ name: String) -> String? { headers.first { $0.name.canonicalName == name }?.value }
    }

    enum Answer: Sendable {
        case status(Int, String = "", location: String? = nil)
        /// Nothing, for longer than anybody waits.
        case silence
        /// The head, and a body without an end.
        case flood(Int)
    }

    private let port = Mutex(0)
    private let received = Mutex<[Call]>([])
    /// What the call with this number is answered, the first being 1.
    private let answer: @Sendable (Int) -> Answer

    init(_ answer: @escaping @Sendable (Int) -> Answer = { _ in .status(204) }) { self.answer = answer }

    var calls: [Call] { received.withLock { $0 } }
    var url: String { "http://127.0.0.1:\(port.withLock { $0 })/hook/secret" }

    /// Listens while `body` runs.
    func listen(_ body: @escaping @Sendable () async throws -> Void) async throws {
        var logger = Logger(label: "test.receiver")
        logger.logLevel = .critical
        let application = Application(
            responder: CallbackResponder { (request: Request, _: BasicRequestContext) in try await self.take(request) },
            configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { channel in self.port.withLock { $0 = channel.localAddress?.port ?? 0 } }, logger: logger)
        try await running([application], logger) {
            try await eventually("the receiver listens") { self.port.withLock { $0 } != 0 }
            try await body()
        }
    }

    private func take(_ request: Request) async throws -> Response {
        let body = try await request.body.collect(upTo: 1 << 20)
        let number = received.withLock { calls in
            calls.append(Call(headers: request.headers, body: String(buffer: body)))
            return calls.count
        }
        switch answer(number) {
        case .status(let status, let text, let location):
            var headers: HTTPFields = [:]
            if let location { headers[.location] = location }
            return Response(
                status: .init(code: status), headers: headers,
                body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
        case .silence:
            // The server waits for its requests when it is stopped.
            try? await cancelWhenGracefulShutdown { try await Task.sleep(for: .seconds(3600)) }
            return Response(status: .ok)
        case .flood(let status):
            return Response(
                status: .init(code: status),
                body: ResponseBody { writer in
                    while !Task.isCancelled { try await writer.write(ByteBuffer(repeating: 0x61, count: 65_536)) }
                    try await writer.finish(nil)
                })
        }
    }
}

/// Runs services while `body` runs, and stops them as a daemon is stopped.
func running(
    _ services: [any ServiceLifecycle.Service], _ logger: Logger, _ body: @escaping @Sendable () async throws -> Void
) async throws {
    let group = ServiceGroup(services: services, logger: logger)
    try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask { try await group.run() }
        let result: Swift.Result<Void, any Error>
        do {
            result = .success(try await body())
        } catch {
            result = .failure(error)
        }
        await group.triggerGracefulShutdown()
        try await tasks.waitForAll()
        try result.get()
    }
}
