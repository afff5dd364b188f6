/// Makes ClientHellos as a test wants them, well-formed or not.
struct HelloMaker {
    typealias Extension = (type: UInt16, data: [UInt8])

    var version: UInt16 = 0x0303
    var session = [UInt8](repeating: 7, count: 32)
    var suites: [UInt8] = [0x1A, 0x1A, 0x13, 0x01, 0x13, 0x02]
    var compressions: [UInt8] = [0]
    var extensions: [Extension]? = []
    var messageType: UInt8 = 1

    init() {}

    init(serverName: String) { extensions = [(0, HelloMaker.serverNames([serverName]))] }

    static func serverNames(_ names: [String]) -> [UInt8] {
        var list: [UInt8] = []
        for name in names { list += [0] + number(name.utf8.count) + Array(name.utf8) }
        return number(list.count) + list
    }

    static func number(_ value: Int) -> [UInt8] { [UInt8(value >> 8 & 0xFF), UInt8(value & 0xFF)] }

    /// The handshake message.
    var message: [UInt8] {
        var body = [UInt8(version >> 8), UInt8(version & 0xFF)] + [UInt8](repeating: 42, count: 32)
        body += [UInt8(session.count)] + session
        body += HelloMaker.number(suites.count) + suites
        body += [UInt8(compressions.count)] + compressions
        if let extensions {
            let all = extensions.flatMap {
                HelloMaker.number(Int($0.type)) + HelloMaker.number($0.data.count) + $0.data
            }
            body += HelloMaker.number(all.count) + all
        }
        return [messageType, UInt8(body.count >> 16)] + HelloMaker.number(body.count) + body
    }

    /// The message in records of at most `size` bytes.
    func records(of size: Int = 16_384) -> [UInt8] { HelloMaker.records(message, of: size) }

    static func records(_ message: [UInt8], of size: Int) -> [UInt8] {
        stride(from: 0, to: message.count, by: size).flatMap { record(message[$0..<min($0 + size, message.count)]) }
    }

    static func record(_ piece: ArraySlice<UInt8>) -> [UInt8] { [22, 3, 1] + number(piece.count) + piece }

    /// The longest message that there can be, with a name: as many suites, compressions and extensions as their lengths
    /// can say.
    static var longest: [UInt8] {
        var maker = HelloMaker(serverName: "app.acme.example")
        maker.suites = [UInt8](repeating: 0x13, count: 65_534)
        maker.compressions = [UInt8](repeating: 0, count: 255)
        let names = 4 + serverNames(["app.acme.example"]).count
        maker.extensions?.append((0x15, [UInt8](repeating: 0, count: 65_535 - names - 4)))
        return maker.message
    }

    /// As a browser with a post-quantum key share sends it: GREASE first and last, ECH, and 1,216 bytes of
    /// X25519MLKEM768.
    static var postQuantum: HelloMaker {
        var maker = HelloMaker()
        let share = [0x0A, 0x0A, 0, 1, 0] + number(0x11EC) + number(1216) + [UInt8](repeating: 0xA5, count: 1216)
        let classic = number(0x001D) + number(32) + [UInt8](repeating: 0x5A, count: 32)
        maker.extensions = [
            (0x0A0A, []),
            (0x002B, [4, 0x1A, 0x1A, 3, 4]),
            (0xFE0D, [UInt8](repeating: 0xEC, count: 282)),
            (0x0033, number(share.count + classic.count) + share + classic),
            (0x0000, serverNames(["outer.acme.example"])),
            (0x0010, [0, 12, 2, 0x68, 0x32, 8] + Array("http/1.1".utf8)),
            (0x1A1A, [0]),
        ]
        return maker
    }
}
