import GRDB
import Shop
import Testing
import ShopStage
import shop_inventory
import shop_orders
import shop_payments

/// The audit over real database files, as the services write them.
@Suite struct AuditOfDatabasesTests {
    private let request = OrderRequest(
        order: "o-1", customer: "ada", day: "monday", lines: [.init(sku: "tea", quantity: 2)])

    private let shop = ShopSeed(
        products: [.init(sku: "tea", price: 500)], days: [.init(day: "monday", capacity: 9)],
        stock: [.init(sku: "tea", quantity: 5)], accounts: [.init(customer: "ada", balance: 2_000, credit: 0)])

    private func keptOrder() throws -> ShopDatabases {
        let databases = try ShopDatabases(shop)
        try databases.write("orders") { db in
            _ = try OrderBook(db).create(request)
            try OrderBook(db).confirm(request)
        }
        try databases.write("inventory") { try StockRoom($0).reserve(request) }
        try databases.write("payments") { try Ledger($0).charge(request, PricedOrder(total: 1_000)) }
        return databases
    }

    private func findings(_ databases: ShopDatabases, _ end: Audit.End = .completed) throws -> [String] {
        let books = try ShopBooks(
            orders: databases.path(of: "orders"), inventory: databases.path(of: "inventory"),
            payments: databases.path(of: "payments"))
        return Audit(books, started: ["o-1"], ends: ["o-1": end]).findings
    }

    @Test func whatTheServicesDidAddsUp() throws {
        #expect(try findings(try keptOrder()).isEmpty)
    }

    @Test(arguments: [
        ("orders", "UPDATE orders SET status = 'pending'"),
        ("orders", "DELETE FROM lines"),
        ("orders", "UPDATE days SET booked = 0"),
        ("inventory", "UPDATE stock SET available = available - 1"),
        ("inventory", "UPDATE reservations SET status = 'released'"),
        ("payments", "UPDATE accounts SET balance = balance + 1"),
        ("payments", "UPDATE payments SET status = 'refunded'"),
        ("payments", "DELETE FROM payments"),
    ])
    func aRowThatWasTamperedWithIsFound(_ service: String, _ sql: String) throws {
        let databases = try keptOrder()
        try databases.write(service) { try $0.execute(sql: sql) }
        #expect(try findings(databases).isEmpty == false)
    }

    @Test func anUndoneOrderAddsUpToo() throws {
        let databases = try ShopDatabases(shop)
        try databases.write("orders") { db in
            _ = try OrderBook(db).create(request)
            try OrderBook(db).cancel(request)
        }
        try databases.write("inventory") { db in
            try StockRoom(db).reserve(request)
            try StockRoom(db).release(request)
        }
        #expect(try findings(databases, .compensated).isEmpty)
    }
}
