import GRDB

/// A value that goes into or comes out of a statement: the types that SQLite and PostgreSQL share.
package enum SQLValue: Equatable, Sendable {
    case null
    case integer(Int64)
    case text(String)

    package static func text(_ optional: String?) -> SQLValue { optional.map { .text($0) } ?? .null }
    static func integer(_ optional: Int64?) -> SQLValue { optional.map { .integer($0) } ?? .null }
}

/// A row of an answer. A column that is not what its statement promised is damage, never a crash.
package struct SQLRow {
    private let values: [SQLValue]

    init(_ values: [SQLValue]) { self.values = values }

    package func text(_ column: Int) throws(StoreFailure) -> String {
        guard values.indices.contains(column), case .text(let text) = values[column] else {
            throw .damaged("column \(column) of an answer is no text")
        }
        return text
    }

    package func integer(_ column: Int) throws(StoreFailure) -> Int64 {
        guard values.indices.contains(column), case .integer(let number) = values[column] else {
            throw .damaged("column \(column) of an answer is no integer")
        }
        return number
    }

    package func isNull(_ column: Int) -> Bool { values.indices.contains(column) && values[column] == .null }
}

/// One connection, inside one transaction or read.
package struct SQLConnection {
    fileprivate let database: Database

    package func execute(_ sql: String, _ arguments: [SQLValue] = []) throws(StoreFailure) {
        try translating { try database.cachedStatement(sql: sql).execute(arguments: StatementArguments(arguments)) }
    }

    /// Several statements without arguments: a migration.
    func executeScript(_ sql: String) throws(StoreFailure) {
        try translating { try database.execute(sql: sql) }
    }

    package func rows(_ sql: String, _ arguments: [SQLValue] = []) throws(StoreFailure) -> [SQLRow] {
        var rows: [SQLRow] = []
        try forEachRow(sql, arguments) { rows.append($0) }
        return rows
    }

    /// Hands over row by row, for answers that should not be held in memory twice.
    func forEachRow(_ sql: String, _ arguments: [SQLValue] = [], _ body: (SQLRow) throws -> Void) throws(StoreFailure) {
        try translating {
            let cursor = try Row.fetchCursor(
                database.cachedStatement(sql: sql), arguments: StatementArguments(arguments))
            while let row = try cursor.next() { try body(SQLRow(row)) }
        }
    }
}

/// The store's way to its database, and the only file that knows which one it is.
///
/// There is no protocol above it: it would have one implementation. What a second one (PostgreSQL) has to offer is what
/// this file offers, in some sixty lines; the SQL above it is portable, with `?` for arguments.
struct SQLiteDriver: Sendable {
    private let pool: DatabasePool

    /// How long a statement waits for another process (a backup, an operator's shell) that holds the database.
    static let patience: Double = 5

    init(path: String) throws(StoreFailure) {
        var configuration = Configuration()
        configuration.busyMode = .timeout(SQLiteDriver.patience)
        configuration.maximumReaderCount = 4
        configuration.label = "ddirect.store"
        pool = try translating {
            let pool = try DatabasePool(path: path, configuration: configuration)
            // FULL: a version that a data plane has applied must outlive a power cut, or versions would be given twice.
            // Only now, since the pool itself chooses NORMAL when it sets up the journal.
            try pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
            return pool
        }
    }

    /// Reads a consistent state, beside any writer.
    func read<Value: Sendable>(_ body: @escaping @Sendable (SQLConnection) throws -> Value) async throws -> Value {
        do {
            return try await pool.read { try body(SQLConnection(database: $0)) }
        } catch {
            throw StoreFailure.translated(error)
        }
    }

    /// Runs `body` in a transaction of its own, one at a time, and `committed` after the commit, still before the next
    /// writer.
    ///
    /// A thrown error rolls everything back. `body` answers nil to roll back without an error.
    func write<Value: Sendable>(
        _ body: @escaping @Sendable (SQLConnection) throws -> Value?,
        committed: @escaping @Sendable (Value) -> Void = { _ in }
    ) async throws -> Value? {
        do {
            return try await pool.writeWithoutTransaction { database in
                var value: Value?
                try database.inTransaction(.immediate) {
                    value = try body(SQLConnection(database: database))
                    return value == nil ? .rollback : .commit
                }
                if let value { committed(value) }
                return value
            }
        } catch {
            throw StoreFailure.translated(error)
        }
    }

    /// Brings everything from the journal into the database's own file, so that this alone is a whole copy, and closes.
    ///
    /// A reader of another process may keep the journal from being emptied; nothing is lost then, and the next start
    /// takes it in.
    func close() async throws {
        do {
            try await pool.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) }
        } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY {
            // Somebody reads it: see above.
        } catch {
            throw StoreFailure.translated(error)
        }
        try translating { try pool.close() }
    }
}

extension SQLRow {
    fileprivate init(_ row: Row) {
        self.init(
            row.databaseValues.map { value in
                switch value.storage {
                case .int64(let number): .integer(number)
                case .string(let text): .text(text)
                default: .null
                }
            })
    }
}

extension StatementArguments {
    fileprivate init(_ values: [SQLValue]) {
        self.init(
            values.map { value -> (any DatabaseValueConvertible)? in
                switch value {
                case .null: nil
                case .integer(let number): number
                case .text(let text): text
                }
            })
    }
}

private func translating<Value>(_ body: () throws -> Value) throws(StoreFailure) -> Value {
    do {
        return try body()
    } catch {
        guard let failure = StoreFailure.translated(error) as? StoreFailure else { throw .other("\(error)") }
        throw failure
    }
}

extension StoreFailure {
    /// The database's own errors in our words; any other error stays as it is.
    fileprivate static func translated(_ error: any Error) -> any Error {
        guard let error = error as? DatabaseError else { return error }
        // The statement's arguments are not shown: they may hold what logs must not.
        let cause = "\(error.message ?? "no message"), SQLite code \(error.extendedResultCode.rawValue)"
        switch error.resultCode {
        case .SQLITE_BUSY, .SQLITE_LOCKED: return StoreFailure.busy(cause)
        case .SQLITE_FULL, .SQLITE_IOERR, .SQLITE_READONLY: return StoreFailure.cannotWrite(cause)
        case .SQLITE_CORRUPT, .SQLITE_NOTADB: return StoreFailure.damaged(cause)
        case .SQLITE_CANTOPEN, .SQLITE_PERM: return StoreFailure.cannotOpen(cause)
        case .SQLITE_CONSTRAINT: return StoreFailure.constraint(cause)
        default: return StoreFailure.other(cause)
        }
    }
}
