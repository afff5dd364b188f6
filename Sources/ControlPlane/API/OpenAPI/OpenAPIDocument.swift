import Synchronization

/// The text of the OpenAPI document, made when it is asked for first.
///
/// It describes all operations, among them those that send it: so they are told to it when all are there.
final class OpenAPIDocument: Sendable {
    private let state = Mutex<(operations: [Operation], text: String?)>(([], nil))

    func describe(_ operations: [Operation]) { state.withLock { $0 = (operations, nil) } }

    var text: String {
        state.withLock { state in
            let text = state.text ?? OpenAPI(operations: state.operations).document
            state.text = text
            return text
        }
    }
}
