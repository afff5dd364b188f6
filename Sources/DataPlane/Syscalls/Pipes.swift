import CLinux

/// A pipe through which a direction splices, or none. A plain value; whoever holds it gives it back once.
public struct Pipe: BitwiseCopyable {
    @usableFromInline let readEnd: Int32
    @usableFromInline let writeEnd: Int32

    @inlinable public init() { self.init(readEnd: -1, writeEnd: -1) }

    @usableFromInline init(readEnd: Int32, writeEnd: Int32) {
        self.readEnd = readEnd
        self.writeEnd = writeEnd
    }

    @inlinable public var exists: Bool { readEnd >= 0 }

    /// Takes what the pipe holds, up to `count` bytes, out of it.
    public func drained(_ count: Int) -> [UInt8] {
        var octets = [UInt8](repeating: 0, count: count)
        var have = 0
        while have < count {
            let answer = unsafe octets.withUnsafeMutableBytes { room in
                unsafe KernelAnswer(linux_read(readEnd, room.baseAddress.map { unsafe $0 + have }, count - have))
            }
            guard answer.value > 0 else { break }
            have += answer.value
        }
        octets.removeLast(count - have)
        return octets
    }
}

/// A worker's pipes. Opening and sizing one costs more than the bytes of many transfers, so empty ones are kept.
public struct PipePool: ~Copyable {
    /// 1 MiB: 64 KiB, the default, costs twice the CPU per gigabyte.
    public static let capacity: Int32 = 1 << 20
    /// Idle pipes that are kept. Each may hold two descriptors, and no memory while it is empty.
    private static let most = 64
    /// 256 MiB in pipes, at the worst, for one worker. A direction that waits for a slow peer keeps its pipe, and what is in it is the
    /// kernel's memory; beyond this others copy, within the limit of the buffers.
    public static let mostLent = 256

    private var idle: [Pipe] = []
    /// Pipes that are in use.
    public private(set) var lent = 0

    public init() { idle.reserveCapacity(PipePool.most) }

    /// An empty pipe, or none when too many are in use or descriptors have run out.
    public mutating func take() -> Pipe {
        guard lent < PipePool.mostLent else { return Pipe() }
        if let pipe = idle.popLast() {
            lent += 1
            return pipe
        }
        let ends = linux_pipe(PipePool.capacity)
        guard ends >= 0 else { return Pipe() }
        lent += 1
        return Pipe(readEnd: Int32(truncatingIfNeeded: ends), writeEnd: Int32(truncatingIfNeeded: ends >> 32))
    }

    /// Takes an empty pipe back and leaves none in its place.
    public mutating func give(_ pipe: inout Pipe) {
        guard pipe.exists else { return }
        guard idle.count < PipePool.most else { return discard(&pipe) }
        lent -= 1
        idle.append(pipe)
        pipe = Pipe()
    }

    /// Closes a pipe in use, with whatever it still holds.
    public mutating func discard(_ pipe: inout Pipe) {
        guard pipe.exists else { return }
        lent -= 1
        close(pipe)
        pipe = Pipe()
    }

    private func close(_ pipe: Pipe) {
        _ = linux_close(pipe.readEnd)
        _ = linux_close(pipe.writeEnd)
    }

    /// Closes every idle pipe, when descriptors are wanted for something better.
    public mutating func closeIdle() {
        while let pipe = idle.popLast() { close(pipe) }
    }
}
