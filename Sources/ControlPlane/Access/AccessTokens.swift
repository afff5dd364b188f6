package import Store
import Synchronization

/// Who may use the API: the tokens by the digests of their secrets.
///
/// Kept in memory beside the store, so a request without a valid token costs no look-up on disk. The look-up by digest
/// takes no time that depends on the secret: whoever times it learns of the digest of what he sent, and nothing of
/// ours.
package final class AccessTokens: Sendable {
    private let rows: TokenRows
    private let names: Mutex<[String: TokenName]>

    /// Reads the tokens, and makes the first one when there is none.
    package init(_ rows: TokenRows, adminTokenFile: AdminTokenFile) async throws {
        var tokens = try await rows.names()
        if tokens.isEmpty {
            let token = try adminTokenFile.tokenFromFileOrNew()
            let admin = TokenName(checked: "admin")
            let request = ChangeRequest(author: "ddirect-control", action: "token.create", target: admin.text)
            try await rows.add(admin, digest: token.digest, request)
            tokens = [token.digest: admin]
        }
        self.rows = rows
        names = Mutex(tokens)
    }

    /// Whose token `secret` is, or nil. A token may do everything.
    package func caller(ofSecret secret: String) -> Caller? {
        let digest = AccessToken.digest(of: secret)
        return names.withLock { $0[digest] }.map { Caller(name: $0.text, rights: Set(Right.allCases)) }
    }

    package func create(_ name: TokenName, by author: String) async throws -> AccessToken {
        let token = AccessToken()
        try await rows.add(
            name, digest: token.digest, ChangeRequest(author: author, action: "token.create", target: name.text))
        names.withLock { $0[token.digest] = name }
        return token
    }

    package func delete(_ name: TokenName, by author: String) async throws {
        let digest = try await rows.remove(
            name, ChangeRequest(author: author, action: "token.delete", target: name.text))
        // By the digest: another token of that name may have been made since.
        names.withLock { $0[digest] = nil }
    }

    /// What the API shows of the tokens, by name, from the one after `key`.
    package func records(after key: String?, limit: Int) async throws -> Page<TokenRecord, String> {
        try await rows.records(after: key, limit: limit)
    }
}
