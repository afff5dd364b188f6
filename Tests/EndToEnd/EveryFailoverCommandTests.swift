import Foundation
import Testing

extension `Every command` {
    // MARK: Failover

    /// za1 and ie1 are connected and well, and the name of acme-app leads to za1.
    static let failovers: [Step] = [
        Step("failover status", eventually: true, says: "SERVER", "za1", "healthy"),
        Step("failover status --json", eventually: true, says: "\"holding\": null"),
        Step("failover plan za1", eventually: true, says: "→", "would move 1 service to ie1"),
        Step("failover plan za1 --json", says: "\"to\": \"ie1\""),
        Step("failover plan nobody", exits: 1, says: "There is no server 'nobody'"),
        Step("freeze --for 2h --reason test", says: "frozen until"),
        Step("failover plan za1", exits: 2, says: "would be stopped", "ddirect unfreeze"),
        Step("failover run za1 --reason test", exits: 1, says: "the fleet is frozen by admin"),
        Step("unfreeze", says: "not frozen"),
        Step("failover drill za1 --for 10", exits: 64, says: "such as 90s"),
        Step("failover run za1", exits: 64, says: "--reason"),
        Step("failover run za1 --reason test --wait", says: "is done", "1 service to ie1"),
        Step("service show acme-app", says: "primary", "za1"),
        Step("failover run za1 --reason test", exits: 1, says: "nothing to move"),
        Step("failback za1 --reason test --wait", says: "is done"),
        Step("failback za1 --reason test", exits: 1, says: "nothing to take back"),
        Step("failover drill za1 --for 10m", says: "has begun", "ends by itself"),
        Step("failover history", says: "drill", "manual", "failback"),
        Step("failover history --json --limit 1", says: "\"kind\": \"drill\""),
        Step("failover show 1", says: "timeline", "acme.test", "za1"),
        Step("failover show 1 --json", says: "\"timeline\""),
        Step("failover show 99", exits: 1, says: "There is no failover '99'"),
        Step("server force ie1 up --for 1h --reason test", says: "counts as up until"),
        Step("failover status", says: "ie1"),
        Step("server force ie1 off", says: "what the probes say"),
        Step("audit list", says: "failover.manual", "failover.drill", "failover.freeze", "server.override"),
        Step("events", says: "failover.decided", "failover.verified", "fleet.frozen"),
    ]

    @Test func `about failover says what it does, and ends with the right code`() throws {
        let nginx = try Nginx("first")
        let names = try Knot("app 5 CNAME za1.dfree.test.")
        let credentials = try makeFolder(Scene.present().path("credentials"))
        try write(Knot.secret, to: "\(credentials)/acme-tsig")
        try succeed("chmod", ["600", "\(credentials)/acme-tsig"])
        let fleet = try Fleet(flags: ["--credentials", credentials])
        let shell = try Shell(fleet)
        try shell.succeed("settings edit --probe-interval 1 --recovery-threshold 2")
        for name in ["za1", "ie1"] {
            let server = try fleet.addServer(name)
            try shell.succeed(
                "server edit \(name) --probe-http-port \(server.http.port) --probe-https-port \(server.https.port)")
        }
        try shell.succeed("customer create acme")
        try shell.succeed(
            "zone create acme.test --provider rfc2136 --server \(names.place) --key-name ddirect --credential acme-tsig --authority \(names.place)"
        )
        let ports = "\(nginx.first.ports.http):\(nginx.first.ports.https)"
        try shell.succeed(
            "service create acme-app --customer acme --client-domain app.acme.test --endpoint \(nginx.first.address):\(ports) --primary za1 --standby ie1 --dns acme.test:app.acme.test:cname:5 --wait"
        )
        try play(Self.failovers, in: shell)
    }
}
