import Daemon
import Domain
import Syscalls

/// A listening socket, and what its connections speak.
struct Listener: Sendable {
    let socket: Socket
    let isHTTP: Bool
    let address: TransportAddress
    /// Opened by the service manager, which keeps it over a restart: then connections wait in its queue, and are not
    /// refused.
    let isPassed: Bool

    /// Why there is no listener.
    struct Unusable: Error, CustomStringConvertible {
        let description: String
    }

    /// Binds every address, so that one that is taken is known at once; nothing is accepted yet.
    static func bound(http: [TransportAddress], https: [TransportAddress]) throws(SystemCallError) -> [Listener] {
        var listeners: [Listener] = []
        for (addresses, isHTTP) in [(http, true), (https, false)] {
            for address in addresses {
                let socket = try Socket.bound(to: address, deferAccept: true)
                listeners.append(
                    Listener(
                        socket: socket, isHTTP: isHTTP, address: socket.localAddress ?? address, isPassed: false))
            }
        }
        return listeners
    }

    /// Takes over the sockets that the service manager passes. What each speaks is in its name (`http` or `https`), or
    /// else follows from its port, which is one of the addresses that we would have bound.
    static func passed(
        _ sockets: [PassedSocket], http: [TransportAddress], https: [TransportAddress]
    ) throws(Unusable) -> [Listener] {
        var listeners: [Listener] = []
        for passed in sockets {
            let socket = Socket(number: passed.number)
            guard socket.isListening, let address = socket.localAddress else {
                throw Unusable(
                    description: "the socket \(passed.number) ('\(passed.name)') that the service manager passes is no "
                        + "listening TCP socket; expected one of ListenStream= with a port")
            }
            let isHTTP: Bool
            switch passed.name {
            case "http": isHTTP = true
            case "https": isHTTP = false
            case _ where http.contains { $0.port == address.port }: isHTTP = true
            case _ where https.contains { $0.port == address.port }: isHTTP = false
            default:
                throw Unusable(
                    description:
                        "the service manager passes a socket on \(address) ('\(passed.name)'), and neither its name "
                        + "nor its port tells what it speaks; expected FileDescriptorName=http or https, or a port that "
                        + "--http or --https has")
            }
            socket.adoptListening(deferAccept: true)
            listeners.append(Listener(socket: socket, isHTTP: isHTTP, address: address, isPassed: true))
        }
        return listeners
    }
}
