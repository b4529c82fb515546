import Foundation
import GRDB
import SagaParticipant
import Shop
import Testing
import shop_inventory
import shop_orders
import shop_payments

/// The rules of the shop's services over real rows, without sagas.
@Suite struct ShopRulesTests {
    private let tea = OrderRequest.Line(sku: "tea", quantity: 2)
    private let cup = OrderRequest.Line(sku: "cup", quantity: 3)

    private let shop = ShopSeed(
        products: [.init(sku: "tea", price: 500), .init(sku: "cup", price: 700)],
        days: [.init(day: "monday", capacity: 1)],
        stock: [.init(sku: "tea", quantity: 5), .init(sku: "cup", quantity: 2)],
        accounts: [.init(customer: "ada", balance: 900, credit: 100)])

    private func request(
        _ lines: OrderRequest.Line..., order: String = "o-1", customer: String = "ada", day: String = "monday"
    ) -> OrderRequest {
        OrderRequest(order: order, customer: customer, day: day, lines: lines)
    }

    private func refused(_ code: String, _ body: () throws -> Void) {
        do {
            try body()
            Issue.record("not refused")
        } catch let refusal as Refusal {
            #expect(refusal.code == code)
        } catch {
            Issue.record("\(error)")
        }
    }

    /// A database that a service has prepared, and one transaction on it.
    private func transaction(
        _ prepare: (Database, ShopSeed) throws -> Void, _ body: (Database) throws -> Void
    ) throws {
        try DatabaseQueue().write { db in
            try prepare(db, shop)
            try body(db)
        }
    }

    // MARK: orders

    private func orders(_ body: (Database) throws -> Void) throws {
        try transaction(
            { db, shop in
                try OrderBook.createTables(db)
                try OrderBook.fill(db, from: shop)
            }, body)
    }

    @Test func anOrderIsCreatedAtTodaysPrices() throws {
        try orders { db throws in
            #expect(try OrderBook(db).create(request(tea, cup)) == PricedOrder(total: 3_100))
            #expect(try String.fetchOne(db, sql: "SELECT status FROM orders WHERE id = 'o-1'") == "pending")
            #expect(try Int.fetchOne(db, sql: "SELECT sum(quantity) FROM lines WHERE order_id = 'o-1'") == 5)
        }
    }

    @Test func whatTheShopDoesNotSellOrDeliverIsRefused() throws {
        try orders { db throws in
            refused(RefusalCodes.unknownProduct) {
                _ = try OrderBook(db).create(request(.init(sku: "gin", quantity: 1)))
            }
            refused(RefusalCodes.unknownDay) { _ = try OrderBook(db).create(request(tea, day: "sunday")) }
            _ = try OrderBook(db).create(request(tea))
            refused(RefusalCodes.orderExists) { _ = try OrderBook(db).create(request(cup)) }
        }
    }

    @Test func confirmingBooksTheDayUntilItIsFull() throws {
        try orders { db throws in
            let book = OrderBook(db)
            for order in ["o-1", "o-2"] { _ = try book.create(request(tea, order: order)) }
            try book.confirm(request(tea, order: "o-1"))
            refused(RefusalCodes.dayFull) { try book.confirm(request(tea, order: "o-2")) }
            try book.cancel(request(tea, order: "o-2"))
            #expect(try Int.fetchOne(db, sql: "SELECT booked FROM days") == 1)
            #expect(
                try String.fetchAll(db, sql: "SELECT status FROM orders ORDER BY id") == ["confirmed", "cancelled"])
        }
    }

    @Test func onlyAPendingOrderIsCancelled() throws {
        try orders { db throws in
            refused(RefusalCodes.unexpectedState) { try OrderBook(db).cancel(request(tea)) }
            _ = try OrderBook(db).create(request(tea))
            try OrderBook(db).confirm(request(tea))
            refused(RefusalCodes.unexpectedState) { try OrderBook(db).cancel(request(tea)) }
        }
    }

    // MARK: inventory

    private func inventory(_ body: (Database) throws -> Void) throws {
        try transaction(
            { db, shop in
                try StockRoom.createTables(db)
                try StockRoom.fill(db, from: shop)
            }, body)
    }

    private func available(_ sku: String, _ db: Database) throws -> Int? {
        try Int.fetchOne(db, sql: "SELECT available FROM stock WHERE sku = ?", arguments: [sku])
    }

    @Test func whatIsReservedLeavesTheStockAndComesBackWhenReleased() throws {
        try inventory { db throws in
            try StockRoom(db).reserve(request(tea))
            #expect(try available("tea", db) == 3)
            try StockRoom(db).release(request(tea))
            #expect(try available("tea", db) == 5)
            refused(RefusalCodes.unexpectedState) { try StockRoom(db).release(request(tea)) }
        }
    }

    @Test func tooLittleStockIsRefused() throws {
        try inventory { db throws in
            refused(RefusalCodes.outOfStock) { try StockRoom(db).reserve(request(cup)) }
            refused(RefusalCodes.outOfStock) { try StockRoom(db).reserve(request(.init(sku: "gin", quantity: 1))) }
        }
    }

    // MARK: payments

    private func payments(_ body: (Database) throws -> Void) throws {
        try transaction(
            { db, shop in
                try Ledger.createTables(db)
                try Ledger.fill(db, from: shop)
            }, body)
    }

    private func balance(_ db: Database) throws -> Int? { try Int.fetchOne(db, sql: "SELECT balance FROM accounts") }

    @Test func aBalanceFallsAsFarAsTheCreditGoes() throws {
        try payments { db throws in
            try Ledger(db).charge(request(tea, order: "o-1"), PricedOrder(total: 1_000))
            #expect(try balance(db) == -100)
            refused(RefusalCodes.creditExceeded) {
                try Ledger(db).charge(request(tea, order: "o-2"), PricedOrder(total: 1))
            }
            refused(RefusalCodes.unknownCustomer) {
                try Ledger(db).charge(request(tea, order: "o-3", customer: "bob"), PricedOrder(total: 1))
            }
        }
    }

    @Test func aRefundGivesBackWhatWasChargedOnce() throws {
        try payments { db throws in
            try Ledger(db).charge(request(tea), PricedOrder(total: 400))
            try Ledger(db).refund(request(tea))
            #expect(try balance(db) == 900)
            refused(RefusalCodes.unexpectedState) { try Ledger(db).refund(request(tea)) }
        }
    }

    // MARK: requests

    @Test(arguments: [
        #"{"order":"o","customer":"c","day":"d","lines":[]}"#,
        #"{"order":"o","customer":"c","day":"d","lines":[{"sku":"tea","quantity":0}]}"#,
        #"{"order":"o","customer":"c","day":"d","lines":[{"sku":"tea","quantity":9223372036854775807}]}"#,
        #"{"order":"o","customer":"c","day":"d","lines":[{"sku":"tea","quantity":1},{"sku":"tea","quantity":1}]}"#,
        #"{"order":"o","customer":"c","lines":[{"sku":"tea","quantity":1}]}"#,
    ])
    func aRequestThatNoServiceCouldWorkWithIsNotDecoded(_ json: String) {
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(OrderRequest.self, from: Data(json.utf8)) }
    }
}
