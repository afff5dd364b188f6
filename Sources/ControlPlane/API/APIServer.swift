package import Domain
import Hummingbird
import HummingbirdCore
package import Logging
import NIOCore
import ServiceLifecycle

/// The API's listener.
package struct APIServer: ServiceLifecycle.Service, CustomStringConvertible {
    package let api: ControlAPI
    package let listen: TransportAddress
    /// More connections wait in the backlog.
    package let mostConnections: Int
    /// Called when the listener is open.
    package let onListening: @Sendable () async -> Void
    package let logger: Logger

    package init(
        api: ControlAPI, listen: TransportAddress, mostConnections: Int,
        onListening: @escaping @Sendable () async -> Void, logger: Logger
    ) {
        self.api = api
        self.listen = listen
        self.mostConnections = mostConnections
        self.onListening = onListening
        self.logger = logger
    }

    /// Longer than the longest `?wait=applied`.
    private static let idleTimeout = TimeAmount.seconds(90)

    /// Why the API could not listen.
    package struct CannotListen: Error, CustomStringConvertible {
        let address: TransportAddress
        let cause: any Error

        package var description: String {
            "the API cannot listen on \(address): \(cause); expected an address of this machine and a port that nobody "
                + "else has (--listen)"
        }
    }

    /// The service group describes its services at a start. Without this it would print all operations, by reflection.
    package var description: String { "API on \(listen)" }

    package func run() async throws {
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
                // For port 0 the kernel chooses a port. The starter of this process reads it in this line.
                let address = TransportAddress(listen.address, port: UInt16(channel.localAddress?.port ?? 0))
                logger.info("API is listening", metadata: ["address": "\(address)"])
                await onListening()
            },
            logger: logger)
    }
}
