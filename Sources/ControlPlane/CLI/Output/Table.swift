import JSON

/// Rows for people: aligned by spaces, numbers to the right, nothing after the last column.
struct Table {
    struct Column {
        enum Alignment { case left, right }

        let title: String
        let alignment: Alignment
        let value: (JSONValue) -> String

        init(_ title: String, _ alignment: Alignment = .left, value: @escaping (JSONValue) -> String) {
            self.title = title
            self.alignment = alignment
            self.value = value
        }
    }

    let columns: [Column]

    /// The lines of a table that is no wider than `width`: the last column gives way, down to what is still worth
    /// reading.
    func lines(_ rows: [JSONValue], within width: Int?) -> [String] {
        let lines = lines(rows)
        guard let width, let heading = lines.first, let title = columns.last?.title else { return lines }
        let room = max(width, heading.count - title.count + Table.narrowestLastColumn)
        return lines.map { $0.count > room ? $0.prefix(room - 1) + "…" : $0 }
    }

    /// Enough to tell one sentence from another. A table that is wider all the same wraps, rather than hide names.
    private static let narrowestLastColumn = 20

    /// The heading and one line per row. An empty value shows as `-`, so that every line has as many fields as the
    /// heading.
    func lines(_ rows: [JSONValue]) -> [String] {
        let cells =
            [columns.map(\.title)]
            + rows.map { row in
                columns.map { column in
                    let text = column.value(row).printable
                    return text.isEmpty ? "-" : text
                }
            }
        let widths = columns.indices.map { column in cells.map { $0[column].count }.max() ?? 0 }
        return cells.map { row in
            row.indices.map { column in
                let padding = String(repeating: " ", count: widths[column] - row[column].count)
                if columns[column].alignment == .right { return padding + row[column] }
                return column == row.indices.last ? row[column] : row[column] + padding
            }.joined(separator: "  ")
        }
    }
}

/// Labels and values, one below the other, for a single resource.
struct Details {
    private(set) var rows: [(label: String, value: String)] = []

    /// A row; without a value it reads `none`.
    mutating func add(_ label: String, _ value: String?) {
        rows.append((label, value.flatMap { $0.isEmpty ? nil : $0 } ?? "none"))
    }

    /// A row for each value below one label.
    mutating func add(_ label: String, _ values: [String]) {
        add(label, values.first)
        for value in values.dropFirst() { rows.append(("", value)) }
    }

    /// The rows every resource ends with.
    mutating func addHistory(of resource: JSONValue) {
        add("revision", resource["revision"].integer.map(String.init))
        add("created", resource["createdAt"].text.map { "\($0.shortTime) UTC" })
        add("updated", resource["updatedAt"].text.map { "\($0.shortTime) UTC" })
    }

    var lines: [String] {
        let width = rows.map(\.label.count).max() ?? 0
        return rows.map { row in
            row.label + String(repeating: " ", count: width - row.label.count + 2) + row.value.printable
        }
    }
}

/// A list in one cell: the first value, and how many more there are.
func abbreviated(_ values: [String]) -> String {
    guard let first = values.first else { return "" }
    return values.count == 1 ? first : "\(first) +\(values.count - 1)"
}
