/// What can go wrong on a network. The bridge does it, so that no host can know: to each of them it is as if the others
/// were silent.
extension Network {
    /// Pulls a host's plug. Nobody is told.
    func unplug(_ host: String) throws { try bridge.configure(["link set \(host) down"]) }

    func plug(_ host: String) throws { try bridge.configure(["link set \(host) up"]) }

    /// Loses so many of a hundred frames to and from a host, each at random.
    func lose(_ percent: Int, of host: String) throws {
        let loss = "numgen random mod 100 < \(percent) drop"
        try add(["iifname \"\(host)\" \(loss)", "oifname \"\(host)\" \(loss)"])
    }

    /// Lets nothing pass between two hosts, either way; of TCP to and from a port of the second alone, if one is given.
    func cut(_ first: String, _ second: String, port: UInt16? = nil) throws {
        try add([
            "iifname \"\(first)\" oifname \"\(second)\" \(port.map { "tcp dport \($0) " } ?? "")drop",
            "iifname \"\(second)\" oifname \"\(first)\" \(port.map { "tcp sport \($0) " } ?? "")drop",
        ])
    }

    /// Ends all losses and cuts; what is unplugged stays so.
    func mend() throws { try nft("flush ruleset\n") }

    private func add(_ rules: [String]) throws {
        let chain = "add chain bridge faults forward { type filter hook forward priority 0; }"
        let lines = ["add table bridge faults", chain] + rules.map { "add rule bridge faults forward \($0)" }
        try nft(lines.joined(separator: "\n") + "\n")
    }

    private func nft(_ script: String) throws {
        let said = try bridge.run("nft", ["-f", "-"], input: script)
        guard said.code == 0 else { throw Failure("nft: \(script)\(said.errors)") }
    }
}
