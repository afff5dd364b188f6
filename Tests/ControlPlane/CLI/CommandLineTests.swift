import ArgumentParser
import JSON
import Testing

@testable import ddirect

@Suite struct `The command line` {
    func parse<Command>(_ line: String, as type: Command.Type = Command.self) throws -> Command {
        try #require(try DDirect.parseAsRoot(line.split(separator: " ").map(String.init)) as? Command)
    }

    @Test func `creating a service sends every field that was given`() throws {
        let create: ServiceCommand.Create = try parse(
            """
            service create acme-app --customer acme --client-domain app.acme.test --client-domain *.acme.test --endpoint 192.0.2.1 \
            --http-port 8081 --https-port 8444 --fallback 192.0.2.2 --fallback [2001:db8::1]:81:444 --primary za1 --standby ie1 \
            --standby us1 --accept-proxy-protocol --send-proxy-protocol v2 --forwarded-for replace
            """)
        #expect(
            try JSONValue.object(create.options.members()) == [
                "customer": "acme", "clientDomains": ["app.acme.test", "*.acme.test"],
                "endpoint": [
                    "host": "192.0.2.1", "httpPort": 8081, "httpsPort": 8444,
                    "fallbacks": [["host": "192.0.2.2"], ["host": "2001:db8::1", "httpPort": 81, "httpsPort": 444]],
                ],
                "primary": "za1", "standbys": ["ie1", "us1"], "acceptProxyProtocol": true, "sendProxyProtocol": "v2",
                "forwardedFor": "replace",
            ])
    }

    @Test func `a merge patch has the fields that were given and no others`() throws {
        func patch(_ options: String) throws -> JSONValue {
            let edit: ServiceCommand.Edit = try parse("service edit acme-app \(options)")
            return try .object(edit.options.members())
        }
        #expect(try patch("--endpoint 192.0.2.9") == ["endpoint": ["host": "192.0.2.9"]])
        #expect(try patch("--https-port 8443") == ["endpoint": ["httpsPort": 8443]])
        #expect(
            try patch("--no-standbys --no-accept-proxy-protocol") == ["standbys": [], "acceptProxyProtocol": false])
        #expect(try patch("--no-fallbacks") == ["endpoint": ["fallbacks": []]])
        #expect(
            try patch("--connection-limit 5000 --connection-rate unlimited --client-connection-limit default")
                == [
                    "limits": [
                        "connections": 5000, "newConnectionsPerSecond": "unlimited", "clientConnections": .null,
                    ]
                ])
        #expect(
            try patch("--client-connection-rate 9 --minimum-rate off --flow-log default --flow-log-interval 60")
                == [
                    "limits": ["newClientConnectionsPerSecond": 9, "minimumBytesPerSecond": 0],
                    "flowLog": ["oneIn": .null, "intervalSeconds": 60],
                ])
        #expect(
            try patch("--allow 10.0.0.0/8 --allow fd00::/8 --no-deny") == [
                "allow": ["10.0.0.0/8", "fd00::/8"], "deny": [],
            ])
        #expect(try patch("--no-allow --deny 192.0.2.0/24") == ["allow": [], "deny": ["192.0.2.0/24"]])
        #expect(try patch("--forwarded-fields set") == ["forwardedFields": "set"])
        #expect(try patch("--forwarded-fields default") == ["forwardedFields": .null])
        #expect(try patch("") == [:])
    }

    @Test func `a patch without a field is refused before anything is sent`() {
        #expect(throws: Failure.self) { try Call(editing: "acme-app", of: "services", [:], RevisionOptions.parse([])) }
    }

    @Test func `moving an endpoint is a merge patch with the revision to match`() throws {
        let set: EndpointCommand.Set = try parse(
            "endpoint set acme-app origin.test:8080:8443 --if-match 7 --wait --timeout 2.5")
        let members: JSONObject = ["endpoint": .object(try set.target.members(host: set.host))]
        var call = try Call(editing: set.service, of: "services", members, set.revision)
        set.change.apply(to: &call)
        #expect(call.body == ["endpoint": ["host": "origin.test", "httpPort": 8080, "httpsPort": 8443]])
        #expect(call.headers.contains { $0 == ("If-Match", "\"7\"") })
        #expect(call.headers.contains { $0 == ("Content-Type", "application/merge-patch+json") })
        #expect(
            call.url(below: "http://api.test") == "http://api.test/api/v1/services/acme-app?wait=applied&timeout=2.5")
        // The API may take that long to answer, and then some.
        #expect(call.patience == .seconds(17.5))
    }

    @Test func `client domains come and go without repeating those that stay`() throws {
        let edit: ServiceCommand.Edit = try parse(
            "service edit acme-app --add-client-domain c.test --add-client-domain a.test --remove-client-domain B.test")
        #expect(try edit.domains.applied(to: ["a.test", "b.test"]) == ["a.test", "c.test"])
        #expect(throws: Failure.self) { try edit.domains.applied(to: ["a.test"]) }
    }

    @Test func `a default service is set, and taken away`() throws {
        let edit: ServerCommand.Edit = try parse(
            "server edit za1 --default-service 192.0.2.7=acme-app --default-service 2001:db8::7= --no-trusted-senders")
        #expect(
            try JSONValue.object(edit.options.members()) == [
                "defaultServices": ["192.0.2.7": "acme-app", "2001:db8::7": .null], "trustedSenders": [],
            ])
    }

    @Test func `what steers a service is sent as it is written`() throws {
        func patch(_ options: String) throws -> JSONValue {
            let edit: ServiceCommand.Edit = try parse("service edit acme-app \(options)")
            return try .object(edit.options.members())
        }
        #expect(
            try patch("--dns acme.test:app.acme.test:cname:5 --dns acme.test:acme.test:addresses --dns a.test:b.a.test")
                == [
                    "dns": [
                        ["zone": "acme.test", "name": "app.acme.test", "kind": "cname", "ttl": 5],
                        ["zone": "acme.test", "name": "acme.test", "kind": "addresses"],
                        ["zone": "a.test", "name": "b.a.test"],
                    ]
                ])
        #expect(
            try patch("--check /health --check-http --check-host www.acme.test")
                == ["check": ["path": "/health", "scheme": "http", "host": "www.acme.test"]])
        #expect(try patch("--no-check-http") == ["check": ["scheme": "https"]])
        #expect(try patch("--no-dns --no-check") == ["dns": [], "check": .null])
    }

    @Test func `the check of an endpoint is sent as it is written, with the endpoint or without`() throws {
        let edit: ServiceCommand.Edit = try parse(
            """
            service edit acme-app --health-check http --health-path /health --health-interval 2 --health-timeout 1 \
            --health-rise 3 --health-fall 4 --health-hold-down 0
            """)
        #expect(
            try JSONValue.object(edit.options.members()) == [
                "endpoint": [
                    "check": [
                        "kind": "http", "path": "/health", "intervalSeconds": 2, "timeoutSeconds": 1, "rise": 3,
                        "fall": 4, "holdDownSeconds": 0,
                    ]
                ]
            ])
        let set: EndpointCommand.Set = try parse("endpoint set acme-app 192.0.2.9 --health-check off")
        #expect(try JSONValue.object(set.target.members(host: set.host)) == ["host": "192.0.2.9", "check": .null])
        let move: EndpointCommand.Set = try parse("endpoint set acme-app 192.0.2.9 --health-interval 9")
        #expect(
            try JSONValue.object(move.target.members(host: move.host)) == [
                "host": "192.0.2.9", "check": ["intervalSeconds": 9],
            ])
    }

    @Test func `the check of an endpoint is shown in one line`() {
        var check: JSONValue = [
            "kind": "http", "path": "/health", "intervalSeconds": 5, "timeoutSeconds": 2, "rise": 2, "fall": 3,
            "holdDownSeconds": 30,
        ]
        #expect(
            HealthCheckText.text(check) == "http /health every 5 s, timeout 2 s, fall 3, rise 2, hold-down 30 s")
        check = ["kind": "tcp", "path": "/", "intervalSeconds": 5]
        #expect(HealthCheckText.text(check) == "tcp every 5 s")
        #expect(HealthCheckText.text(.null) == nil)
    }

    @Test func `a zone is sent with its provider, and loses what belongs to another kind`() throws {
        let create: ZoneCommand.Create = try parse(
            """
            zone create acme.test --provider rfc2136 --server 127.0.0.1:5353 --key-name ddirect --algorithm hmac-sha512 \
            --credential acme-tsig --authority 127.0.0.1:5353 --authority 127.0.0.1:5354
            """)
        #expect(
            try JSONValue.object(create.options.members(replacing: false)) == [
                "provider": [
                    "kind": "rfc2136", "server": "127.0.0.1:5353", "keyName": "ddirect", "algorithm": "hmac-sha512",
                    "credential": "acme-tsig",
                ],
                "authorities": ["127.0.0.1:5353", "127.0.0.1:5354"],
            ])
        func patch(_ options: String) throws -> JSONValue {
            let edit: ZoneCommand.Edit = try parse("zone edit acme.test \(options)")
            return try .object(edit.options.members(replacing: true))
        }
        #expect(
            try patch("--provider command --command change-dns") == [
                "provider": [
                    "kind": "command", "command": "change-dns", "server": .null, "keyName": .null, "algorithm": .null,
                    "url": .null,
                    "serverID": .null, "hostedZone": .null, "credential": .null,
                ]
            ])
        #expect(
            try patch("--credential other --no-authorities") == [
                "provider": ["credential": "other"], "authorities": [],
            ])
        #expect(try patch("--url none") == ["provider": ["url": .null]])
        #expect(try patch("") == [:])
    }

    @Test func `a server's own monitoring is numbers, or as the fleet has it`() throws {
        let edit: ServerCommand.Edit = try parse(
            """
            server edit za1 --probe-interval 60 --probe-timeout fleet --threshold 5 --recovery-threshold 2 --quorum fleet \
            --probe-http-port 8080 --probe-https-port 8443
            """)
        #expect(
            try JSONValue.object(edit.options.members()) == [
                "monitoring": [
                    "intervalSeconds": 60, "timeoutSeconds": .null, "threshold": 5, "recoveryThreshold": 2,
                    "quorum": .null,
                    "httpPort": 8080, "httpsPort": 8443,
                ]
            ])
    }

    @Test func `the fleet's settings are a merge patch with the fields that were given`() throws {
        let edit: SettingsCommand.Edit = try parse(
            """
            settings edit --probe-interval 60 --quorum majority --no-automatic-failover --failback automatic --hold-down 0 \
            --webhook hook-key=https://alerts.test/?a=b --if-match 0
            """)
        let call = try Call(editingSettings: edit.options.members(), edit.revision)
        #expect(
            call.body == [
                "monitoring": ["intervalSeconds": 60, "quorum": .null],
                "failover": ["automatic": false, "failback": "automatic", "holdDownSeconds": 0],
                "webhooks": [["credential": "hook-key", "url": "https://alerts.test/?a=b"]],
            ])
        #expect(call.url(below: "http://api.test") == "http://api.test/api/v1/settings")
        #expect(call.headers.contains { $0 == ("If-Match", "\"0\"") })
        #expect(throws: Failure.self) { try Call(editingSettings: [:], edit.revision) }
    }

    @Test(arguments: [
        "--webhook https://alerts.test/?a=b", "--webhook hook-key", "--webhook k=https://a.test --no-webhooks",
    ])
    func `a webhook that says no credential is refused`(options: String) throws {
        let edit: SettingsCommand.Edit = try parse("settings edit \(options)")
        #expect(throws: Failure.self) { try edit.options.members() }
    }

    @Test(arguments: [
        "service create acme-app", "server create za1 --region r", "endpoint set acme-app",
        "service edit a --send-proxy-protocol v3",
        "service edit a --client-domain a.test --add-client-domain b.test", "service list --limit 0",
        "version show latest",
        "endpoint set a b --dry-run --wait", "endpoint set a b --wait --timeout 61", "frobnicate", "customer edit acme",
        "server enroll", "server enroll za1 --valid-for 0", "server enroll za1 --valid-for 604801", "server revoke",
        "zone create acme.test", "zone create acme.test --provider bind", "settings edit --quorum all",
        "server edit za1 --threshold majority", "settings show fleet", "flows", "flows za1 --limit 1001",
    ])
    func `what cannot be is refused with 64 before anything is sent`(line: String) {
        let error = #expect(throws: (any Error).self) { try parse(line, as: (any ParsableCommand).self) }
        #expect(error.map { DDirect.exitCode(for: $0).rawValue } == 64)
    }

    @Test(arguments: [
        "--dns a.test:b.a.test --no-dns", "--check / --no-check", "--dns a.test", "--dns a.test:b.a.test:cname:soon",
        "--health-check off --health-interval 5", "--fallback 192.0.2.2 --no-fallbacks", "--standby ie1 --no-standbys",
        "--allow 10.0.0.0/8 --no-allow", "--deny 10.0.0.0/8 --no-deny",
        "--endpoint a.test:1:2 --http-port 3",
    ])
    func `options that contradict each other are refused`(options: String) throws {
        let edit: ServiceCommand.Edit = try parse("service edit acme-app \(options)")
        #expect(throws: Failure.self) { try edit.options.members() }
    }

    @Test func `a check tries what setting the endpoint would make of it`() throws {
        let check: EndpointCommand.Check = try parse("endpoint check acme-app --host 192.0.2.9")
        let present: JSONValue = [
            "host": "192.0.2.1", "httpPort": 8081, "httpsPort": 8444, "fallbacks": [["host": "192.0.2.2"]],
        ]
        #expect(try check.candidate(insteadOf: present) == ["host": "192.0.2.9", "httpPort": 8081, "httpsPort": 8444])
    }

    /// Every command without commands of its own.
    func leaves(_ command: any ParsableCommand.Type = DDirect.self) -> [any ParsableCommand.Type] {
        let subcommands = command.configuration.subcommands
        return subcommands.isEmpty ? [command] : subcommands.flatMap { leaves($0) }
    }

    @Test func `every command can print JSON`() throws {
        for leaf in leaves() where leaf != CompletionsCommand.self {
            #expect(leaf.helpMessage().contains("--json"), "\(leaf)")
        }
    }

    /// What docs/operating.md says of both flags, and whom it excepts. A failover is waited for too, though it is no
    /// change of the configuration.
    @Test(arguments: ["--dry-run", "--wait"])
    func `every change of the configuration can be shown beforehand and waited for, and nothing else`(flag: String) {
        let changes: [any ParsableCommand.Type] = [
            CustomerCommand.Create.self, CustomerCommand.Delete.self, ServerCommand.Create.self,
            ServerCommand.Edit.self, ServerCommand.Delete.self, ServiceCommand.Create.self, ServiceCommand.Edit.self,
            ServiceCommand.Delete.self, EndpointCommand.Set.self, ZoneCommand.Create.self, ZoneCommand.Edit.self,
            ZoneCommand.Delete.self, SettingsCommand.Edit.self, VersionCommand.Restore.self,
        ]
        let failovers: [any ParsableCommand.Type] = [
            FailoverCommand.Run.self, FailoverCommand.Drill.self, FailbackCommand.self,
        ]
        let expected = changes + (flag == "--wait" ? failovers : [])
        // An option of the command's own begins a line of its help; a discussion may mention others.
        let having = leaves().filter { $0.helpMessage().contains("\n  \(flag) ") }
        #expect(having.map { String(reflecting: $0) } == expected.map { String(reflecting: $0) })
    }
}
