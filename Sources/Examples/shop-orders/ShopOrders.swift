import ArgumentParser
import SagaParticipant
import Shop

/// The service `orders`.
@main
struct ShopOrders: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shop-orders", abstract: "The shop's orders: creates, confirms and cancels them.")

    @OptionGroup var service: ShopService

    func run() async throws {
        try await service.run("orders") { db, seed in
            try OrderBook.createTables(db)
            try OrderBook.fill(db, from: seed)
        } _: { orders in
            orders.on("create-order") { (request: OrderRequest, _, db) in try OrderBook(db).create(request) }
            orders.on("confirm-order") { (request: OrderRequest, _, db) in try OrderBook(db).confirm(request) }
            orders.on("cancel-order") { (request: OrderRequest, _, db) in try OrderBook(db).cancel(request) }
        }
    }
}
