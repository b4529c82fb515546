package import GRDB
import SagaParticipant
package import Shop

/// The inventory's rules, over the rows of one transaction: what is reserved for an order leaves the stock, and comes
/// back when it is released.
package struct StockRoom {
    let db: Database

    package init(_ db: Database) {
        self.db = db
    }

    package static func createTables(_ db: Database) throws {
        try db.execute(
            sql: """
                CREATE TABLE IF NOT EXISTS stock (
                    sku TEXT PRIMARY KEY,
                    initial INTEGER NOT NULL,
                    available INTEGER NOT NULL CHECK (available BETWEEN 0 AND initial)
                ) STRICT;
                CREATE TABLE IF NOT EXISTS reservations (
                    order_id TEXT NOT NULL,
                    sku TEXT NOT NULL REFERENCES stock,
                    quantity INTEGER NOT NULL CHECK (quantity > 0),
                    status TEXT NOT NULL CHECK (status IN ('reserved', 'released')),
                    PRIMARY KEY (order_id, sku)
                ) STRICT;
                """)
    }

    package static func fill(_ db: Database, from seed: ShopSeed) throws {
        for item in seed.stock {
            try db.execute(
                sql: "INSERT OR IGNORE INTO stock (sku, initial, available) VALUES (?, ?, ?)",
                arguments: [item.sku, item.quantity, item.quantity])
        }
    }

    /// Reserves every line of an order, or none: a refusal rolls back the lines before.
    package func reserve(_ request: OrderRequest) throws {
        for line in request.lines {
            try db.execute(
                sql: "UPDATE stock SET available = available - ?1 WHERE sku = ?2 AND available >= ?1",
                arguments: [line.quantity, line.sku])
            guard db.changesCount == 1 else { throw try shortage(of: line) }
            try db.execute(
                sql: "INSERT INTO reservations (order_id, sku, quantity, status) VALUES (?, ?, ?, 'reserved')",
                arguments: [request.order, line.sku, line.quantity])
        }
    }

    /// Puts back what is reserved for an order.
    package func release(_ request: OrderRequest) throws {
        let reserved = try Row.fetchAll(
            db, sql: "SELECT sku, quantity FROM reservations WHERE order_id = ? AND status = 'reserved'",
            arguments: [request.order])
        guard !reserved.isEmpty else {
            throw Refusal(RefusalCodes.unexpectedState, "nothing is reserved for \(request.order)")
        }
        for row in reserved {
            let (sku, quantity): (String, Int) = (row["sku"], row["quantity"])
            try db.execute(
                sql: "UPDATE stock SET available = available + ? WHERE sku = ?", arguments: [quantity, sku])
        }
        try db.execute(
            sql: "UPDATE reservations SET status = 'released' WHERE order_id = ? AND status = 'reserved'",
            arguments: [request.order])
    }

    private func shortage(of line: OrderRequest.Line) throws -> Refusal {
        let left = try Int.fetchOne(db, sql: "SELECT available FROM stock WHERE sku = ?", arguments: [line.sku]) ?? 0
        return Refusal(RefusalCodes.outOfStock, "\(line.sku): \(line.quantity) wanted, \(left) left")
    }
}
