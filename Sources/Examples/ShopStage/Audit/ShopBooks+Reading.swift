import GRDB

extension ShopBooks {
    /// Reads the databases, each by itself and changing nothing.
    package init(orders: String, inventory: String, payments: String) throws {
        self.init()
        try Self.read(orders) { try readOrders($0) }
        try Self.read(inventory) { try readInventory($0) }
        try Self.read(payments) { try readPayments($0) }
    }

    private static func read(_ path: String, _ body: (Database) throws -> Void) throws {
        var configuration = Configuration()
        configuration.readonly = true
        let database = try DatabaseQueue(path: path, configuration: configuration)
        try database.read(body)
        try database.close()
    }

    private mutating func readOrders(_ db: Database) throws {
        for row in try Row.fetchAll(db, sql: "SELECT id, customer, day, total, status FROM orders") {
            orders[row["id"]] = Order(
                customer: row["customer"], day: row["day"], total: row["total"], status: row["status"])
        }
        for row in try Row.fetchAll(db, sql: "SELECT order_id, sku, quantity FROM lines") {
            orders[row["order_id"]]?.lines[row["sku"]] = row["quantity"]
        }
        for row in try Row.fetchAll(db, sql: "SELECT day, capacity, booked FROM days") {
            days[row["day"]] = Day(capacity: row["capacity"], booked: row["booked"])
        }
    }

    private mutating func readInventory(_ db: Database) throws {
        for row in try Row.fetchAll(db, sql: "SELECT sku, initial, available FROM stock") {
            stock[row["sku"]] = Stock(initial: row["initial"], available: row["available"])
        }
        for row in try Row.fetchAll(db, sql: "SELECT order_id, sku, quantity, status FROM reservations") {
            let status: String = row["status"]
            var reservation = reservations[row["order_id"]] ?? Reservation(status: status)
            if reservation.status != status { reservation.status = "part \(reservation.status), part \(status)" }
            reservation.lines[row["sku"]] = row["quantity"]
            reservations[row["order_id"]] = reservation
        }
    }

    private mutating func readPayments(_ db: Database) throws {
        for row in try Row.fetchAll(db, sql: "SELECT customer, opening, balance, credit FROM accounts") {
            accounts[row["customer"]] = Account(
                opening: row["opening"], balance: row["balance"], credit: row["credit"])
        }
        for row in try Row.fetchAll(db, sql: "SELECT order_id, customer, amount, status FROM payments") {
            payments[row["order_id"]] = Payment(
                customer: row["customer"], amount: row["amount"], status: row["status"])
        }
    }
}
