import Domain
import Foundation
import Glibc
import Syscalls
import Testing

/// Endpoints are never at an address of this machine, also not at one that it was given after the start.
@Suite(.enabled(if: geteuid() == 0, "a network namespace of its own takes root"))
struct `Own addresses` {
    /// Runs `body` on a thread of its own in a network namespace of its own.
    private func inNamespace<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) throws -> Result {
        let outcome = Outcome<Result>()
        let thread = Foundation.Thread {
            do {
                typealias Unshare = @convention(c) (Int32) -> Int32
                guard let symbol = unsafe dlsym(nil, "unshare") else { throw NotInTime(description: "no unshare(2)") }
                let unshare = unsafe unsafeBitCast(symbol, to: Unshare.self)
                guard unshare(0x4000_0000 /* CLONE_NEWNET */) == 0 else {
                    throw NotInTime(description: "unshare: errno \(errno)")
                }
                outcome.end(.success(try body()))
            } catch {
                outcome.end(.failure(error))
            }
        }
        thread.start()
        return try outcome.wait()
    }

    /// Runs `ip` in this thread's namespace.
    private func ip(_ words: String...) throws {
        let arguments: [UnsafeMutablePointer<CChar>?] = unsafe (["ip"] + words).map { unsafe strdup($0) } + [nil]
        defer { unsafe arguments.forEach { unsafe free($0) } }
        var process = pid_t()
        let failure = unsafe posix_spawnp(&process, "ip", nil, nil, arguments, environ)
        var status: Int32 = 0
        guard failure == 0, unsafe waitpid(process, &status, 0) == process, status == 0 else {
            throw NotInTime(description: "ip \(words.joined(separator: " ")): \(failure), \(status)")
        }
    }

    @Test func `an address that an interface is given, or loses, is told by the kernel`() throws {
        let address = try Address("192.0.2.77")
        let seen = try inNamespace { () -> [Bool] in
            let own = OwnAddresses()
            var seen = [own.addresses.contains(address)]
            func told() -> Bool {
                var set = PollSet()
                let place = set.add(own.descriptor)
                set.wait(milliseconds: 60_000)
                return set.isReadable(place)
            }
            try ip("link", "add", "one", "type", "veth", "peer", "name", "other")
            try ip("address", "add", "192.0.2.77/32", "dev", "one")
            seen += [told(), own.look(), own.addresses.contains(address)]
            try ip("address", "delete", "192.0.2.77/32", "dev", "one")
            seen += [told(), own.look(), own.addresses.contains(address)]
            return seen
        }
        #expect(seen == [false, true, true, true, true, true, false])
    }
}

/// What has come of something that another thread does.
private final class Outcome<Value: Sendable>: @unchecked Sendable {
    // Written by that thread before the semaphore is signalled, read by the other after.
    private var outcome: Result<Value, any Error>?
    private let done = DispatchSemaphore(value: 0)

    func end(_ outcome: Result<Value, any Error>) {
        self.outcome = outcome
        done.signal()
    }

    func wait() throws -> Value {
        done.wait()
        guard let outcome else { throw NotInTime(description: "no outcome") }
        return try outcome.get()
    }
}
