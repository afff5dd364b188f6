import Daemon
import Domain
import Testing

@testable import ControlDaemon

@Suite struct `Settings` {
    @Test func `everything has a default`() throws {
        let settings = try ControlSettings(ControlSettings.Flags(), environment: ["DDIRECT_LISTEN": ""])
        #expect(settings.listen.description == "127.0.0.1:7080")
        #expect(settings.channelPath == "/run/ddirect/channel.sock")
    }

    @Test func `a flag wins over its variable`() throws {
        var flags = ControlSettings.Flags()
        flags.listen = "[::1]:0"
        flags.allowEndpoint = ["127.0.0.0/8"]
        let settings = try ControlSettings(
            flags,
            environment: [
                "DDIRECT_LISTEN": "127.0.0.1:1", "DDIRECT_CHANNEL": "unix:/tmp/c", "DDIRECT_DATABASE": "/tmp/d",
                "DDIRECT_ALLOW_ENDPOINT": "10.0.0.0/8", "DDIRECT_ALLOW_ENDPOINT_PORT": "25, 500-600",
            ])
        #expect(settings.listen.description == "[::1]:0")
        #expect(settings.channelPath == "/tmp/c")
        #expect(settings.database == "/tmp/d")
        #expect(settings.exceptions.map(\.description) == ["127.0.0.0/8"])
        #expect(settings.ports.allowed.map(\.description) == ["25", "500-600"])
    }

    @Test func `the channel is on a Unix socket, over TCP, or both`() throws {
        var flags = ControlSettings.Flags()
        flags.channel = ["tcp:[::]:7443", "tcp:192.0.2.1:7444"]
        let secure = try ControlSettings(flags, environment: [:])
        #expect(secure.channelPath == nil)
        #expect(secure.secureChannel.map(\.description) == ["[::]:7443", "192.0.2.1:7444"])
        let both = try ControlSettings(
            ControlSettings.Flags(), environment: ["DDIRECT_CHANNEL": "unix:/run/c, tcp:0.0.0.0:7443"])
        #expect(both.channelPath == "/run/c")
        #expect(both.secureChannel.count == 1)
    }

    @Test func `everything wrong is told at once`() throws {
        var flags = ControlSettings.Flags()
        flags.listen = "0.0.0.0:80"
        flags.channel = ["tcp:control.example.net:7443", "unix:/a", "unix:/b", "udp:1"]
        flags.database = ""
        let faults = #expect(throws: SettingsFaults.self) {
            try ControlSettings(
                flags,
                environment: [
                    "DDIRECT_ALLOW_ENDPOINT": "10.0.0.0/8, 10.0.0.1/8,x", "DDIRECT_ALLOW_ENDPOINT_PORT": "25,ssh",
                ])
        }
        #expect(faults?.sentences.count == 8)
        #expect(faults?.description.contains("--listen is '0.0.0.0:80', which others can reach") == true)
        #expect(faults?.description.contains("DDIRECT_ALLOW_ENDPOINT: 'x' does not begin with an IP address") == true)
        #expect(faults?.description.contains("DDIRECT_ALLOW_ENDPOINT_PORT: 'ssh' is neither a port") == true)
    }
}
