import Foundation
import Hummingbird
import Testing

@testable import API
@testable import Access
@testable import JSON
@testable import Store

@Suite struct `Access` {
    @Test func `without a token nothing is told but health and the API's description`() async throws {
        try await Bench.run { bench in
            for path in ["/api/v1/customers", "/api/v1/nothing", "/metrics", "/"] {
                for value in [
                    nil, "", "Bearer", "Bearer x", "Basic \(bench.token)", bench.token, "Bearer \(bench.token)x",
                ] {
                    let answer = try await bench.client.execute(
                        uri: path, method: .get, headers: value.map { [.authorization: $0] } ?? [:]
                    ) { ($0.status, $0.headers[.wwwAuthenticate]) }
                    #expect(answer.0 == .unauthorized)
                    #expect(answer.1 == "Bearer realm=\"ddirect\"")
                }
            }
            for path in ["/healthz", "/openapi.json", "/api/v1/openapi.json"] {
                #expect(try await bench.client.execute(uri: path, method: .get) { $0.status } == .ok)
            }
        }
    }

    @Test func `a token is shown once, works, and stops working when it is deleted`() async throws {
        try await Bench.run { bench in
            let made = try await bench.post("/tokens", #"{"name":"deploy"}"#)
            #expect(made.status == 201)
            guard case .string(let secret)? = made["token"] else {
                Issue.record("no token in \(made.text)")
                return
            }
            let header: HTTPFields = [.authorization: "bearer \(secret)"]
            #expect(try await bench.post("/customers", #"{"name":"acme"}"#, header).status == 201)
            #expect(try await bench.get("/versions/1")["author"] == "deploy")
            #expect(try await bench.get("/tokens").text.contains(secret) == false)
            #expect(try await bench.post("/tokens", #"{"name":"deploy"}"#).status == 409)
            #expect(try await bench.post("/tokens", #"{"name":"A","x":1}"#).pointers == ["/name", "/x"])
            #expect(try await bench.delete("/tokens/deploy").status == 204)
            #expect(try await bench.get("/tokens", header).status == 401)
            #expect(try await bench.delete("/tokens/deploy").status == 404)
        }
    }

    @Test func `a name that goes on behind a NUL is nobody's`() async throws {
        try await Bench.run { bench in
            let made = try await bench.post("/tokens", #"{"name":"ci"}"#)
            guard case .string(let secret)? = made["token"] else {
                Issue.record("no token in \(made.text)")
                return
            }
            #expect(try await bench.delete("/tokens/ci%00x").status == 404)
            #expect(try await bench.get("/tokens").text.contains(#""ci""#))
            #expect(try await bench.post("/customers", #"{"name":"acme"}"#).status == 201)
            #expect(try await bench.delete("/customers/acme%00x").status == 404)
            #expect(try await bench.get("/customers/acme", [.authorization: "Bearer \(secret)"]).status == 200)
        }
    }

    @Test func `a token is not made with a key that could not repeat it`() async throws {
        try await Bench.run { bench in
            let answer = try await bench.post("/tokens", #"{"name":"ci"}"#, [.idempotencyKey: "k-1"])
            #expect(answer.status == 400)
            #expect(answer.text.contains("Idempotency-Key"))
        }
    }

    @Test func `the last token cannot be deleted`() async throws {
        try await Bench.run { bench in
            let answer = try await bench.delete("/tokens/admin")
            #expect(answer.status == 409)
            #expect(try await bench.get("/tokens").status == 200)
        }
    }

    @Test func `the first token is written for its owner alone, and only digests are stored`() async throws {
        try await withFolder { folder in
            let store = try await Store.open(at: folder + "/control.db", exceptions: [])
            let file = AdminTokenFile(path: folder + "/admin.token")
            _ = try await AccessTokens(TokenRows(store: store), adminTokenFile: file)
            let attributes = try FileManager.default.attributesOfItem(atPath: folder + "/admin.token")
            #expect(attributes[.posixPermissions] as? Int == 0o600)
            let secret = try String(contentsOfFile: folder + "/admin.token", encoding: .utf8).filter {
                !$0.isWhitespace
            }
            #expect(Array(try await TokenRows(store: store).names().keys) == [AccessToken.digest(of: secret)])
            try await store.close()
        }
    }

    @Test func `a token that stands in the file already is adopted`() async throws {
        try await withFolder { folder in
            let secret = String(repeating: "s3cret-", count: 6)
            try Data("\(secret)\n".utf8).write(to: URL(filePath: folder + "/admin.token"))
            let store = try await Store.open(at: folder + "/control.db", exceptions: [])
            let tokens = try await AccessTokens(
                TokenRows(store: store), adminTokenFile: AdminTokenFile(path: folder + "/admin.token"))
            #expect(tokens.caller(ofSecret: secret)?.name == "admin")
            #expect(tokens.caller(ofSecret: secret + "\n") == nil)
            try await store.close()
        }
    }

    @Test(arguments: ["", "short", String(repeating: "two words ", count: 5)])
    func `a file with a poor token stops the start, without showing it`(text: String) async throws {
        try await withFolder { folder in
            try Data(text.utf8).write(to: URL(filePath: folder + "/admin.token"))
            let store = try await Store.open(at: folder + "/control.db", exceptions: [])
            let failure = await #expect(throws: AdminTokenFile.Failure.self) {
                _ = try await AccessTokens(
                    TokenRows(store: store), adminTokenFile: AdminTokenFile(path: folder + "/admin.token"))
            }
            #expect(failure?.description.contains("32 to 200") == true)
            #expect(text.isEmpty || failure?.description.contains(text) == false)
            #expect(try await TokenRows(store: store).names().isEmpty)
            try await store.close()
        }
    }

    @Test func `a token file in a folder that is not there stops the start`() async throws {
        try await withFolder { folder in
            let store = try await Store.open(at: folder + "/control.db", exceptions: [])
            await #expect(throws: AdminTokenFile.Failure.self) {
                _ = try await AccessTokens(
                    TokenRows(store: store), adminTokenFile: AdminTokenFile(path: folder + "/none/admin.token"))
            }
            try await store.close()
        }
    }
}
