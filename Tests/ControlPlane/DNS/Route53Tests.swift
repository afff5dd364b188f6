import Domain
import FoundationEssentials
import Testing

@testable import DNS

/// Amazon's own test vectors (aws-sig-v4-test-suite): one key, one moment, and the signature of each request.
@Suite struct `A request's signature` {
    static let vectors: [(name: String, request: RequestSigner.Request, signature: String)] = [
        (
            "get-vanilla", request("GET"),
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
        ),
        (
            "get-vanilla-query-order-key-case", request("GET", query: [("Param2", "value2"), ("Param1", "value1")]),
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"
        ),
        (
            "get-unreserved", request("GET", "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"),
            "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"
        ),
        (
            "get-header-value-trim",
            request("GET", headers: [("My-Header1", " value1"), ("My-Header2", " \"a   b   c\" ")]),
            "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"
        ),
        (
            "post-vanilla", request("POST"),
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"
        ),
        (
            "post-x-www-form-urlencoded",
            request("POST", headers: [("Content-Type", "application/x-www-form-urlencoded")], body: "Param1=value1"),
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"
        ),
    ]

    static func request(
        _ method: String, _ path: String = "/", query: [(String, String)] = [], headers: [(String, String)] = [],
        body: String = ""
    ) -> RequestSigner.Request {
        RequestSigner.Request(
            method: method, path: path, query: query, headers: [("Host", "example.amazonaws.com")] + headers,
            body: Array(body.utf8))
    }

    @Test(arguments: vectors.indices) func `is the published one`(_ index: Int) {
        let vector = `A request's signature`.vectors[index]
        let signer = RequestSigner(
            accessKey: "AKIDEXAMPLE", secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", region: "us-east-1",
            service: "service")
        // 2015-08-30T12:36:00Z.
        let headers = signer.headers(for: vector.request, at: Date(timeIntervalSince1970: 1_440_938_160))
        #expect(headers[0] == ("X-Amz-Date", "20150830T123600Z"))
        #expect(
            headers[1].1.hasPrefix(
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders="))
        #expect(headers[1].1.hasSuffix("Signature=" + vector.signature), "\(vector.name)")
    }
}

@Suite struct `The XML of Route 53` {
    @Test func `is read with aliases and sets of several as something else`() throws {
        let page = try Route53Document.page(
            Array(
                """
                <?xml version="1.0"?>
                <ListResourceRecordSetsResponse xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><ResourceRecordSets>
                <ResourceRecordSet><Name>app.acme.test.</Name><Type>CNAME</Type><TTL>5</TTL>
                <ResourceRecords><ResourceRecord><Value>ZA1.dfree.test.</Value></ResourceRecord></ResourceRecords></ResourceRecordSet>
                <ResourceRecordSet><Name>www.acme.test.</Name><Type>A</Type><AliasTarget><HostedZoneId>Z1</HostedZoneId>
                <DNSName>lb.test.</DNSName></AliasTarget></ResourceRecordSet>
                <ResourceRecordSet><Name>\\052.acme.test.</Name><Type>AAAA</Type><SetIdentifier>a &amp; b</SetIdentifier><TTL>9</TTL>
                <ResourceRecords><ResourceRecord><Value>2001:DB8::1</Value></ResourceRecord></ResourceRecords></ResourceRecordSet>
                <ResourceRecordSet><Name>x.acme.test.</Name><Type>TXT</Type><TTL>5</TTL></ResourceRecordSet>
                </ResourceRecordSets><IsTruncated>true</IsTruncated><NextRecordName>y.acme.test.</NextRecordName>
                <MaxItems>4</MaxItems></ListResourceRecordSetsResponse>
                """.utf8))
        #expect(page.next == "y.acme.test")
        #expect(page.sets.map(\.name) == ["app.acme.test", "www.acme.test", "*.acme.test", "x.acme.test"])
        // To the letter, for the deletion; and as we write values, for the comparison.
        #expect(page.sets[0].values == ["ZA1.dfree.test."])
        #expect(page.sets[0].recordSet == .alias("za1.dfree.test"))
        #expect(page.sets[1].recordSet?.values == ["ALIAS lb.test."])
        #expect(page.sets[2].recordSet?.values == ["2001:db8::1", "with the set identifier 'a & b'"])
        #expect(page.sets[3].recordSet == nil)
    }

