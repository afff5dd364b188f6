import JSON
import Testing

/// Every command of `ddirect`, typed one after the other on a real fleet, with what a person and a script see of each.
@Suite(.realParts) struct `Every command` {
    /// A line that is typed after `ddirect`, and what comes of it. `{word}` stands for what a test says.
    struct Step {
        let line: String
        let input: String?
        let code: Int32
        /// What is printed, among other things.
        let parts: [String]
        /// Whether it is typed again until it says so, since that takes a moment to come true.
        let isRepeated: Bool

        init(
            _ line: String, input: String? = nil, exits code: Int32 = 0, eventually isRepeated: Bool = false,
            says parts: String...
        ) {
            self.line = line
            self.input = input
            self.code = code
            self.parts = parts
            self.isRepeated = isRepeated
        }
    }

    /// Types the lines of a script, with `words` in their places.
    func play(_ script: [Step], in shell: Shell, _ words: [String: String] = [:]) throws {
        func filled(_ text: String) -> String {
            words.reduce(text) { text, word in text.replacing("{\(word.key)}", with: word.value) }
        }
        for step in script {
            let line = filled(step.line)
            let parts = step.parts.map(filled)
            var said = try shell.ddirect(line, input: step.input.map(filled))
            if step.isRepeated {
                try eventually("ddirect \(line) says \(parts)") {
                    said = try shell.ddirect(line)
                    return parts.allSatisfy { said.output.contains($0) }
                }
            }
            let printed = said.output + said.errors
            #expect(said.code == step.code, "ddirect \(line): \(printed)")
            for part in parts { #expect(printed.contains(part), "ddirect \(line) does not say '\(part)': \(printed)") }
            if said.code == 0, line.contains("--json") {
                #expect(isJSON(said.output), "ddirect \(line): \(printed)")
                #expect(said.errors == "", "ddirect \(line)")
            }
        }
    }

    private func isJSON(_ text: String) -> Bool {
        do {
            _ = try JSONValue.parse(text.utf8)
            return true
        } catch {
            return false
        }
    }

    // MARK: Customers

    private static let customers: [Step] = [
        Step("customer list", says: "no customers yet"),
        Step("customer create acme", says: "created customer acme (version 1)"),
        Step("customer create beta --dry-run", says: "dry run, nothing is stored:", "customer beta: created"),
        Step("customer create beta --wait", says: "created customer beta (version 2)", "version 2 concerns no server"),
        Step("customer create gamma --json", says: "\"revision\": 3"),
        Step("customer create acme", exits: 1, says: "/name: Customer 'acme' exists already"),
        Step("customer create delta --dry-run --wait", exits: 64, says: "give one of them"),
        Step("customer list", says: "NAME", "acme", "beta", "gamma"),
        Step("customer list --limit 1", says: "acme", "there are more"),
        Step("customers list --json", says: "\"name\": \"gamma\"", "\"next\": null"),
        Step("customer show beta", says: "name      beta", "revision  2"),
        Step("customer show beta --json", says: "\"name\": \"beta\""),
        Step("customer show nobody", exits: 1, says: "There is no customer 'nobody'"),
        Step("customer delete beta", exits: 64, says: "add --yes"),
        Step("customer delete beta --dry-run", says: "dry run, nothing is stored:", "customer beta: deleted"),
        Step("customer delete beta --yes --if-match 1", exits: 1, says: "at revision 2 now"),
        Step("customer delete beta --yes --if-match 2 --wait", says: "deleted customer beta (version 4)"),
        Step("customer delete gamma -y --json", says: "{}"),
        Step("customer delete gamma -y", exits: 1, says: "There is no customer 'gamma'"),
    ]

    @Test func `about customers says what it does, and ends with the right code`() throws {
        let fleet = try Fleet()
        try play(Self.customers, in: Shell(fleet))
    }

    // MARK: Servers

    /// za1 is connected, at version 1; ie1 never is.
    private static let servers: [Step] = [
        Step("server list", says: "za1   af-south-1  connected"),
        Step("server create ie1", exits: 64, says: "a new server needs --region, --hostname, --address"),
        Step("server create ie1 {ie1} --dry-run", says: "server ie1: created", "eu-west-1"),
        Step("server create ie1 {ie1}", says: "created server ie1 (version 2)"),
        Step("server create ie2 {ie1}", exits: 1, says: "/hostname: 'ie1.dfree.test' belongs to server ie1"),
        Step("server list", says: "ie1   eu-west-1   disconnected"),
        Step("server list --limit 1 --json", says: "\"name\": \"ie1\""),
        Step("server show ie1", says: "hostname          ie1.dfree.test", "connected         no"),
        Step("server show za1", says: "connected         yes since"),
        Step("server show za1 --json", says: "\"connected\": true"),
        Step("server edit ie1", exits: 64, says: "nothing to change was given"),
        Step("server edit ie1 --region eu-west-2 --dry-run", says: "region  eu-west-1 → eu-west-2"),
        Step(
            "server edit ie1 --region eu-west-2 --wait", exits: 2,
            says: "changed server ie1 (version 3)", "region  eu-west-1 → eu-west-2", "ie1 (disconnected)"),
        Step("server edit ie1 --region eu-west-2", says: "nothing changed: it was so already"),
        Step(
            "server edit za1 --trusted-sender 192.0.2.0/24 --if-match 1 --wait",
            says: "trustedSenders  none → 192.0.2.0/24", "version 4 is applied on 1 of 1 server"),
        Step("server edit za1 --no-trusted-senders --if-match 1", exits: 1, says: "at revision 4 now"),
        Step("server edit za1 --no-trusted-senders --if-match 4 --json", says: "\"trustedSenders\": []"),
        Step(
            "server edit za1 --probe-interval 60 --threshold 5 --probe-http-port 8080 --dry-run",
            says: "monitoring.intervalSeconds  none → 60", "monitoring.httpPort         80 → 8080"),
        Step("server show za1", says: "watched           as the fleet"),
        // The fleet's own probes come and go meanwhile, but from nowhere in this prefix.
        Step("flows za1 --client 192.0.2.0/24", says: "no flow that matches is open"),
        Step("flows za1 --client 192.0.2.7 --limit 1 --json", says: "\"complete\": true", "\"matching\": 0"),
        Step("flows za1 --json", says: "\"server\": \"za1\""),
        Step("flows za1 --limit 0", exits: 64, says: "--limit is 0"),
        Step("flows za1 --client 192.0.2.7/24", exits: 1, says: "client: '192.0.2.7/24'"),
        Step("flows za1 --service nobody", exits: 1, says: "There is no service 'nobody'"),
        Step("flows ie1", exits: 1, says: "Server ie1 is not connected"),
        Step("flows nobody", exits: 1, says: "There is no server 'nobody'"),
        Step("flows", exits: 64, says: "<server>"),
        Step("server edit za1 --probe-timeout 5", exits: 1, says: "/monitoring/timeoutSeconds", "the interval, 2 s"),
        Step("server edit za1 --quorum many", exits: 64, says: "'many' is invalid"),
        // A command to a server, and no change of the configuration.
        Step("server drain za1", says: "za1 drains"),
        Step("server show za1", eventually: true, says: "draining          yes"),
        Step("server list", eventually: true, says: "za1   af-south-1  draining"),
        Step("server drain za1 --json", says: "\"draining\": true"),
        Step("server drain za1 --wait", exits: 64, says: "--wait"),
        Step("server undrain za1", says: "za1 takes new connections again"),
        Step("server show za1", eventually: true, says: "draining          no"),
        Step("server undrain za1 --json", says: "\"draining\": false"),
        Step("server undrain za1 --dry-run", exits: 64, says: "--dry-run"),
        Step("server drain ie1", exits: 1, says: "Server ie1 is not connected"),
        Step("server accept za1", says: "za1 was told to take the configuration"),
        Step("server accept za1 --json", says: "\"version\""),
        Step("server accept nobody", exits: 1, says: "There is no server 'nobody'"),
        Step("server undrain nobody", exits: 1, says: "There is no server 'nobody'"),
        // This control plane has only a Unix socket, for which there are no certificates.
        Step("server enroll za1", exits: 1, says: "has no channel over TCP", "--channel tcp:ADDR:PORT"),
        Step("server revoke za1", exits: 1, says: "has no channel over TCP"),
        Step("server delete ie1", exits: 64, says: "add --yes"),
        Step("server delete ie1 --dry-run", says: "server ie1: deleted"),
        Step("server delete ie1 --yes --if-match 2", exits: 1, says: "at revision 3 now"),
        Step("server delete ie1 --yes --if-match 3 --wait", says: "deleted server ie1 (version 6)"),
        Step("server show ie1", exits: 1, says: "There is no server 'ie1'"),
    ]

    @Test func `about servers says what it does, and ends with the right code`() throws {
        let fleet = try Fleet()
        try fleet.addServer("za1")
        let ie1 = "--region eu-west-1 --hostname ie1.dfree.test --address \(Loopback.fresh())"
        try play(Self.servers, in: Shell(fleet), ["ie1": ie1])
    }

    // MARK: Certificates

    private static let enrollments: [Step] = [
        Step(
            "server enroll za1", says: "dde_", "This token enrolls server za1 once, until", "fingerprint sha256:",
            "ddirect-proxy enroll --control HOST:7443 --ca-fingerprint sha256:"),
        Step("server enroll za1 --valid-for 0", exits: 64, says: "--valid-for is 0"),
        Step("server enroll nobody", exits: 1, says: "There is no server 'nobody'"),
        Step("server enroll za1 --json --valid-for 60", says: "\"token\": \"dde_", "\"authorityFingerprint\""),
        Step("server enroll za1 --write-token {file}", says: "The token in {file} enrolls server za1 once"),
        Step("server enroll za1 --write-token {file}", exits: 64, says: "{file} is there already"),
        Step("server enroll za1 --write-token {other} --json", says: "\"tokenFile\""),
        Step("server revoke za1", says: "revoked 0 certificates of za1"),
        Step("server revoke za1 --json", says: "\"certificatesRevoked\": 0"),
        Step("server revoke nobody", exits: 1, says: "There is no server 'nobody'"),
        Step("audit list", says: "server.enroll.token", "server.revoke"),
    ]

    @Test func `about certificates says what it does, and ends with the right code`() throws {
        let fleet = try Fleet(flags: try TCPChannel().flags)
        _ = try fleet.registerServer("za1")
        let file = try Scene.present().path("za1.token")
        try play(Self.enrollments, in: Shell(fleet), ["file": file, "other": "\(file).json"])
        #expect(try succeed("stat", ["--format=%a", file]) == "600\n")
        #expect(text(ofFile: file).hasPrefix("dde_"))
    }

    // MARK: Services and endpoints

    /// At version 2: za1 and acme.
    private static let services: [Step] = [
        Step("service list", says: "no services here"),
        Step("service create acme-app", exits: 64, says: "--customer, --client-domain, --endpoint, --primary"),
        Step("service create acme-app {service} --dry-run", says: "service acme-app: created", "{first}"),
        Step(
            "service create acme-app {service} --wait",
            says: "created service acme-app (version 3)", "version 3 is applied on 1 of 1 server"),
        Step("service create acme-www {service}", exits: 1, says: "/clientDomains/0: 'app.acme.test' belongs to"),
        Step("service list", says: "acme-app", "{first}:{ports}", "app.acme.test"),
        Step("service list --customer acme --server za1 --json", says: "\"name\": \"acme-app\"", "\"next\": null"),
        Step("service list --customer nobody", says: "no services here"),
        Step("service show acme-app", says: "client domains       app.acme.test", "revision             3"),
        Step("service show acme-app --json", says: "\"forwardedFor\": \"append\""),
        Step("service show nobody", exits: 1, says: "There is no service 'nobody'"),
        Step(
            "service edit acme-app --add-client-domain www.acme.test --forwarded-for replace --wait",
            says: "app.acme.test → app.acme.test, www.acme.test", "append → replace", "applied on 1 of 1 server"),
        Step("service edit acme-app --remove-client-domain www.acme.test --if-match 3", exits: 1, says: "revision 4"),
        Step("service edit acme-app --remove-client-domain www.acme.test --if-match 4 --json", says: "\"revision\": 5"),
        Step("service edit acme-app --remove-client-domain b.test", exits: 64, says: "cannot remove b.test"),
        Step("service edit acme-app --forwarded-for off --dry-run", says: "forwardedFor  replace → off"),
        Step("service edit acme-app --forwarded-for replace", says: "nothing changed: it was so already"),
        Step(
            "service edit acme-app --check /health --check-http --dry-run",
            says: "check.host    none → app.acme.test", "check.scheme  none → http"),
        Step("service edit acme-app --dns acme.test:app.acme.test:cname:5", exits: 1, says: "'acme.test' is no zone"),
        Step("service edit acme-app --dns app.acme.test", exits: 64, says: "expected ZONE:NAME"),
        Step("service show acme-app", says: "DNS                  none", "check                none"),
    ]

    /// Goes on at version 5.
    private static let endpoints: [Step] = [
        Step("endpoint show acme-app", says: "endpoint      {first}", "revision      5"),
        Step("endpoint show acme-app --json", says: "\"host\": \"{first}\""),
        Step("endpoint show nobody", exits: 1, says: "There is no service 'nobody'"),
        Step("endpoint check acme-app", says: "za1:", "{first}", "connected in"),
        Step("endpoint check acme-app --host {second} --json", says: "\"state\": \"answered\"", "{second}"),
        Step("endpoint check acme-app --host {nobody}", exits: 2, says: "za1 cannot connect to {nobody}"),
        Step("endpoint check acme-app --host 10.0.0.1", exits: 1, says: "/endpoint/host: '10.0.0.1' lies in"),
        Step("endpoint set acme-app", exits: 64, says: "<host[:http:https]>"),
        Step("endpoint set acme-app {second} --dry-run", says: "endpoint.host  {first} → {second}"),
        Step(
            "endpoint set acme-app {first} --health-check http --health-path /health --dry-run",
            says: "endpoint.check.kind             none → http", "endpoint.check.path             none → /health"),
        Step(
            "endpoint set acme-app {first} --health-interval 9", exits: 1,
            says: "/endpoint/check/kind: 'kind' is missing"),
        Step(
            "endpoint set acme-app {first} --health-check off --health-fall 2", exits: 64, says: "contradict each other"
        ),
        Step("endpoint show acme-app", says: "{first}", "health check  none"),
        Step(
            "endpoint set acme-app {second}:{ports} --if-match 5 --wait",
            says: "moved acme-app to {second}:{ports} (version 6)", "endpoint.host  {first} → {second}",
            "version 6 is applied on 1 of 1 server"),
        Step("endpoint set acme-app {first} --if-match 5", exits: 1, says: "at revision 6 now"),
        Step("endpoint set acme-app {second} --wait", says: "nothing changed: it was so already", "1 of 1 server"),
        Step("endpoint set acme-app {first} --json", says: "\"revision\": 7"),
    ]

    /// Goes on at version 7.
    private static let endings: [Step] = [
        Step("server edit za1 --default-service {za1}=acme-app --wait", says: "none → acme-app", "1 of 1 server"),
        Step("service delete acme-app --yes", exits: 1, says: "is a default service of server za1"),
        Step("server edit za1 --default-service {za1}= --wait", says: "acme-app → none", "1 of 1 server"),
        Step("customer delete acme --yes", exits: 1, says: "Customer acme has service acme-app"),
        Step("server delete za1 --yes", exits: 1, says: "Server za1 carries service acme-app"),
        Step("service delete acme-app", exits: 64, says: "add --yes"),
        Step("service delete acme-app --dry-run", says: "service acme-app: deleted"),
        Step("service delete acme-app --yes --if-match 6", exits: 1, says: "at revision 7 now"),
        Step(
            "service delete acme-app --yes --if-match 7 --wait",
            says: "deleted service acme-app (version 10)", "version 10 is applied on 1 of 1 server"),
        Step("service delete acme-app --yes", exits: 1, says: "There is no service 'acme-app'"),
    ]

    @Test func `about services and their endpoints says what it does, and ends with the right code`() throws {
        let nginx = try Nginx("first", "second")
        let fleet = try Fleet()
        let server = try fleet.addServer("za1")
        let shell = try Shell(fleet)
        try shell.succeed("customer create acme")
        let (first, second) = (nginx.first.address, nginx.second.address)
        let ports = "\(nginx.first.ports.http):\(nginx.first.ports.https)"
        let words = [
            "first": first, "second": second, "nobody": Loopback.fresh(), "ports": ports, "za1": server.address,
            "service":
                "--customer acme --client-domain app.acme.test --endpoint \(first):\(ports) --primary za1",
        ]
        try play(Self.services + Self.endpoints + Self.endings, in: shell, words)
    }

    // MARK: Limits

    /// At version 3: acme, za1 and acme-app. Each is applied by a real data plane, so both ends mean the same by it.
    private static let limits: [Step] = [
        Step(
            "service show acme-app", says: "limits               the standard ones",
            "allow                every client",
            "deny                 none", "flow log             as the server", "forwarded fields     keep"),
        Step(
            "service edit acme-app --connection-limit 5000 --connection-rate unlimited --minimum-rate off --wait",
            says: "limits.connections              default → 5000",
            "limits.newConnectionsPerSecond  default → unlimited", "version 4 is applied on 1 of 1 server"),
        Step(
            "service edit acme-app --client-connection-limit 100 --client-connection-rate 50 --allow 127.0.0.0/8 --wait",
            says: "none → 127.0.0.0/8", "version 5 is applied on 1 of 1 server"),
        Step(
            "service show acme-app", says: "5000 connections", "unlimited new connections a second",
            "100 connections of a client", "50 new connections of a client a second",
            "no minimum rate of a request body", "allow                127.0.0.0/8"),
        Step(
            "service edit acme-app --no-allow --deny 192.0.2.0/24 --deny 2001:db8::/32 --wait",
            says: "none → 192.0.2.0/24, 2001:db8::/32", "version 6 is applied on 1 of 1 server"),
        Step("service edit acme-app --deny 192.0.2.1/24", exits: 1, says: "/deny/0", "expected 192.0.2.0/24"),
        Step("service edit acme-app --no-deny --connection-limit default --dry-run", says: "5000 → default"),
        Step("service edit acme-app --connection-limit 0", exits: 1, says: "/limits/connections", "'unlimited'"),
        Step("service edit acme-app --connection-limit few", exits: 64, says: "'few' is invalid"),
        Step(
            "service edit acme-app --flow-log 100 --flow-log-interval off --forwarded-fields set --wait",
            says: "flowLog.oneIn            default → 100", "version 7 is applied on 1 of 1 server"),
        Step(
            "service show acme-app", says: "flow log             one flow in 100, only at its end",
            "forwarded fields     set"),
        Step("service edit acme-app --forwarded-for replace --forwarded-fields default --wait", says: "set → default"),
        Step("service show acme-app", says: "strip, as X-Forwarded-For is replaced"),
        Step("service edit acme-app --flow-log 1000001", exits: 1, says: "/flowLog/oneIn"),
        Step("server show za1", says: "limits            the standard ones", "flow log          off"),
        Step(
            "server edit za1 --client-connection-limit 900 --client-connection-rate unlimited --client-opening-limit 90 --wait",
            says: "limits.clientConnections", "default → 900", "version 9 is applied on 1 of 1 server"),
        Step(
            "server edit za1 --minimum-rate 200 --flow-log 1 --flow-log-interval 60 --wait",
            says: "default → 200", "version 10 is applied on 1 of 1 server"),
        Step(
            "server show za1", says: "900 connections of a client", "unlimited new connections of a client a second",
            "90 openings of a client", "at least 200 bytes a second of a hello",
            "flow log          each flow, every 60 s"
        ),
        Step("server edit za1 --client-opening-limit 0", exits: 1, says: "/limits/clientOpenings"),
        Step("version diff 3 10", says: "limits.minimumBytesPerSecond"),
        Step("endpoint set acme-app 127.0.0.1:22:443", exits: 1, says: "'22' is a port", "--allow-endpoint-port"),
        Step("endpoint set acme-app 168.63.129.16", exits: 1, says: "lies in 168.63.129.16/32", "--allow-endpoint"),
    ]

    @Test func `about limits, clients and flow logs says what it does, and a data plane takes each`() throws {
        let fleet = try Fleet()
        _ = try fleet.addServer("za1")
        let shell = try Shell(fleet)
        try shell.succeed("customer create acme")
        try shell.succeed(
            "service create acme-app --customer acme --client-domain app.acme.test --endpoint origin.acme.test --primary za1"
        )
        try play(Self.limits, in: shell)
    }

    // MARK: Zones

    /// At version 3: acme, za1 and acme-app.
    private static let zones: [Step] = [
        Step("zone list", says: "no zones yet"),
        Step("zone create acme.test", exits: 64, says: "a new zone needs --provider"),
        Step("zone create acme.test {provider} --dry-run", says: "zone acme.test: created", "provider.keyName"),
        Step(
            "zone create acme.test {provider} --wait",
            says: "created zone acme.test (version 4)", "version 4 concerns no server"),
        Step("zone create ACME.test {provider}", exits: 1, says: "/name: Zone 'acme.test' exists already"),
        Step("zone create other.test --provider rfc2136", exits: 1, says: "/provider/server", "/provider/credential"),
        Step("zone create other.test --provider command --command change-dns --json", says: "\"kind\": \"command\""),
        Step("zone list", says: "acme.test   rfc2136   127.0.0.1:5353", "acme-tsig", "change-dns"),
        Step("zones list --limit 1 --json", says: "\"name\": \"acme.test\""),
        Step("zone show acme.test", says: "key          ddirect (hmac-sha256)", "those of its NS records"),
        Step("zone show acme.test --json", says: "\"credential\": \"acme-tsig\""),
        Step("zone show none.test", exits: 1, says: "There is no zone 'none.test'"),
        Step("zone edit acme.test", exits: 64, says: "nothing to change was given"),
        Step(
            "zone edit acme.test --credential other --authority 192.0.2.1 --if-match 4",
            says: "changed zone acme.test (version 6)", "provider.credential  acme-tsig → other",
            "none → 192.0.2.1:53"),
        Step("zone edit acme.test --no-authorities --if-match 4", exits: 1, says: "at revision 6 now"),
        Step(
            "zone edit other.test --provider powerdns --url http://192.0.2.53:8081 --credential pdns-key",
            says: "provider.command", "change-dns → none", "localhost"),
        Step(
            "service edit acme-app --dns acme.test:app.acme.test:cname:5 --wait", exits: 2,
            says: "dns  none → acme.test:app.acme.test:cname:5"),
        Step("service show acme-app", says: "acme.test:app.acme.test:cname:5"),
        Step("zone delete acme.test --yes", exits: 1, says: "Zone acme.test has names that steer service acme-app"),
        Step("service edit acme-app --no-dns", says: "dns  acme.test:app.acme.test:cname:5 → none"),
        Step("zone delete acme.test", exits: 64, says: "add --yes"),
        Step("zone delete acme.test --dry-run", says: "zone acme.test: deleted"),
        Step("zone delete acme.test --yes --if-match 4", exits: 1, says: "at revision 6 now"),
        Step("zone delete acme.test --yes", says: "deleted zone acme.test (version 10)"),
        Step("zone delete other.test -y --json", says: "{}"),
        Step("version diff 3 11", says: "versions 3 and 11 say the same"),
    ]

    @Test func `about zones says what it does, and ends with the right code`() throws {
        let fleet = try Fleet()
        let shell = try Shell(fleet)
        try shell.succeed("customer create acme")
        // It need not run for its name to be known.
        _ = try fleet.registerServer("za1")
        try shell.succeed(
            "service create acme-app --customer acme --client-domain app.acme.test --endpoint origin.acme.test --primary za1"
        )
        let provider =
            "--provider rfc2136 --server 127.0.0.1:5353 --key-name ddirect --credential acme-tsig"
        try play(Self.zones, in: shell, ["provider": provider])
    }

    // MARK: Settings

    private static let settings: [Step] = [
        Step("settings show", says: "probe interval      2 s", "failback            manual", "as nobody has set any"),
        Step("settings show --json", says: "\"intervalSeconds\": 2", "\"revision\": 0"),
        Step("settings edit", exits: 64, says: "nothing to change was given"),
        Step("settings edit --probe-interval 60 --dry-run", says: "monitoring.intervalSeconds  2 → 60"),
        Step("settings edit --threshold 3", says: "nothing changed: it was so already"),
        Step(
            "settings edit --probe-interval 60 --threshold 5 --quorum 2 --no-automatic-failover --wait",
            says: "changed the settings (version 1)", "monitoring.intervalSeconds  2 → 60",
            "failover.automatic          true → false", "version 1 concerns no server"),
        Step(
            "settings edit --quorum majority --webhook hook-key=https://alerts.test/x --if-match 1",
            says: "monitoring.quorum  2 → none", "https://alerts.test/x"),
        Step("settings edit --no-webhooks --if-match 1", exits: 1, says: "at revision 2 now"),
        Step("settings edit --webhook https://alerts.test", exits: 64, says: "expected CREDENTIAL=URL"),
        Step("settings edit --probe-timeout 61", exits: 1, says: "/monitoring/timeoutSeconds", "the interval, 60 s"),
        Step("settings edit --failback automatic --hold-down 60 --json", says: "\"failback\": \"automatic\""),
        Step("settings show", says: "a majority of the vantages", "https://alerts.test/x (signed with hook-key)"),
        Step("version show 1", says: "update settings: monitoring, failover", "settings fleet: changed"),
        Step("version restore 1", says: "restored version 1 (version 4)"),
    ]

    @Test func `about settings says what it does, and ends with the right code`() throws {
        let fleet = try Fleet()
        try play(Self.settings, in: Shell(fleet))
    }

    // MARK: Versions and the audit trail

    /// At version 4: za1, acme, acme-app at the first endpoint, and then at the second.
    private static let versions: [Step] = [
        Step("version list", says: "VERSION", "create service acme-app", "update service acme-app: endpoint", "admin"),
        Step("version list --limit 1", says: "update service acme-app: endpoint", "there are more"),
        Step("versions list --limit 2 --json", says: "\"version\": 4", "\"version\": 3"),
        Step("version show 2", says: "summary  create customer acme", "customer acme: created"),
        Step("version show 4 --json", says: "\"restoredFrom\": null"),
        Step("version show 99", exits: 1, says: "There is no version '99'; expected a number from 1 to 4"),
        Step("version show latest", exits: 64, says: "'latest'"),
        Step("version diff 3 4", says: "service acme-app: changed", "{first} → {second}"),
        Step("version diff 4 3", says: "{second} → {first}"),
        Step("version diff 4 4", says: "versions 4 and 4 say the same"),
        Step("version diff 1 4 --json", says: "\"from\": 1", "\"name\": \"acme-app\""),
        Step("version diff 1 99", exits: 1, says: "There is no version '99'"),
        Step("version restore 3 --dry-run", says: "dry run, nothing is stored:", "{second} → {first}"),
        Step("version list --limit 1", says: "update service acme-app: endpoint"),
        Step(
            "version restore 3 --wait",
            says: "restored version 3 (version 5)", "{second} → {first}", "version 5 is applied on 1 of 1 server"),
        Step("version restore 3", says: "nothing changed: it was so already"),
        Step("version restore 3 --dry-run", says: "dry run: nothing would change"),
        Step("version restore 4 --json", says: "\"restoredFrom\": 4", "\"version\": 6"),
        Step("version restore 99", exits: 1, says: "There is no version 99"),
        Step("version list", says: "restore version 3 (restored from 3)", "restore version 4 (restored from 4)"),
        Step("customer create acme", exits: 1, says: "exists already"),
        Step("audit list", says: "version.restore", "service.update", "refused", "Customer 'acme' exists already"),
        Step("audit list --limit 1", says: "customer.create", "there are more"),
        Step("audit list --limit 2 --json", says: "\"outcome\": \"refused\""),
        Step("audit list --limit 0", exits: 64, says: "--limit is 0"),
    ]

    @Test func `about versions and the audit trail says what it does, and ends with the right code`() throws {
        let nginx = try Nginx("first", "second")
        let fleet = try Fleet.single(to: nginx.first.endpoint)
        try fleet.cutOver(to: nginx.second.endpoint)
        let words = ["first": nginx.first.address, "second": nginx.second.address]
        try play(Self.versions, in: Shell(fleet), words)
    }

    // MARK: Events

    private static let events: [Step] = [
        Step("events", says: "no events yet"),
        Step("customer create acme", says: "created customer acme (version 1)"),
        Step("events", eventually: true, says: "change", "admin", "create customer acme"),
        Step("events --json", says: "\"kind\":\"change\"", "\"version\":1"),
        Step("events --after nonsense", exits: 1, says: "after is 'nonsense'; expected the id of an event"),
        Step("events --after 00000000-7", says: "gap", "read the resources anew", "create customer acme"),
        Step("events --follow --api http://{nobody}", exits: 69, says: "connection refused"),
    ]

    /// What --follow does is in EventsTests.
    @Test func `about events says what it does, and ends with the right code`() throws {
        let fleet = try Fleet()
        try play(Self.events, in: Shell(fleet), ["nobody": "\(try Place.fresh())"])
    }

    // MARK: Tokens

    private static let tokens: [Step] = [
        Step("token list", says: "NAME", "admin"),
        Step("tokens list --limit 1 --json", says: "\"name\": \"admin\""),
        Step("token create NOT_A_NAME", exits: 1, says: "/name"),
        Step("token create ops --dry-run", exits: 64, says: "--dry-run"),
        Step("token create ops --json", says: "\"name\": \"ops\"", "\"token\": \"dd_"),
        Step("token create ops", exits: 1, says: "Token ops exists already"),
        Step("token create ci", says: "dd_", "This is token ci. It is shown this once"),
        Step("token list", says: "admin", "ci", "ops"),
        Step("token delete ops", exits: 64, says: "add --yes"),
        Step("token delete ops --yes", says: "deleted token ops"),
        Step("token delete ops --yes", exits: 1, says: "There is no token ops"),
        Step("token delete ci --yes --json", says: "{}"),
        Step("token delete admin --yes", exits: 1, says: "Token admin is the last one"),
        Step("audit list", says: "token.create", "token.delete"),
    ]

    @Test func `about tokens says what it does, and ends with the right code`() throws {
        let fleet = try Fleet()
        try play(Self.tokens, in: Shell(fleet))
    }

    @Test func `a new token is all that goes to standard output, and it works until it is deleted`() throws {
        let fleet = try Fleet()
        let shell = try Shell(fleet)
        let said = try shell.ddirect("token create ci")
        #expect(said.code == 0)
        let lines = said.output.split(separator: "\n")
        #expect(lines.count == 1 && said.output.hasPrefix("dd_"), "\(said.output)")
        let file = try Scene.present().path("ci.token")
        try write(said.output, to: file)
        var other = shell
        other.environment["DDIRECT_TOKEN_FILE"] = file
        try other.succeed("customer create acme")
        // The author of a change is whose token it was made with.
        let version = try JSONValue.parse(shell.succeed("version show 1 --json").utf8)
        #expect(version["author"] == "ci")
        try shell.succeed("token delete ci --yes")
        #expect(try other.ddirect("customer list").code == 77)
    }

    // MARK: Logging in

    /// Without a token of its own.
    private static let logins: [Step] = [
        Step("customer list", exits: 77, says: "wants a token; `ddirect login"),
        Step("login", exits: 64, says: "no token was given; nothing is stored"),
        Step("login --api ftp://nowhere", input: "{token}\n", exits: 64, says: "is no address of an API"),
        Step("login --api http://{nobody}", input: "{token}\n", exits: 69, says: "connection refused"),
        Step("login", input: "dd_wrong\n", exits: 77, says: "does not accept this token"),
        Step("customer list", exits: 77, says: "wants a token"),
        Step("login", input: "{token}\n", says: "http://{api} accepts this token; both are kept in"),
        Step("customer list", says: "no customers yet"),
        Step("login", input: "dd_wrong\n", exits: 77, says: "does not accept this token"),
        Step("customer list", says: "no customers yet"),
        Step("login --json", input: "{token}\n", says: "\"api\": \"http://{api}\""),
        // A stored token goes to the API that it was stored for and to no other.
        Step("customer list --api http://{nobody}", exits: 69, says: "connection refused"),
    ]

    @Test func `login reads the token from standard input, tries it, and stores it for its owner alone`() throws {
        let fleet = try Fleet()
        var shell = try Shell(fleet)
        shell.environment["DDIRECT_TOKEN_FILE"] = nil
        let words = [
            "token": fleet.api.token, "api": "\(fleet.api.place)", "nobody": "\(try Place.fresh())",
        ]
        try play(Self.logins, in: shell, words)
        // The address is stored too.
        shell.environment["DDIRECT_API"] = nil
        #expect(try shell.succeed("customer list").contains("no customers yet"))
        let file = "\(try Scene.present().folder)/.config/ddirect/credentials"
        #expect(try succeed("stat", ["--format=%a", file]) == "600\n")
    }

    @Test func `login asks for the token where there is a terminal`() throws {
        let fleet = try Fleet()
        var shell = try Shell(fleet)
        shell.environment["DDIRECT_TOKEN_FILE"] = nil
        let said = try shell.ddirect("login", typing: "\(fleet.api.token)\n")
        #expect(said.code == 0, "\(said.output)")
        #expect(said.output.contains("Token for http://\(fleet.api.place): "))
        #expect(try shell.succeed("customer list").contains("no customers yet"))
    }

    // MARK: Deleting

    @Test(arguments: [("n\n", 64, "customer acme stays as it is"), ("", 64, "stays"), ("yes\n", 0, "deleted customer")])
    func `deleting asks first, where somebody can be asked`(answer: String, code: Int, words: String) throws {
        let fleet = try Fleet()
        let shell = try Shell(fleet)
        try shell.succeed("customer create acme")
        let said = try shell.ddirect("customer delete acme", typing: answer)
        #expect(said.output.contains("Delete customer acme? [y/N]"))
        #expect(said.output.contains(words), "\(said.output)")
        #expect(said.code == Int32(code))
        let isThere = try shell.ddirect("customer show acme").code == 0
        #expect(isThere == (code != 0))
    }

    // MARK: Completions

    private static let completions: [Step] = [
        Step("completions", exits: 64, says: "<shell>"),
        Step("completions bash", says: "complete -o filenames -F _ddirect ddirect"),
        Step("completions zsh", says: "#compdef ddirect"),
        Step("completions fish", says: "complete -c 'ddirect'"),
        Step("completions tcsh", exits: 64, says: "'bash', 'zsh' or 'fish'"),
    ]

    @Test func `about completions says what it does, and ends with the right code`() throws {
        let fleet = try Fleet()
        try play(Self.completions, in: Shell(fleet))
    }

    @Test func `bash takes the script, and completes commands and the names that the API has`() throws {
        let fleet = try Fleet()
        let shell = try Shell(fleet)
        // It need not run for its name to be known.
        _ = try fleet.registerServer("za1")
        try shell.succeed("customer create acme")
        try shell.succeed(
            "service create acme-app --customer acme --client-domain app.acme.test --endpoint origin.acme.test --primary za1"
        )
        try shell.succeed("zone create acme.test --provider command --command change-dns")
        let script = try Scene.present().path("ddirect.bash")
        try write(try shell.succeed("completions bash"), to: script)
        try succeed("bash", ["-n", script])

        /// What the tab key offers after these words, the last of which is begun.
        func offered(_ words: [String]) throws -> [String] {
            // The variables and arguments that bash gives a completion function (bash(1), Programmable Completion).
            let tab = """
                source "$1"; shift
                COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}
                _ddirect "$1" "${!#}" "${@: -2:1}"
                printf '%s\\n' "${COMPREPLY[@]}"
                """
            let line = [try Executables.path(of: "ddirect")] + words
            let said = try run("bash", ["-c", tab, "bash", script] + line, environment: shell.environment)
            #expect(said.code == 0 && said.errors == "", "\(words): \(said.errors)")
            return said.output.split(separator: "\n").map(String.init).sorted()
        }
        /// The same of what the API has. That is given up after two seconds, and whoever waits presses the tab key
        /// again.
        func expect(_ offer: [String], after words: String...) throws {
            try eventually("\(offer) is offered after \(words)") { try offered(words) == offer }
        }
        #expect(try offered(["serv"]) == ["server", "service"])
        try expect(["acme-app"], after: "service", "show", "")
        try expect(["acme-app"], after: "endpoint", "set", "ac")
        #expect(try offered(["endpoint", "set", "x"]) == [])
        try expect(["za1"], after: "server", "drain", "")
        try expect(["za1"], after: "service", "list", "--server", "z")
        try expect(["acme"], after: "customer", "delete", "")
        try expect(["acme.test"], after: "zone", "edit", "")
        #expect(try offered(["completions", ""]) == ["bash", "fish", "zsh"])
        // Without a control plane there is nothing to offer, and no message in the middle of the line.
        fleet.control.destroy()
        #expect(try offered(["service", "show", ""]) == [])
    }

    // MARK: All of them

    @Test func `no command is left out`() throws {
        // swift-argument-parser's description of the whole command line.
        let described = try JSONValue.parse(succeed("ddirect", ["--experimental-dump-help"]).utf8)["command"]
        func leaves(of command: JSONValue, after words: [String]) -> [String] {
            // `help` comes with the library.
            let commands = command["subcommands"].items.filter { $0["commandName"] != "help" }
            guard !commands.isEmpty else { return [words.joined(separator: " ")] }
            return commands.flatMap { leaves(of: $0, after: words + [$0["commandName"].text ?? "?"]) }
        }
        let scripts = [
            Self.customers, Self.servers, Self.enrollments, Self.services, Self.endpoints, Self.endings, Self.zones,
            Self.settings, Self.versions, Self.failovers,
            Self.events, Self.tokens, Self.logins, Self.completions,
        ]
        let typed = scripts.joined().filter { $0.code == 0 }.map { $0.line + " " }
        let commands = leaves(of: described, after: [])
        #expect(commands.count > 20, "\(commands)")
        let missing = commands.filter { command in !typed.contains { $0.hasPrefix(command + " ") } }
        #expect(missing == [])
    }
}
