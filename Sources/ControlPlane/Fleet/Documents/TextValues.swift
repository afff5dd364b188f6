package import Domain

extension Schema {
    /// What `Domain.Slug` says of itself.
    static let slugPattern = "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
    package static let slug = Schema.named("Slug", .text(pattern: slugPattern).examples("acme-app"))
    package static let domainName = DomainName.schema
    package static let timestamp = Schema.named("Timestamp", .text(format: "date-time"))
    static let requestPath = Schema.named(
        "RequestPath", .text(pattern: #"^/[!-"$-~]*$"#, longest: RequestPath.longest).examples("/health"))
    static let httpAddress = Schema.named(
        "HTTPAddress",
        .text(pattern: "^https?://[^/@#][^@#]*$", longest: HTTPAddress.longest)
            .examples("https://alerts.example/ddirect"))
    /// Without a port or with one: `192.0.2.53`, `[2001:db8::1]:53`.
    static let nameServer = Schema.named(
        "TransportAddress",
        .text(Address.lengths.lowerBound...Address.lengths.upperBound + "[]:65535".count)
            .described("An address and a port; without a port, 53.").examples("192.0.2.53:53"))
}

extension TextValue where Self: Slug {
    package static var schema: Schema { .slug }
}

extension CustomerName: TextValue {}
extension ServerName: TextValue {}
extension ServiceName: TextValue {}
extension RegionName: TextValue {}

extension CredentialName: TextValue {
    package static let schema = Schema.named(
        "Credential",
        .text(pattern: Schema.slugPattern).described(
            "The name of a secret: of a file among the control plane's credentials. The secret itself is never sent."
        ).examples("acme-tsig"))
}

extension CommandName: TextValue {
    package static let schema = Schema.text(pattern: Schema.slugPattern)
}

extension DomainLabelName: TextValue {
    package static let schema = Schema.text(1...DomainName.longest)
}

extension DomainName: TextValue {
    /// Two labels of one character are the shortest.
    static let lengths = 3...DomainName.longest
    package static let schema = Schema.named("DomainName", .text(lengths).examples("origin.acme.example"))
}

extension ClientDomain: TextValue {
    package static let schema = Schema.named(
        "ClientDomain",
        .text(DomainName.lengths).described("A name in A-label form; '*' only as its whole first label.")
            .examples("*.app.example"))
}

extension EndpointHost: TextValue {
    package static let schema = Schema.named(
        "Host",
        .text(Address.lengths.lowerBound...DomainName.longest)
            .described("A domain name, or an IPv4 or IPv6 address.").examples("origin.acme.example"))
}

extension Address: TextValue {
    /// From `::` to an IPv6 address that ends as an IPv4 address does.
    static let lengths = 2...45
    package static let schema = Schema.named("Address", .text(lengths).examples("192.0.2.10"))
}

extension Prefix: TextValue {
    package static let schema = Schema.named(
        "Prefix",
        .text(Address.lengths.lowerBound...Address.lengths.upperBound + "/128".count).examples("10.0.0.0/8"))
}

extension Port {
    package static let schema = Schema.named("Port", .integer(Port.numbers))
}
