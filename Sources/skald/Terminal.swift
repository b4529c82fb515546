import Foundation
import SagaCore
import SagaWire

/// Text for people: aligned, and harmless to a terminal.
enum Terminal {
    /// Replaces control and bidirectional characters, which could rewrite what a terminal shows, and line ends, which
    /// could add lines that nobody wrote.
    static func clean(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x00..<0x20, 0x7f..<0xa0, 0x061c, 0x200e, 0x200f, 0x2028...0x202e, 0x2066...0x2069:
                result += "\\u{\(String(scalar.value, radix: 16))}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// Rows in columns, cleaned; the last column is not padded.
    static func table(_ header: [String], _ rows: [[String]]) -> String {
        let rows = ([header] + rows).map { $0.map(clean) }
        let widths = header.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            row.indices.map { column in
                column == row.count - 1 ? row[column] : pad(row[column], to: widths[column])
            }.joined(separator: "  ")
        }.joined(separator: "\n")
    }

    static func pad(_ text: String, to width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    /// An instant in local time, to the millisecond.
    static func time(_ instant: Milliseconds?) -> String {
        guard let instant else { return "-" }
        return formatter.string(from: Date(timeIntervalSince1970: Double(instant) / 1_000))
    }

    private static var formatter: DateFormatter {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.dateFormat = "yyyy-MM-dd HH:mm:ss.SSS"
        return formatter
    }

    /// A span of time, to the second where it has some.
    static func span(_ span: Milliseconds) -> String {
        DurationText.format(span < 1_000 ? span : span / 1_000 * 1_000)
    }

    /// A payload, shortened to one line.
    static func payload(_ payload: [UInt8]?, limit: Int = 160) -> String {
        guard let payload else { return "-" }
        if let id = PayloadKeys.keyID(of: payload) { return "encrypted with key \(id)" }
        var writer = JSONWriter()
        writer.payload(payload)
        let text = writer.text
        return text.count > limit ? text.prefix(limit) + "…" : text
    }
}

/// Prints one JSON value on a line.
func printJSON(_ body: (inout JSONWriter) -> Void) {
    var writer = JSONWriter()
    body(&writer)
    print(writer.text)
}
