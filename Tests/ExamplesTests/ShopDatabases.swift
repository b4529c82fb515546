import Foundation
import GRDB
import Shop
import shop_inventory
import shop_orders
import shop_payments

/// The three services' database files in a temporary directory.
final class ShopDatabases {
    let directory: URL

    init(_ seed: ShopSeed) throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "skald-shop-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        try write("orders") { db in
            try OrderBook.createTables(db)
            try OrderBook.fill(db, from: seed)
        }
        try write("inventory") { db in
            try StockRoom.createTables(db)
            try StockRoom.fill(db, from: seed)
        }
        try write("payments") { db in
            try Ledger.createTables(db)
            try Ledger.fill(db, from: seed)
        }
    }

    deinit {
        // What cannot be removed stays in the system's temporary directory, and harms nobody.
        try? FileManager.default.removeItem(at: directory)
    }

    func path(of service: String) -> String { directory.appending(path: "\(service).sqlite").path }

    func write(_ service: String, _ body: (Database) throws -> Void) throws {
        let queue = try DatabaseQueue(path: path(of: service))
        try queue.write(body)
        try queue.close()
    }
}
