import Testing

@testable import Daemon

@Suite struct `Sockets that are passed` {
    @Test func `are numbered from three on, and named as their unit says`() {
        let environment = ["LISTEN_PID": "7", "LISTEN_FDS": "3", "LISTEN_FDNAMES": "http:https:snapshot-a"]
        #expect(
            PassedSocket.all(environment: environment, pid: 7) == [
                PassedSocket(number: 3, name: "http"), PassedSocket(number: 4, name: "https"),
                PassedSocket(number: 5, name: "snapshot-a"),
            ])
    }

    @Test func `may be without names, or with fewer`() {
        let one = PassedSocket.all(environment: ["LISTEN_PID": "7", "LISTEN_FDS": "1"], pid: 7)
        #expect(one == [PassedSocket(number: 3, name: "")])
        let two = PassedSocket.all(
            environment: ["LISTEN_PID": "7", "LISTEN_FDS": "2", "LISTEN_FDNAMES": "http"], pid: 7)
        #expect(two.map(\.name) == ["http", ""])
    }

    @Test(arguments: [
        [:], ["LISTEN_FDS": "2"], ["LISTEN_PID": "8", "LISTEN_FDS": "2"], ["LISTEN_PID": "7", "LISTEN_FDS": "0"],
        ["LISTEN_PID": "7", "LISTEN_FDS": "-1"], ["LISTEN_PID": "7", "LISTEN_FDS": "99999999999"],
        ["LISTEN_PID": "x", "LISTEN_FDS": "two"],
    ])
    func `are none when nobody passes any, or they are another's`(environment: [String: String]) {
        #expect(PassedSocket.all(environment: environment, pid: 7) == [])
    }
}
