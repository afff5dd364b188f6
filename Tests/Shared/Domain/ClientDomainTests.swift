import Testing

@testable import Domain

@Suite struct `Client domain` {
    static let label63 = String(repeating: "a", count: 63)
    /// 253 octets, the most that there may be.
    static let longest = [label63, label63, label63, String(repeating: "b", count: 61)].joined(separator: ".")

    @Test(arguments: [
        ("app.acme.example", "app.acme.example"), ("APP.Acme.Example", "app.acme.example"),
        ("app.acme.example.", "app.acme.example"), ("*.acme.example", "*.acme.example"),
        ("a-b.c--d.e", "a-b.c--d.e"), ("1.2.x3", "1.2.x3"), ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("XN--BCHER-KVA.example", "xn--bcher-kva.example"), (longest, longest),
        ("_foo.example", "_foo.example"), ("My_App.example", "my_app.example"),
        ("*._tcp.a_.example", "*._tcp.a_.example"),
        ("app.1_2", "app.1_2"),
    ])
    func `is kept in lower case and without a final dot`(text: String, kept: String) throws {
        #expect(try ClientDomain(text).description == kept)
    }

    @Test(arguments: [
        ("", "is empty"), (".", "is empty"), ("*", "wildcard"), ("*.", "is empty"), ("localhost", "only one label"),
        ("*.example", "only one label"), ("*.*.example", "wildcard"), ("a.*.example", "wildcard"),
        ("a*.example.test", "wildcard"), ("app..example", "empty label"), (".app.example", "empty label"),
        ("app.example..", "empty label"), ("-app.example", "hyphen"), ("app-.example", "hyphen"),
        ("app example.test", "character ' '"), ("app.example:443", "character ':'"),
        ("bücher.example", "outside ASCII"), ("app.example/", "character '/'"), ("192.0.2.1", "ends in a number"),
        ("app.123", "ends in a number"), ("ab--cd.example", "no A-label"), ("xn--.example", "hyphen"),
        ("xn--99999999999.example", "no A-label"), ("xn--abc-.example", "hyphen"), ("app.exa\u{0}mple", "character"),
        (label63 + "a.example", "label of 64 octets"), (longest + "b", "254 octets"), ("*." + longest, "too long"),
    ])
    func `is refused with what is wrong`(text: String, problem: String) {
        let error = #expect(throws: InvalidValue.self) { try ClientDomain(text) }
        #expect(error?.problem.contains(problem) == true, "\(error?.problem ?? "accepted")")
    }

    @Test(arguments: [
        ("*.acme.example", "app.acme.example", true), ("*.acme.example", "acme.example", false),
        ("*.acme.example", "a.b.acme.example", false), ("*.acme.example", "appacme.example", false),
        ("*.acme.example", "app.acme.examples", false), ("*.acme.example", "app.bcme.example", false),
        ("acme.example", "acme.example", true), ("acme.example", "app.acme.example", false),
    ])
    func `means one label by its wildcard`(domain: String, host: String, matches: Bool) throws {
        #expect(try ClientDomain(domain).matches(DomainName(host)) == matches)
    }

    /// The glance must never accept what a closer look refuses or would spell otherwise.
    @Test func `is accepted at a glance only if a closer look accepts it as it is`() throws {
        var generator = SystemRandomNumberGenerator()
        let alphabet = Array("abz019-.-.-..xn*A_")
        var accepted = 0
        for _ in 0..<100_000 {
            let count = Int.random(in: 0..<16, using: &generator)
            let text = String((0..<count).map { _ in alphabet.randomElement(using: &generator) ?? "a" })
            guard DomainName.isPlain(text.utf8Span.span) else { continue }
            accepted += 1
            // A capital letter sends the same name the long way.
            guard let letter = text.firstIndex(where: \.isLetter) else { continue }
            var shouted = text
            shouted.replaceSubrange(letter...letter, with: text[letter].uppercased())
            #expect(try DomainName(shouted).text == text)
        }
        #expect(accepted > 1000)
    }
}
