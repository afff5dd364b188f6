import Access
import Hummingbird
import Testing

@testable import API

@Suite struct `Rights` {
    private let operation = Operation(
        .patch, "/api/v1/services/{name}", needs: .changeServices, ResourceDescriptions(kind: .service).update
    ) { _ in Response(status: .ok) }

    @Test func `who has the right that an operation needs is let in`() throws {
        try operation.admit(Caller(name: "deploy", rights: [.changeServices]))
    }

    @Test func `who has every other right is refused, and told which one is missing`() throws {
        let caller = Caller(name: "deploy", rights: Set(Right.allCases).subtracting([.changeServices]))
        let problem = try #require(throws: Problem.self) { try operation.admit(caller) }
        #expect(problem.kind == .forbidden)
        #expect(problem.detail.contains("changeServices"))
    }

    @Test func `only health and the API's description are open`() async throws {
        try await Bench.run { bench in
            #expect(
                Set(bench.operations.filter(\.isOpen).map(\.path))
                    == ["/healthz", "/openapi.json", "/api/v1/openapi.json"])
        }
    }

    @Test func `every right is needed by something`() async throws {
        try await Bench.run { bench in
            #expect(Set(bench.operations.compactMap(\.right)) == Set(Right.allCases))
        }
    }

    @Test func `what only shows needs no right to change`() async throws {
        let readers: Set<Right> = [.readFleet, .listFlows, .readFailovers, .readEvents, .readAudit, .readMetrics]
        try await Bench.run { bench in
            for operation in bench.operations where operation.method == .get {
                guard let right = operation.right, operation.path != "/api/v1/tokens" else { continue }
                #expect(readers.contains(right), "\(operation.path)")
            }
        }
    }
}
