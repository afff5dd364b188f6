import NIOPosix
import Testing

@Suite(.timeLimit(.minutes(10))) struct `A publisher that stops` {
    @Test func `while connections come in drops none of them on its way, which would end the process`() async throws {
        for _ in 0..<50 {
            try await withPublisher(try FleetHistory().fleet) { _, path in
                for _ in 0..<20 {
                    // They need not be answered: that they are on their way when everything ends is the point.
                    ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton).connect(unixDomainSocketPath: path)
                        .whenSuccess { $0.close(promise: nil) }
                }
            }
        }
    }
}
