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

    /// Of what `linux_pipe` answers.
    fileprivate init(_ ends: Int64) {
        self.init(readEnd: Int32(truncatingIfNeeded: ends), writeEnd: Int32(truncatingIfNeeded: ends >> 32))
    }

    @inlinable public var exists: Bool { readEnd >= 0 }

    /// How many bytes fit in; 0 where there is none.
    public var capacity: Int { max(0, linux_pipe_capacity(writeEnd)) }

    fileprivate func close() {
        _ = linux_close(readEnd)
        _ = linux_close(writeEnd)
    }

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
///
/// The kernel counts the pages of every pipe of a user, whatever is in it (fs.pipe-user-pages-soft, 64 MiB unless it
/// was changed; see pipe(7)). Beyond that an unprivileged user still gets pipes, of two pages, through which a gigabyte
/// costs more than by copying. So pipes are small enough that there are many, each is looked at when it is made, and
/// one that came out too small is closed again.
public struct PipePool: ~Copyable {
    /// 256 KiB. CPU seconds per gigabyte of the bare relay over 4 and over 120 connections: with 64 KiB 0.275 and
    /// 0.206, 128 KiB 0.219 and 0.138, 256 KiB 0.227 and 0.124, 512 KiB 0.208 and 0.132, 1 MiB 0.199 and 0.103. So four
    /// times as many pipes cost a tenth.
    public static let capacity: Int32 = 256 << 10
    /// Idle pipes that are kept: 16 MiB of what the user may have. Each holds two descriptors, and no memory while it
    /// is empty.
    private static let mostIdle = 64
    /// 256 MiB in pipes, at the worst, for one worker. A direction that waits for a slow peer keeps its pipe, and what
    /// is in it is the kernel's memory; beyond this others copy, within the limit of the buffers.
    public static let most = 1024
    /// Milliseconds without another try once the kernel has refused a pipe: what it lacks does not come back within
    /// one.
    private static let refusalPause: UInt64 = 1000

    private var idle: [Pipe] = []
    /// Pipes that are in use.
    public private(set) var lent = 0
    /// How often the kernel has refused a pipe, or gave one that was too small.
    public private(set) var refused: UInt64 = 0
    /// The pipes that this worker may have, in use and idle.
    private let share: Int
    private var tryAgain: UInt64 = 0
    /// Pipes in use by each holder.
    private let held: Slab<Int32, Int32>
    /// A holder may have so many times as many pipes as are left for everybody: a threshold that moves (Choudhury and
    /// Hahne 1998). One that lets all of its pipes stand full has four fifths of them, two such have four ninths each,
    /// and whoever comes next finds some. A fixed part for each would leave most of them unused on most servers.
    private static let factor = 4

    /// For holders below `holders`; for one worker.
    public init(share: Int = PipePool.most, holders: Int = 1) throws(SystemCallError) {
        self.share = min(share, PipePool.most)
        held = try Slab(capacity: holders)
        idle.reserveCapacity(PipePool.mostIdle)
    }

    public var idleCount: Int { idle.count }

    /// An empty pipe for `holder`, or none when too many are in use, by it or in all, or the kernel has refused one
    /// lately. `now` is in milliseconds.
    public mutating func lend(at now: UInt64, for holder: Int32) -> Pipe {
        guard Int(held[holder]) < PipePool.factor &* (share &- lent) else { return Pipe() }
        if let pipe = idle.popLast() {
            lend(to: holder)
            return pipe
        }
        guard now >= tryAgain else { return Pipe() }
        let ends = linux_pipe(PipePool.capacity)
        guard ends >= 0 else {
            refused &+= 1
            tryAgain = now &+ PipePool.refusalPause
            return Pipe()
        }
        lend(to: holder)
        return Pipe(ends)
    }

    @inline(__always) private mutating func lend(to holder: Int32) {
        lent &+= 1
        held[holder] &+= 1
    }

    /// Takes an empty pipe of `holder` back and leaves none in its place.
    public mutating func give(_ pipe: inout Pipe, of holder: Int32) {
        guard pipe.exists else { return }
        guard idle.count < PipePool.mostIdle else { return discard(&pipe, of: holder) }
        lent &-= 1
        held[holder] &-= 1
        idle.append(pipe)
        pipe = Pipe()
    }

    /// Closes a pipe in use by `holder`, with whatever it still holds.
    public mutating func discard(_ pipe: inout Pipe, of holder: Int32) {
        guard pipe.exists else { return }
        lent &-= 1
        held[holder] &-= 1
        pipe.close()
        pipe = Pipe()
    }

    /// Closes every idle pipe, when descriptors are wanted for something better.
    public mutating func closeIdle() {
        while let pipe = idle.popLast() { pipe.close() }
    }

    /// How many pipes each of so many workers may have: an even share of what the kernel grants this user.
    ///
    /// That is tried and not read, as the unit hides /proc/sys from us, a privilege lifts the limit, and other
    /// processes of the user may have some already. Takes a few milliseconds at the start, and no memory.
    public static func share(of workers: Int) -> Int {
        // Of 1 MiB each, so that 256 of them tell: who gets as many is not limited, but for `most`.
        let (step, enough) = (Int(1 << 20 / PipePool.capacity), 256)
        var granted: [Pipe] = []
        while granted.count < enough {
            let ends = linux_pipe(1 << 20)
            guard ends >= 0 else { break }
            granted.append(Pipe(ends))
        }
        for pipe in granted { pipe.close() }
        // A server has thousands of descriptors; with few of them, that the kernel refuses says nothing of pipes.
        guard granted.count < enough else { return PipePool.most }
        return max(1, granted.count * step / max(1, workers))
    }
}
