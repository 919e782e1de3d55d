let sourceDigests: [String: String] = [:]
