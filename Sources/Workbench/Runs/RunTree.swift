/// Runs in the order of a family tree, with the branches drawn in front of the names.
enum RunTree {
  /// A run's place in the tree.
  struct Entry: Equatable {
    /// The index of the run among those given.
    let index: Int
    /// What stands in front of its name: `├─ `.
    let branch: String
  }

  /// - Parameters:
  ///   - names: the runs; children keep their order.
  ///   - parents: the name of each run's parent; a parent that is not among the runs counts as none.
  static func entries(names: [String], parents: [String?]) -> [Entry] {
    var children: [String: [Int]] = [:]
    var roots: [Int] = []
    for (index, parent) in parents.enumerated() {
      if let parent, parent != names[index], names.contains(parent) {
        children[parent, default: []].append(index)
      } else {
        roots.append(index)
      }
    }
    var entries: [Entry] = []
    var seen: Set<Int> = []
    func visit(_ index: Int, branch: String, stem: String) {
      guard seen.insert(index).inserted else { return }
      entries.append(Entry(index: index, branch: branch))
      let below = children[names[index]] ?? []
      for (place, child) in below.enumerated() {
        let isLast = place == below.count - 1
        visit(
          child, branch: stem + (isLast ? "└─ " : "├─ "), stem: stem + (isLast ? "   " : "│  "))
      }
    }
    for root in roots { visit(root, branch: "", stem: "") }
    // A file that says two runs are each other's parents must not hide them.
    for index in names.indices { visit(index, branch: "", stem: "") }
    return entries
  }
}
