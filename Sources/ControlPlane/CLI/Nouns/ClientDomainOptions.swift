import ArgumentParser

/// Client domains that come and go, without repeating those that stay.
struct ClientDomainOptions: ParsableArguments {
    @Option(help: ArgumentHelp("One more client domain; again for each.", valueName: "domain"))
    var addClientDomain: [String] = []

    @Option(help: ArgumentHelp("A client domain to give up; again for each.", valueName: "domain"))
    var removeClientDomain: [String] = []

    var areUnchanged: Bool { addClientDomain.isEmpty && removeClientDomain.isEmpty }

    /// The list as it shall be; refused when one to remove is not there, which is more likely a slip of the pen than a
    /// wish fulfilled.
    func applied(to present: [String]) throws(Failure) -> [String] {
        let strangers = removeClientDomain.filter { !present.contains($0.lowercased()) && !present.contains($0) }
        guard strangers.isEmpty else {
            throw .usage(
                "cannot remove \(strangers.map(\.printable).joined(separator: ", ")); the client domains are \(present.joined(separator: ", "))"
            )
        }
        let removed = Set(removeClientDomain + removeClientDomain.map { $0.lowercased() })
        return present.filter { !removed.contains($0) } + addClientDomain.filter { !present.contains($0) }
    }
}
