/// curl as a device: it believes that the client domain leads to a server of ours.
struct Curl {
    struct Answer {
        let said: Said
        let status: Int
        let httpVersion: String
        var body: String { said.output }
        var code: Int32 { said.code }
    }

    let server: Server
    var certificate: String?

    func get(_ url: String, _ options: String...) throws -> Answer { try run(url, options) }

    private func run(_ url: String, _ options: [String]) throws -> Answer {
        // curl 7.88 can write what -w says to standard error, and to no other file.
        var line = [
            "-sS", "--max-time", "\(patience.milliseconds / 1000)", "-w", "%{stderr}\\n%{http_code} %{http_version}",
        ]
        line += [
            "--connect-to", "::\(server.address):\(url.hasPrefix("https:") ? server.https.port : server.http.port)",
        ]
        if let certificate { line += ["--cacert", certificate] }
        let said = try EndToEndTests.run("curl", line + options + [url])
        let last = said.errors.split(separator: "\n").last?.split(separator: " ") ?? []
        return Answer(
            said: said, status: last.first.flatMap { Int($0) } ?? 0,
            httpVersion: last.dropFirst().first.map(String.init) ?? "")
    }
}
