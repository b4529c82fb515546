package import GRDB
import SagaParticipant
package import Shop

/// The orders' rules, over the rows of one transaction.
///
/// An order is `pending` until it is confirmed or cancelled. Confirming it books its place on the day of delivery.
/// Nothing here guards against a command that comes twice or too late: the participant's barrier does.
package struct OrderBook {
    let db: Database

    package init(_ db: Database) {
        self.db = db
    }

    package static func createTables(_ db: Database) throws {
        try db.execute(
            sql: """
                CREATE TABLE IF NOT EXISTS products (
                    sku TEXT PRIMARY KEY,
                    price INTEGER NOT NULL CHECK (price > 0)
                ) STRICT;
                CREATE TABLE IF NOT EXISTS days (
                    day TEXT PRIMARY KEY,
                    capacity INTEGER NOT NULL,
                    booked INTEGER NOT NULL DEFAULT 0 CHECK (booked BETWEEN 0 AND capacity)
                ) STRICT;
                CREATE TABLE IF NOT EXISTS orders (
                    id TEXT PRIMARY KEY,
                    customer TEXT NOT NULL,
                    day TEXT NOT NULL REFERENCES days,
                    total INTEGER NOT NULL,
                    status TEXT NOT NULL CHECK (status IN ('pending', 'confirmed', 'cancelled'))
                ) STRICT;
                CREATE TABLE IF NOT EXISTS lines (
                    order_id TEXT NOT NULL REFERENCES orders,
                    sku TEXT NOT NULL REFERENCES products,
                    quantity INTEGER NOT NULL CHECK (quantity > 0),
                    price INTEGER NOT NULL,
                    PRIMARY KEY (order_id, sku)
                ) STRICT;
                """)
    }

    package static func fill(_ db: Database, from seed: ShopSeed) throws {
        for product in seed.products {
            try db.execute(
                sql: "INSERT OR IGNORE INTO products (sku, price) VALUES (?, ?)",
                arguments: [product.sku, product.price])
        }
        for day in seed.days {
            try db.execute(
                sql: "INSERT OR IGNORE INTO days (day, capacity) VALUES (?, ?)", arguments: [day.day, day.capacity])
        }
    }

    /// Enters a pending order, at today's prices.
    package func create(_ request: OrderRequest) throws -> PricedOrder {
        guard try !exists("SELECT 1 FROM orders WHERE id = ?", request.order) else {
            throw Refusal(RefusalCodes.orderExists, "there is an order \(request.order) already")
        }
        guard try exists("SELECT 1 FROM days WHERE day = ?", request.day) else {
            throw Refusal(RefusalCodes.unknownDay, "nothing is delivered on \(request.day)")
        }
        var priced: [(line: OrderRequest.Line, price: Int)] = []
        for line in request.lines {
            guard
                let price = try Int.fetchOne(db, sql: "SELECT price FROM products WHERE sku = ?", arguments: [line.sku])
            else { throw Refusal(RefusalCodes.unknownProduct, "there is no product \(line.sku)") }
            priced.append((line, price))
        }
        let total = priced.reduce(0) { $0 + $1.line.quantity * $1.price }
        try db.execute(
            sql: "INSERT INTO orders (id, customer, day, total, status) VALUES (?, ?, ?, ?, 'pending')",
            arguments: [request.order, request.customer, request.day, total])
        for (line, price) in priced {
            try db.execute(
                sql: "INSERT INTO lines (order_id, sku, quantity, price) VALUES (?, ?, ?, ?)",
                arguments: [request.order, line.sku, line.quantity, price])
        }
        return PricedOrder(total: total)
    }

    /// Confirms a pending order, and books its place on the day of delivery.
    package func confirm(_ request: OrderRequest) throws {
        try db.execute(
            sql: "UPDATE days SET booked = booked + 1 WHERE day = ? AND booked < capacity", arguments: [request.day])
        guard db.changesCount == 1 else {
            throw Refusal(RefusalCodes.dayFull, "no more can be delivered on \(request.day)")
        }
        try move(request.order, to: "confirmed")
    }

    /// Cancels a pending order.
    package func cancel(_ request: OrderRequest) throws {
        try move(request.order, to: "cancelled")
    }

    private func move(_ order: String, to status: String) throws {
        try db.execute(
            sql: "UPDATE orders SET status = ? WHERE id = ? AND status = 'pending'", arguments: [status, order])
        guard db.changesCount == 1 else {
            throw Refusal(RefusalCodes.unexpectedState, "\(order) is no pending order: it cannot be \(status)")
        }
    }

    private func exists(_ sql: String, _ key: String) throws -> Bool {
        try Row.fetchOne(db, sql: sql, arguments: [key]) != nil
    }
}