    @Test func `is written with what is deleted first`() throws {
        let name = try DomainName("app.acme.test")
        let batch = Route53Document.batch([
            .init(action: .delete, set: RecordSet.alias("za1.dfree.test").resourceSet(of: name)),
            .init(action: .create, set: RecordSet.ipv4("192.0.2.1", "192.0.2.2", ttl: 7).resourceSet(of: name)),
        ])
        let changes = try #require(try XMLElement(parsing: Array(batch.utf8))["ChangeBatch"]?["Changes"]).all("Change")
        #expect(changes.map { $0["Action"]?.text } == ["DELETE", "CREATE"])
        let sets = changes.compactMap { $0["ResourceRecordSet"] }
        #expect(sets.map { $0["Name"]?.text } == ["app.acme.test.", "app.acme.test."])
        #expect(sets.map { $0["TTL"]?.text } == ["5", "7"])
        #expect(
            sets.map { $0["ResourceRecords"]?.all("ResourceRecord").compactMap { $0["Value"]?.text } } == [
                ["za1.dfree.test."], ["192.0.2.1", "192.0.2.2"],
            ])
    }

    @Test func `tells errors in either of its forms`() throws {
        let one =
            "<ErrorResponse><Error><Type>Sender</Type><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>"
        let error = try #require(Route53Document.error(Array(one.utf8)))
        #expect(error == ("Throttling", "Rate exceeded"))
        let two =
            "<InvalidChangeBatch><Messages><Message>a</Message><Message>b</Message></Messages></InvalidChangeBatch>"
        #expect(try #require(Route53Document.error(Array(two.utf8))) == ("InvalidChangeBatch", "a; b"))
        #expect(Route53Document.error(Array("no XML".utf8)) == nil)
    }

    @Test(arguments: [
        "", "<a>", "<a></b>", "<a/><b/>", "<a>&unknown;</a>", "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>",
        "<a b='c></a>", "x<a/>",
        "<a>&#x110000;</a>", "<>", "< a/>",
    ]) func `is not read when it is none`(_ text: String) {
        #expect(throws: XMLSyntaxError.self) { try XMLElement(parsing: Array(text.utf8)) }
    }

    @Test func `is not read when it nests without end`() {
        let text = String(repeating: "<a>", count: 100_000)
        #expect(throws: XMLSyntaxError.self) { try XMLElement(parsing: Array(text.utf8)) }
    }

    @Test func `has entities, comments and CDATA`() throws {
        let element = try XMLElement(
            parsing: Array("<!-- x --><n:a b=\">\">1 &lt;&#65;&#x42;<!-- y --><![CDATA[<c>]]></n:a >".utf8))
        #expect(element == XMLElement(name: "a", text: "1 <AB<c>"))
    }
}

@Suite struct `Route 53` {
    let za1 = RecordSet.alias("za1.dfree.test")

    @Test func `a rehearsal finds out that the key may only read`() async throws {
        let zone = try await Laboratory.route53.zone()
        try await zone.write(["app": [za1]])
        let reader = try zone.provider(.credential("reader"))
        #expect(try await reader.present([zone.named("app")]) == [zone.named("app"): [za1]])
        let failure = await caught {
            _ = try await reader.rehearse([RecordChange(name: zone.named("app"), expected: [za1], wanted: [za1])])
        }
        #expect(failure?.kind == .unauthorized)
        #expect(failure?.reason.contains("AccessDenied") == true)
    }

    @Test func `a credential without its second line is not used`() async throws {
        let zone = try await Laboratory.route53.zone()
        let provider = try zone.provider(.credential("damaged"))
        let failure = await caught { _ = try await provider.present([zone.named("app")]) }
        #expect(failure?.kind == .unauthorized)
        #expect(failure?.reason.contains("AKID") == false)
    }

    @Test func `a batch has a thousand records`() throws {
        let changes = try (0..<1000).map {
            RecordChange(name: try DomainName("n\($0).acme.test"), expected: [za1], wanted: [za1])
        }
        let parts = Route53Provider.parts(of: changes)
        #expect(parts.map(\.count) == [250, 250, 250, 250])
        #expect(parts.flatMap(\.self) == changes)
    }
}
