import CLinux
import Glibc

/// A connected pair of sockets in whose queue descriptors wait, in flight, for whoever reads them: for longer than a process lives, if somebody holds
/// both ends meanwhile.
public struct Flight: ~Copyable {
    /// Reads what `sender` sends.
    public let receiver: OwnedDescriptor
    public let sender: OwnedDescriptor

    /// As many go with one message; fewer than the kernel's limit, and even, since flows have two.
    private static let perMessage = 250

    public init() throws(SystemCallError) {
        let ends = linux_message_pair()
        guard ends >= 0 else { throw SystemCallError("socketpair", code: CInt(truncatingIfNeeded: -ends)) }
        receiver = OwnedDescriptor(owning: Int32(truncatingIfNeeded: ends))
        sender = OwnedDescriptor(owning: Int32(truncatingIfNeeded: ends >> 32))
    }

    /// Sends descriptors, in order; they stay open here. How many of them are in flight: fewer than all when the kernel takes no more.
    public func send(_ descriptors: [Int32]) -> Int {
        var sent = 0
        while sent < descriptors.count {
            let count = min(Flight.perMessage, descriptors.count - sent)
            let batch = Array(descriptors[sent..<sent + count])
            guard unsafe linux_send_descriptors(sender.number, batch, UInt32(count)) > 0 else { break }
            sent += count
        }
        return sent
    }

    /// Everything that waits at the receiving end `number`, in order.
    public static func receive(at number: Int32) throws(SystemCallError) -> [Int32] {
        var all: [Int32] = []
        var batch = [Int32](repeating: -1, count: Int(LINUX_MOST_DESCRIPTORS))
        while true {
            let count = try KernelAnswer(unsafe linux_receive_descriptors(number, &batch)).get("recvmsg")
            guard count > 0 else { return all }
            all += batch[0..<count]
        }
    }
}
