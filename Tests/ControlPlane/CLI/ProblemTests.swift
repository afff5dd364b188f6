import Testing

@testable import ddirect

@Suite struct `Refusals` {
    @Test func `each wrong field has a line with its pointer and its sentence`() {
        let problem = Problem(
            status: 422,
            body: [
                "title": "Invalid field", "detail": "two fields are invalid",
                "errors": [
                    [
                        "pointer": "/endpoint/host",
                        "detail": "'127.0.0.1' lies in 127.0.0.0/8, which endpoints may not use",
                    ],
                    ["pointer": "/endpoint/httpPort", "detail": "'0' is not a port; expected 1 to 65535"],
                ],
            ])
        #expect(
            Failure.refused(problem).description == """
                ddirect: Invalid field: two fields are invalid
                  /endpoint/host: '127.0.0.1' lies in 127.0.0.0/8, which endpoints may not use
                  /endpoint/httpPort: '0' is not a port; expected 1 to 65535
                """)
    }

    @Test func `a detail that the only field repeats is said once`() {
        let problem = Problem(
            status: 422,
            body: [
                "title": "Invalid field", "detail": "too long", "errors": [["pointer": "/name", "detail": "too long"]],
            ])
        #expect(problem.description == "Invalid field\n  /name: too long")
    }

    @Test func `a refusal without fields says what it is in one sentence`() {
        let problem = Problem(
            status: 404, body: ["title": "There is no such thing", "detail": "There is no server 'ie1'."])
        #expect(problem.description == "There is no server 'ie1'.")
    }

    @Test func `an answer that is no problem still gets a sentence`() {
        #expect(Problem(status: 418, body: .null).description == "the API answered 418")
    }

    @Test func `what a refusal quotes cannot steer the terminal`() {
        let problem = Problem(
            status: 422, body: ["title": "Invalid", "errors": [["pointer": "/name", "detail": "'\u{1B}[31m'"]]])
        #expect(!problem.description.unicodeScalars.contains("\u{1B}"))
    }

    @Test(arguments: [
        (400, 1), (401, 77), (404, 1), (409, 1), (412, 1), (422, 1), (429, 1), (500, 70), (502, 69), (503, 69),
        (504, 69), (302, 70),
    ])
    func `the exit code tells a script who has to act`(status: Int, exit: Int32) {
        #expect(Failure(status: status, body: .null, base: "http://127.0.0.1:7080").exit.rawValue == exit)
    }

    @Test func `exit codes are those that the help promises`() {
        #expect(Failure.incomplete("").exit.rawValue == 2)
        #expect(Failure.usage("").exit.rawValue == 64)
        #expect(Failure.unreachable("").exit.rawValue == 69)
    }
}
