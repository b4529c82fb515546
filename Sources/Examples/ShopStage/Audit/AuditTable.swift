/// An audit as a table, for people.
package struct AuditTable: CustomStringConvertible {
    private let counts: Audit.Counts

    package init(_ audit: Audit) {
        counts = audit.counts
    }

    package var description: String { (orders + [""] + sums).joined(separator: "\n") }

    /// One column for each of those who must agree, one line for each way that an order can end.
    private var orders: [String] {
        let (orders, reservations, payments, sagas) = (
            counts.orders, counts.reservations, counts.payments, counts.sagas
        )
        func part(_ word: String, _ count: Int) -> String { "\(word) \(count.grouped)" }
        let known = ["confirmed", "cancelled", "reserved", "released", "captured", "refunded", ""]
        func other(_ parts: [String: Int]) -> String {
            part("other", parts.filter { !known.contains($0.key) }.values.reduce(0, +))
        }
        return Self.lines([
            ["", "orders", "inventory", "payments", "sagas"],
            [
                "kept", part("confirmed", orders["confirmed", default: 0]),
                part("reserved", reservations["reserved", default: 0]),
                part("captured", payments["captured", default: 0]), part("completed", sagas[.completed, default: 0]),
            ],
            [
                "undone", part("cancelled", orders["cancelled", default: 0]),
                part("released", reservations["released", default: 0]),
                part("refunded", payments["refunded", default: 0]),
                part("compensated", sagas[.compensated, default: 0]),
            ],
            [
                "never begun", part("none", orders["", default: 0]), part("none", reservations["", default: 0]),
                part("none", payments["", default: 0]), "",
            ],
            [
                "half done", other(orders), other(reservations), other(payments),
                part("without end", sagas[.stuck, default: 0] + sagas[.unfinished, default: 0]),
            ],
        ])
    }

    private var sums: [String] {
        Self.lines([
            [
                "articles", "\(counts.stockInitial.grouped) at first", "=", "\(counts.stockLeft.grouped) left",
                "+ \(counts.stockReserved.grouped) reserved",
            ],
            [
                "cents", "\(counts.moneyOpening.grouped) at first", "=", "\(counts.moneyLeft.grouped) left",
                "+ \(counts.moneyCaptured.grouped) captured",
            ],
            [
                "deliveries", "\(counts.daysBooked.grouped) booked", "=",
                "\(counts.orders["confirmed", default: 0].grouped) confirmed", "",
            ],
        ])
    }

    private static func lines(_ rows: [[String]]) -> [String] {
        let widths = (rows.first ?? []).indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            let cells = zip(row, widths).map { cell, width in cell + String(repeating: " ", count: width - cell.count) }
            let line = "  " + cells.joined(separator: "   ")
            return String(line.reversed().drop(while: { $0 == " " }).reversed())
        }
    }
}

extension Int {
    /// In groups of three digits: 1,200.
    package var grouped: String {
        var digits = String(magnitude)
        var groups: [String] = []
        while digits.count > 3 {
            groups.insert(String(digits.suffix(3)), at: 0)
            digits.removeLast(3)
        }
        return (self < 0 ? "-" : "") + ([digits] + groups).joined(separator: ",")
    }
}
