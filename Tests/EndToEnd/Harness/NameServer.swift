/// What the DNS servers of the tests, whatever their make, have in common: the zone acme.test, at a place of their own.
protocol NameServer {
    var place: Place { get }
}

extension NameServer {
    /// What makes a server ask this one.
    var resolver: [String] { ["--resolver", "\(place)"] }

    /// Waits until it answers about the zone.
    func awaitAnswers(_ program: Program) throws {
        try eventually("\(program.name) answers: \(program.log)") {
            guard program.isRunning else { throw Failure("\(program.name) has ended: \(program.log)") }
            return try run(
                "kdig",
                ["+short", "+timeout=5", "+retry=0", "@\(place.address)", "-p", "\(place.port)", "acme.test", "SOA"]
            ).output.contains("hostmaster")
        }
    }

    /// Replaces the records of a name and a type by one. When this returns, the server answers so.
    func update(_ name: String, ttl: Int, _ type: String, _ value: String) throws {
        try succeed(
            "knsupdate", [],
            input: """
                server \(place.address) \(place.port)
                zone acme.test.
                update delete \(name).acme.test. \(type)
                update add \(name).acme.test. \(ttl) \(type) \(value)
                send

                """)
    }
}
