import CLinux
import Glibc

/// Descriptors in flight: sent through a pair of sockets whose sending end is closed again, they wait in the queue of
/// the other for whoever reads them, for longer than a process lives, if somebody holds that end meanwhile.
public struct Flight: ~Copyable {
    /// Where they wait.
    public let receiver: OwnedDescriptor
    /// How many groups do: fewer than all when the queue is full (some 69,000 descriptors by default).
    public let sent: Int

    /// As many go with one message, at most; the kernel takes a few more.
    private static let perMessage = 250

    /// Sends groups of descriptors, none of them torn. They stay open here.
    public init(_ groups: ArraySlice<[Int32]>) throws(SystemCallError) {
        let ends = linux_message_pair()
        guard ends >= 0 else { throw SystemCallError("socketpair", code: CInt(truncatingIfNeeded: -ends)) }
        receiver = OwnedDescriptor(owning: Int32(truncatingIfNeeded: ends))
        let sender = OwnedDescriptor(owning: Int32(truncatingIfNeeded: ends >> 32))
        var sent = 0
        while sent < groups.count {
            var batch: [Int32] = []
            var taken = 0
            for group in groups.dropFirst(sent) {
                guard batch.count + group.count <= Flight.perMessage else { break }
                batch += group
                taken += 1
            }
            guard taken > 0, unsafe linux_send_descriptors(sender.number, batch, UInt32(batch.count)) > 0 else { break }
            sent += taken
        }
        self.sent = sent
    }

    /// Everything that waits at the receiving end `number`, in order. What has been received before a failure is closed
    /// with resets.
    public static func receive(at number: Int32) throws(SystemCallError) -> [Int32] {
        var all: [Int32] = []
        var batch = [Int32](repeating: -1, count: Int(LINUX_MOST_DESCRIPTORS))
        while true {
            let answer = KernelAnswer(unsafe linux_receive_descriptors(number, &batch))
            guard answer.value > 0 else {
                guard answer.isError else { return all }
                for descriptor in all { Socket(number: descriptor).reset() }
                throw SystemCallError("recvmsg", code: answer.code)
            }
            all += batch[0..<answer.value]
        }
    }
}
