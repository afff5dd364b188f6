import Crypto
import FoundationEssentials

/// Signs requests to Amazon's services (Signature Version 4, `AWS4-HMAC-SHA256`). Pure: the time is passed in.
struct RequestSigner: Sendable {
    let accessKey: String
    let secret: String
    let region: String
    let service: String

    struct Request: Sendable {
        let method: String
        /// Not escaped.
        let path: String
        /// Names and values, not escaped.
        var query: [(String, String)] = []
        /// All that are signed; `host` has to be among them. Names in any case.
        var headers: [(String, String)]
        var body: [UInt8] = []
    }

    /// The headers to add: `X-Amz-Date` and `Authorization`.
    func headers(for request: Request, at date: Date) -> [(String, String)] {
        let time = RequestSigner.time(date)
        let day = time.prefix(8)
        var signed = request
        signed.headers.append(("X-Amz-Date", time))
        let scope = "\(day)/\(region)/\(service)/aws4_request"
        let text = "AWS4-HMAC-SHA256\n\(time)\n\(scope)\n\(digest(Array(canonical(signed).utf8)))"
        // The key is made for one day, one region and one service, so that who sees a derived one cannot do anything
        // else with it.
        let key = [String(day), region, service, "aws4_request"].reduce(Array("AWS4\(secret)".utf8)) { code($0, $1) }
        let names = RequestSigner.sorted(signed.headers).map(\.0).joined(separator: ";")
        return [
            ("X-Amz-Date", time),
            (
                "Authorization",
                "AWS4-HMAC-SHA256 Credential=\(accessKey)/\(scope), SignedHeaders=\(names), Signature=\(code(key, text).hexadecimal)"
            ),
        ]
    }

    /// The request in the one form that both sides sign.
    func canonical(_ request: Request) -> String {
        let path = request.path.split(separator: "/", omittingEmptySubsequences: false).map {
            String($0).percentEncoded
        }
        let query = request.query.map { ($0.percentEncoded, $1.percentEncoded) }.sorted { $0 < $1 }
        let headers = RequestSigner.sorted(request.headers)
        return [
            request.method, path.joined(separator: "/"), query.map { "\($0)=\($1)" }.joined(separator: "&"),
            headers.map { "\($0):\($1)\n" }.joined(), headers.map(\.0).joined(separator: ";"), digest(request.body),
        ].joined(separator: "\n")
    }

    /// By name in lower case; runs of spaces in values are one.
    private static func sorted(_ headers: [(String, String)]) -> [(String, String)] {
        headers.map { ($0.lowercased(), $1.split(separator: " ").joined(separator: " ")) }.sorted { $0.0 < $1.0 }
    }

    private func code(_ key: [UInt8], _ text: String) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: SymmetricKey(data: key)))
    }

    private func digest(_ octets: [UInt8]) -> String { SHA256.hash(data: octets).hexadecimal }

    /// `20150830T123600Z`.
    private static func time(_ date: Date) -> String {
        date.formatted(Date.ISO8601FormatStyle(dateSeparator: .omitted, timeSeparator: .omitted))
    }
}
