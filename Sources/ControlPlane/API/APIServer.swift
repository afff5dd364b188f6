import Domain
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import ServiceLifecycle

/// The API's listener.
struct APIServer: ServiceLifecycle.Service {
    let api: ControlAPI
    let listen: TransportAddress
    /// More connections wait in the backlog.
    let mostConnections: Int
    /// Called when the listener is open.
    let onListening: @Sendable () async -> Void
    let logger: Logger

    /// Longer than the longest `?wait=applied`.
    private static let idleTimeout = TimeAmount.seconds(90)

    /// Why the API could not listen.
    struct CannotListen: Error, CustomStringConvertible {
        let address: TransportAddress
        let cause: any Error

        var description: String {
            "the API cannot listen on \(address): \(cause); expected an address of this machine and a port that nobody "
                + "else has (--listen)"
        }
    }

    func run() async throws {
        do {
            try await application.run()
        } catch let error as IOError {
            throw CannotListen(address: listen, cause: error)
        }
    }

    private var application: some ApplicationProtocol {
        Application(
            responder: api, server: .http1(configuration: .init(idleTimeout: APIServer.idleTimeout)),
            configuration: ApplicationConfiguration(
                address: .hostname(listen.address.description, port: Int(listen.port)),
                availableConnectionsDelegate: MaximumAvailableConnections(mostConnections)),
            onServerRunning: { channel in
                // Port 0 was the kernel's to choose; whoever started us reads here what it chose.
                let address = TransportAddress(listen.address, port: UInt16(channel.localAddress?.port ?? 0))
                logger.info("API is listening", metadata: ["address": "\(address)"])
                await onListening()
            },
            logger: logger)
    }
}
