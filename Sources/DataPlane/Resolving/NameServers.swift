import Domain
import Syscalls

/// The name servers of this machine, as resolv.conf(5) names them.
///
/// The file is read again each second: a machine that has just started, or got another network, is given its name
/// servers late, and nobody sends a signal then.
struct NameServers {
    static let systemFile = "/etc/resolv.conf"
    /// MAXNS of resolv.h: the C library reads no more.
    static let most = 3
    /// Nobody has a longer one; it is read once a second.
    private static let longestFile = 65_536

    /// Those of the settings, which stay whatever the file says.
    private let given: [TransportAddress]
    private let path: String
    private let port: UInt16
    private var text: [UInt8]?
    private(set) var addresses: [TransportAddress]

    /// `given` has those of the settings; none for those of the file at `path`, which are asked at `port`.
    init(given: [TransportAddress], path: String = NameServers.systemFile, port: UInt16 = 53) {
        self.given = given
        self.path = path
        self.port = port
        // Until the file names some, this machine is asked, as the C library does.
        addresses = given.isEmpty ? [TransportAddress(Address(ipv4: 0x7F00_0001), port: port)] : given
        _ = reread()
    }

    /// Looks at the file again. True when there are other servers now; a file that names none changes nothing.
    mutating func reread() -> Bool {
        guard given.isEmpty, let read = try? File.contents(atPath: path, atMost: NameServers.longestFile), read != text
        else { return false }
        text = read
        let named = NameServers.named(in: read, port: port)
        guard !named.isEmpty, named != addresses else { return false }
        addresses = named
        return true
    }

    /// The servers that the text of such a file names.
    static func named(in text: [UInt8], port: UInt16 = 53) -> [TransportAddress] {
        var servers: [TransportAddress] = []
        for line in text.split(whereSeparator: { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }) {
            let words = line.split(whereSeparator: { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") })
            guard words.count >= 2, words[0].elementsEqual("nameserver".utf8), servers.count < most,
                // One with an interface (fe80::1%eth0) is none that c-ares can be told of.
                let address = Address(parsing: Array(words[1]).span)
            else { continue }
            servers.append(TransportAddress(address, port: port))
        }
        return servers
    }
}
