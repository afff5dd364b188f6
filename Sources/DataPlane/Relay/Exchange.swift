import Domain
import Routing
import Syscalls

/// A flow of plain HTTP: one request at a time, and its response, followed so that the next request head is found.
///
/// A request is passed on only after the response before it has ended, so an answer of ours (421, 400) never lands
/// inside a response, and who asked for what is never in doubt. Requests that a client sends ahead wait in its inbox,
/// and then in its socket.
struct Exchange: BitwiseCopyable {
    /// One direction's message.
    struct Message: BitwiseCopyable {
        enum Stage: UInt8, BitwiseCopyable {
            /// At a head, or somewhere in one.
            case head
            case body
            /// The message has ended; the other direction's has not.
            case done
            /// No further message is taken in this direction.
            case last
        }

        var stage = Stage.head
        var isChunked = false
        /// Bytes that have been read and not yet been looked at or passed on.
        var inbox = Buffer()
        var offset: Int32 = 0
        var count: Int32 = 0
        /// How many bytes the last read brought.
        var lastRead: Int32 = 0
        /// How far the search for the end of the head has come, from `offset`.
        var scanned: Int32 = 0
        /// Of a body with a length: what has not been handed to the relay yet. `Half.unbounded` for a tunnel or a body
        /// until close.
        var left: UInt64 = 0
        var chunked = ChunkedBody(from: .client)
    }

    var request = Message()
    var response = Message()
    var isHEAD = false
    var wantsUpgrade = false
    /// The client waits for leave to send the body, and none has come; nor has it begun without.
    var awaitsContinue = false
    /// No request is taken after the one under way.
    var closes = false
    /// The response to the request under way has begun to pass; interim ones are none.
    var answered = false
    /// Empty lines that came before the head that is being read.
    var emptyLines: UInt8 = 0
    /// When the first byte of the head that is being read came; in the worker's ticks.
    var headSince: UInt32 = 0
    /// Since when the endpoint owes an answer: the request's head was passed on, the request was whole, or an interim
    /// response came. In the worker's ticks.
    var askedSince: UInt32 = 0
    /// The status of the last response, whoever's it was; 0 before the first.
    var status: UInt16 = 0
    /// Bytes that had come from the client when its rate was begun to be measured.
    var heardBefore: UInt64 = 0
    /// Requests that were passed on.
    var requests: UInt32 = 0
    /// The device's address as text, for the fields that tell it; written when first wanted.
    var client = InlineArray<40, UInt8>(repeating: 0)
    var clientCount: Int32 = 0
}
