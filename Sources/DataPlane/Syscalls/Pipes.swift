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
}

/// A worker's pipes. Opening and sizing one costs more than the bytes of many transfers, so empty ones are kept.
public struct PipePool: ~Copyable {
    /// 1 MiB: 64 KiB, the default, costs twice the CPU per gigabyte.
    public static let capacity: Int32 = 1 << 20
    /// Idle pipes that are kept. Each may hold two descriptors, and no memory while it is empty.
    private static let most = 64

    private var idle: [Pipe] = []

    public init() { idle.reserveCapacity(PipePool.most) }

    /// An empty pipe, or none when descriptors have run out.
    public mutating func take() -> Pipe {
        if let pipe = idle.popLast() { return pipe }
        let ends = linux_pipe(PipePool.capacity)
        guard ends >= 0 else { return Pipe() }
        return Pipe(readEnd: Int32(truncatingIfNeeded: ends), writeEnd: Int32(truncatingIfNeeded: ends >> 32))
    }

    /// Takes an empty pipe back and leaves none in its place.
    public mutating func give(_ pipe: inout Pipe) {
        if idle.count < PipePool.most {
            idle.append(pipe)
            pipe = Pipe()
        } else {
            discard(&pipe)
        }
    }

    /// Closes a pipe, with whatever it still holds.
    public mutating func discard(_ pipe: inout Pipe) {
        guard pipe.exists else { return }
        _ = linux_close(pipe.readEnd)
        _ = linux_close(pipe.writeEnd)
        pipe = Pipe()
    }

    /// Closes every idle pipe, when descriptors are wanted for something better.
    public mutating func closeIdle() {
        while var pipe = idle.popLast() { discard(&pipe) }
    }
}
