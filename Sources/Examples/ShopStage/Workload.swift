package import Shop

/// What the demo's shop begins with, and the orders that are placed: the same for the same seed.
///
/// The figures are chosen so that every rule of every service refuses some orders: a few articles run short, some
/// customers have too little money, one day has too little room, and now and then somebody orders what is not sold.
package struct Workload: Sendable {
    package let shop: ShopSeed
    package let orders: [OrderRequest]

    package init(orders count: Int, seed: UInt64) {
        var random = SplitMix64(state: seed)
        let products = (1...24).map {
            ShopSeed.Product(sku: "article-\($0)", price: .random(in: 150...4_000, using: &random))
        }
        let customers = (1...80).map { "customer-\($0)" }
        let days = ["monday", "tuesday", "wednesday", "thursday", "friday"]
        let requests = (0..<count).map { index in
            Self.request(number: index, products: products, customers: customers, days: days, &random)
        }
        orders = requests
        shop = ShopSeed(
            products: products,
            // Wednesday has room for half of what is asked of it.
            days: days.map { ShopSeed.Day(day: $0, capacity: $0 == "wednesday" ? count / 10 : count) },
            stock: Self.stock(of: products, for: requests),
            accounts: Self.accounts(of: customers, for: requests, products, &random))
    }

    private static func request(
        number: Int, products: [ShopSeed.Product], customers: [String], days: [String], _ random: inout SplitMix64
    ) -> OrderRequest {
        var skus = products.map(\.sku).shuffled(using: &random).prefix(.random(in: 1...3, using: &random))
        // One in fifty wants something that the shop has never sold.
        if Int.random(in: 0..<50, using: &random) == 0 { skus[0] = "moon-dust" }
        return OrderRequest(
            order: "order-\(number + 1)",
            customer: customers[.random(in: 0..<customers.count, using: &random)],
            day: days[.random(in: 0..<days.count, using: &random)],
            lines: skus.map { OrderRequest.Line(sku: $0, quantity: .random(in: 1...4, using: &random)) })
    }

    /// Enough of most articles; every sixth covers half of what is ordered of it.
    private static func stock(of products: [ShopSeed.Product], for orders: [OrderRequest]) -> [ShopSeed.Stock] {
        var wanted: [String: Int] = [:]
        for line in orders.flatMap(\.lines) { wanted[line.sku, default: 0] += line.quantity }
        return products.enumerated().map { index, product in
            let all = wanted[product.sku, default: 0]
            return ShopSeed.Stock(sku: product.sku, quantity: index % 6 == 0 ? all / 2 : all + 10)
        }
    }

    /// Enough money for most customers; every fifth has, credit included, half of what their orders cost.
    private static func accounts(
        of customers: [String], for orders: [OrderRequest], _ products: [ShopSeed.Product], _ random: inout SplitMix64
    ) -> [ShopSeed.Account] {
        let prices = Dictionary(uniqueKeysWithValues: products.map { ($0.sku, $0.price) })
        var costs: [String: Int] = [:]
        for order in orders {
            costs[order.customer, default: 0] += order.lines.reduce(0) { $0 + $1.quantity * prices[$1.sku, default: 0] }
        }
        return customers.enumerated().map { index, customer in
            let all = costs[customer, default: 0]
            let credit = Int.random(in: 0...all / 4, using: &random)
            return ShopSeed.Account(
                customer: customer, balance: index % 5 == 0 ? max(0, all / 2 - credit) : all, credit: credit)
        }
    }
}

/// A small generator with a seed (SplitMix64).
package struct SplitMix64: RandomNumberGenerator, Sendable {
    package var state: UInt64

    package init(state: UInt64) {
        self.state = state
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }
}
