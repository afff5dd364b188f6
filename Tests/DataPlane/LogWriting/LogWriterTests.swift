import Glibc
import Synchronization
import Syscalls
import Testing

@testable import DataPlane

/// A stream as the journal's, with a reader that reads when it is told to.
private final class LogStream: Sendable {
    let reading: Int32
    let writing: Int32

    /// With `small` buffers, a long line is taken in parts.
    init(small: Bool = false) throws {
        var ends: [Int32] = [-1, -1]
        guard unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0 else {
            throw NotInTime(description: "socketpair: errno \(errno)")
        }
        (reading, writing) = (ends[0], ends[1])
        guard small else { return }
        // The kernel makes the least of it that there is.
        var size: Int32 = 1
        unsafe setsockopt(writing, SOL_SOCKET, SO_SNDBUF, &size, socklen_t(MemoryLayout<Int32>.size))
    }

    deinit {
        close(reading)
        close(writing)
    }

    /// What there is, at most so many bytes.
    func read(upTo count: Int = 65_536) -> [UInt8] {
        var room = [UInt8](repeating: 0, count: count)
        let got = unsafe recv(reading, &room, count, Int32(MSG_DONTWAIT))
        return Array(room.prefix(max(0, got)))
    }

    /// Reads until `isEnough` says so of the whole lines so far.
    func lines(upTo count: Int = 65_536, until isEnough: ([String]) -> Bool) throws -> [String] {
        var rest: [UInt8] = []
        var lines: [String] = []
        try eventually("the lines") {
            while !isEnough(lines) {
                let more = read(upTo: count)
                guard !more.isEmpty else { return false }
                rest += more
                var parts = rest.split(separator: 0x0A, omittingEmptySubsequences: false)
                rest = Array(parts.removeLast())
                lines += parts.map { String(decoding: $0, as: UTF8.self) }
            }
            return true
        }
        return lines
    }
}

@Suite struct `The log` {
    private func writer(to stream: LogStream) throws -> LogWriter {
        let box = Box()
        let writer = try LogWriter(to: LineSink(descriptor: stream.writing)) { lost in
            box.writer.withLock { $0 }?.write("lost=\(lost)\n")
        }
        box.writer.withLock { $0 = writer }
        return writer
    }

    private final class Box: Sendable {
        let writer = Mutex<LogWriter?>(nil)
    }

    private func text(_ number: Int) -> String { "\(number) " + String(repeating: "x", count: 200) }

    @Test func `holds nobody up while its reader sleeps, and then has whole lines in order and says how many are lost`()
        throws
    {
        let stream = try LogStream()
        let writer = try writer(to: stream)
        // A call that waited for the reader would never return: this thread is the reader.
        for number in 0..<5000 { writer.write(text(number) + "\n") }
        #expect(writer.linesLost > 0)
        var (next, told) = (0, 0)
        let lines = try stream.lines { lines in
            let lost = lines.compactMap { $0.hasPrefix("lost=") ? Int($0.dropFirst(5)) : nil }
            return lines.count - lost.count + lost.reduce(0, +) == 5000
        }
        for line in lines {
            if line.hasPrefix("lost=") {
                let lost = try #require(Int(line.dropFirst(5)))
                told += lost
                next += lost
            } else {
                #expect(line == text(next))
                next += 1
            }
        }
        #expect(told == Int(writer.linesLost) && next == 5000)
        writer.finish(within: 60_000)
    }

    @Test func `is written to its end when there is a reader`() throws {
        let stream = try LogStream()
        let writer = try writer(to: stream)
        for number in 0..<100 { writer.write("\(number)\n") }
        writer.finish(within: 60_000)
        let lines = String(decoding: stream.read(), as: UTF8.self).split(separator: "\n")
        #expect(lines == (0..<100).map { "\($0)"[...] })
    }

    @Test func `ends in time when its reader sleeps`() throws {
        let stream = try LogStream()
        let writer = try writer(to: stream)
        for number in 0..<5000 { writer.write(text(number) + "\n") }
        // Without its bound this would wait for ever.
        writer.finish(within: 50)
        #expect(writer.linesLost > 0)
        // The descriptor may be another test's as soon as it is closed: not before the thread has ended.
        shutdown(stream.reading, Int32(SHUT_RDWR))
        writer.finish(within: 60_000)
    }

    @Test func `loses and counts every line when its reader is gone, and holds nobody up`() throws {
        let stream = try LogStream()
        shutdown(stream.reading, Int32(SHUT_RDWR))
        let writer = try writer(to: stream)
        for number in 0..<3000 { writer.write(text(number) + "\n") }
        try eventually("the count") { writer.linesLost == 3000 }
        writer.finish(within: 60_000)
    }

    @Test func `and the flow log in one stream do not tear each other's lines`() throws {
        let stream = try LogStream(small: true)
        let sink = LineSink(descriptor: stream.writing)
        let writers = try ["a", "b"].map { letter in
            try JoinableThread(named: letter) {
                for number in 0..<100 {
                    let text = "\(letter) \(number) " + String(repeating: letter, count: number * 400)
                    while sink.write(Array("\(text)\n".utf8)) == .full {
                        var set = PollSet()
                        sink.awaitRoom(in: &set)
                        set.wait(milliseconds: 100)
                    }
                }
                while sink.finish() == .full { usleep(1000) }
            }
        }
        let lines = try stream.lines(upTo: 5000) { $0.count == 200 }
        for writer in writers { writer.join() }
        for letter in ["a", "b"] {
            let whole = (0..<100).map { "\(letter) \($0) " + String(repeating: letter, count: $0 * 400) }
            #expect(lines.filter { $0.hasPrefix(letter) } == whole)
        }
    }

    @Test func `tells that nothing of a line was written when there is no room for its beginning`() throws {
        let stream = try LogStream(small: true)
        let sink = LineSink(descriptor: stream.writing)
        var taken: [String] = []
        while true {
            let line = "\(taken.count) " + String(repeating: "x", count: 1000)
            guard sink.write(Array("\(line)\n".utf8)) == .taken else { break }
            taken.append(line)
        }
        #expect(!taken.isEmpty)
        var bytes = stream.read()
        try eventually("the end of the last line") {
            let isDone = sink.finish() == .taken
            bytes += stream.read()
            return isDone && bytes.last == 0x0A
        }
        #expect(String(decoding: bytes, as: UTF8.self) == taken.map { $0 + "\n" }.joined())
    }

    @Test func `is given up when a last word finds no reader`() throws {
        let stream = try LogStream(small: true)
        let sink = LineSink(descriptor: stream.writing)
        while sink.write(Array("full\n".utf8)) == .taken {}
        // Without its bound this would wait for ever.
        sink.write(Array("last\n".utf8), within: 20)
        while !stream.read().isEmpty {}
        sink.write(Array("there\n".utf8), within: 60_000)
        #expect(String(decoding: stream.read(), as: UTF8.self).hasSuffix("there\n"))
    }
}
