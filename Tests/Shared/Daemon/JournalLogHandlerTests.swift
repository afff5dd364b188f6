import Logging
import Synchronization
import Testing

@testable import Daemon

@Suite struct `A line for the journal` {
    @Test func `has its priority, its sentence, and its fields in order`() {
        let line = JournalLogHandler.line(
            .warning, "No session", ["serving": "41", "reason": "no route to host", "channel": "unix:/run/x"])
        #expect(line == "<4>No session channel=unix:/run/x reason=\"no route to host\" serving=41\n")
    }

    @Test func `stays one line whatever is in it`() {
        let line = JournalLogHandler.line(
            .info, "one\ntwo", ["a": "x\r\ny", "b": "say \"hi\"", "c": "", "d": "k=v", "e": "back\\slash here"])
        #expect(line == "<6>one two a=\"x y\" b=\"say \\\"hi\\\"\" c=\"\" d=\"k=v\" e=\"back\\\\slash here\"\n")
    }

    @Test(arguments: [
        (Logger.Level.trace, 7), (.debug, 7), (.info, 6), (.notice, 5), (.warning, 4), (.error, 3), (.critical, 2),
    ])
    func `ranks as the journal does`(level: Logger.Level, priority: Int) {
        #expect(JournalLogHandler.line(level, "x", [:]) == "<\(priority)>x\n")
    }

    @Test func `is written whole, with what its logger and its call add`() {
        let lines = Mutex<[String]>([])
        var logger = Logger(label: "test") { _ in JournalLogHandler { line in lines.withLock { $0.append(line) } } }
        logger[metadataKey: "server"] = "za1"
        logger.notice("Carrying traffic", metadata: ["version": "3"])
        logger.debug("too quiet to be heard")
        #expect(lines.withLock { $0 } == ["<5>Carrying traffic server=za1 version=3\n"])
    }

    @Test func `is wanted where standard error leads into the journal`() {
        #expect(JournalLogHandler.isWanted(environment: ["JOURNAL_STREAM": "8:1234"]))
        #expect(!JournalLogHandler.isWanted(environment: ["JOURNAL_STREAM": ""]))
        #expect(!JournalLogHandler.isWanted(environment: [:]))
    }
}
