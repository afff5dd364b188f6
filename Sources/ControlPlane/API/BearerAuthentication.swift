import Access
import Hummingbird

/// Who sends a request.
struct BearerAuthentication: Sendable {
    let tokens: AccessTokens

    /// By the bearer token that the request shows.
    func caller(by headers: HTTPFields) throws(Problem) -> Caller {
        let parts = (headers[.authorization] ?? "").split(separator: " ", maxSplits: 1)
        if parts.count == 2, parts[0].lowercased() == "bearer", let caller = tokens.caller(ofSecret: String(parts[1])) {
            return caller
        }
        throw Problem(
            .unauthorized,
            parts.isEmpty
                ? "The request has no token; expected the header 'Authorization: Bearer TOKEN'."
                : "The token is not known; expected one that GET /api/v1/tokens lists, "
                    + "or the one in the admin token file.",
            headers: [.wwwAuthenticate: "Bearer realm=\"ddirect\""])
    }
}
