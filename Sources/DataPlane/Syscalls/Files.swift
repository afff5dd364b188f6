import CLinux
import Glibc

/// A descriptor in the keeping of one owner: closed when that lets go of it.
public struct OwnedDescriptor: ~Copyable, Sendable {
    public let number: Int32

    /// Takes over a descriptor that nobody else closes.
    public init(owning number: Int32) { self.number = number }

    deinit { _ = linux_close(number) }
}

/// Whole files, read and written at once; for what is kept outside the process, never on the hot path.
public enum File {
    /// A file in memory, which lives for as long as anyone holds a descriptor of it (memfd_create(2)).
    public static func inMemory(named name: String, _ octets: [UInt8]) throws(SystemCallError) -> OwnedDescriptor {
        let number = try KernelAnswer(unsafe linux_memory_file(name)).get("memfd_create")
        let file = OwnedDescriptor(owning: Int32(truncatingIfNeeded: number))
        try write(octets, to: file.number)
        return file
    }

    /// Everything in an open file, from its beginning, wherever its descriptor's other holders are in it.
    public static func contents(of number: Int32, atMost most: Int) throws(SystemCallError) -> [UInt8] {
        let size = try KernelAnswer(linux_file_size(number)).get("lseek")
        guard size <= most else { throw SystemCallError("a file of \(size) octets", code: EFBIG) }
        var octets = [UInt8](repeating: 0, count: size)
        var have = 0
        while have < size {
            let answer = unsafe octets.withUnsafeMutableBytes { room in
                unsafe KernelAnswer(linux_pread(number, room.baseAddress.map { unsafe $0 + have }, size - have, have))
            }
            let count = try answer.get("pread")
            guard count > 0 else { break }
            have += count
        }
        octets.removeLast(size - have)
        return octets
    }

    /// The file at `path`; nil when there is none.
    public static func contents(atPath path: String, atMost most: Int) throws(SystemCallError) -> [UInt8]? {
        let answer = KernelAnswer(unsafe linux_open_reading(path))
        if answer.code == ENOENT { return nil }
        let file = OwnedDescriptor(owning: Int32(truncatingIfNeeded: try answer.get("open \(path)")))
        return try contents(of: file.number, atMost: most)
    }

    /// The beginning of a file whose size is not known before it is read, as those of proc(5) are; nil when it cannot
    /// be read.
    public static func stream(atPath path: String, atMost most: Int) -> [UInt8]? {
        let answer = KernelAnswer(unsafe linux_open_reading(path))
        guard !answer.isError else { return nil }
        let file = OwnedDescriptor(owning: Int32(truncatingIfNeeded: answer.value))
        var octets = [UInt8](repeating: 0, count: most)
        var have = 0
        while have < most {
            let got = unsafe octets.withUnsafeMutableBytes { room in
                unsafe KernelAnswer(linux_read(file.number, room.baseAddress.map { unsafe $0 + have }, most - have))
            }
            guard !got.isError else { return nil }
            guard got.value > 0 else { break }
            have += got.value
        }
        octets.removeLast(most - have)
        return octets
    }

    /// Makes a folder for its owner alone, unless there is one.
    public static func makeFolder(_ path: String) throws(SystemCallError) {
        _ = try KernelAnswer(unsafe linux_make_folder(path)).get("mkdir \(path)")
    }

    /// Puts a file at `path` in place of the one that is there. Whatever happens meanwhile, a power cut included, one
    /// of the two is there whole. It is for its owner alone, who is that of the folder.
    public static func replace(_ path: String, by octets: [UInt8]) throws(SystemCallError) {
        var template = Array((path + ".XXXXXX").utf8CString)
        let number = try KernelAnswer(unsafe linux_open_temporary(&template)).get("open \(path).XXXXXX")
        let temporary = OwnedDescriptor(owning: Int32(truncatingIfNeeded: number))
        let folder = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        do {
            try write(octets, to: temporary.number)
            _ = try KernelAnswer(unsafe linux_give_to_owner_of(folder, temporary.number)).get("chown \(path)")
            _ = try KernelAnswer(linux_sync(temporary.number)).get("fsync")
            _ = try KernelAnswer(unsafe linux_rename(template, path)).get("rename to \(path)")
        } catch {
            unsafe _ = linux_unlink(template)
            throw error
        }
        let opened = OwnedDescriptor(
            owning: Int32(truncatingIfNeeded: try KernelAnswer(unsafe linux_open_reading(folder)).get("open \(folder)"))
        )
        _ = try KernelAnswer(linux_sync(opened.number)).get("fsync of \(folder)")
    }

    private static func write(_ octets: [UInt8], to number: Int32) throws(SystemCallError) {
        var written = 0
        while written < octets.count {
            let answer = unsafe octets.withUnsafeBytes { bytes in
                unsafe KernelAnswer(
                    linux_write(number, bytes.baseAddress.map { unsafe $0 + written }, octets.count - written))
            }
            written += try answer.get("write")
        }
    }
}
