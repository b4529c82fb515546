import ArgumentParser
import SagaParticipant
import Shop

/// The service `payments`.
@main
struct ShopPayments: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shop-payments", abstract: "The shop's accounts: charges orders and refunds them.")

    @OptionGroup var service: ShopService

    func run() async throws {
        try await service.run("payments") { db, seed in
            try Ledger.createTables(db)
            try Ledger.fill(db, from: seed)
        } _: { payments in
            payments.on("charge") { (request: OrderRequest, step, db) in
                guard let priced = try step.result(of: "create", as: PricedOrder.self) else {
                    throw Refusal("no-total", "the definition's step must use the result of the step create")
                }
                try Ledger(db).charge(request, priced)
            }
            payments.on("refund") { (request: OrderRequest, _, db) in try Ledger(db).refund(request) }
        }
    }
}
