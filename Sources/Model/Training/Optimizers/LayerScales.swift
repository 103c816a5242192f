import Foundation

/// Learning rates that fall from the classifier towards the images, as timm's layer decay has them.
///
/// The stem is layer 0, each block one more; what lies between the last block and the classifier
/// belongs to the last block, and the classifier is a layer of its own.
struct LayerScales {
  private let tensors: [(end: Int, scale: Double)]

  /// - Parameters:
  ///   - decay: the rate of a layer as a share of that of the next one.
  ///   - smallest: the least that a scale becomes.
  init(_ table: ParameterTable, decay: Double, smallest: Double = 0) {
    tensors = Self.scales(of: table, decay: decay, smallest: smallest).map { info, scale in
      (roundUp(info.offset + info.count, to: 16), scale)
    }.sorted { $0.end < $1.end }
  }

  /// The scale of each trained tensor, in the order of the table.
  static func scales(
    of table: ParameterTable, decay: Double, smallest: Double
  ) -> [(info: ParameterInfo, scale: Double)] {
    let layers = layers(of: table)
    let last = layers.map(\.layer).max() ?? 0
    return layers.map { ($0.info, max(smallest, pow(decay, Double(last - $0.layer)))) }
  }

  /// The layer of each trained tensor, in the order of the table.
  static func layers(of table: ParameterTable) -> [(info: ParameterInfo, layer: Int)] {
    let weights = table.entries.filter { $0.storage == .weights }
    let blocks =
      weights.compactMap { info in
        if case .block(_, _, let ordinal) = info.role.unit { ordinal + 1 } else { nil as Int? }
      }.max() ?? 0
    return weights.map { info in
      switch info.role.unit {
      case .stem: (info, 0)
      case .block(_, _, let ordinal): (info, ordinal + 1)
      case .head: (info, blocks)
      case .classifier: (info, blocks + 1)
      }
    }
  }

  /// A group cut where the scale changes.
  func split(_ group: UpdateGroup) -> [UpdateGroup] {
    var groups: [UpdateGroup] = []
    var start = group.range.lowerBound
    for tensor in tensors where tensor.end > start && start < group.range.upperBound {
      if let last = groups.last, last.rateScale == tensor.scale {
        groups[groups.count - 1] = UpdateGroup(
          range: last.range.lowerBound..<tensor.end, decays: group.decays,
          rateScale: tensor.scale)
      } else {
        groups.append(
          UpdateGroup(range: start..<tensor.end, decays: group.decays, rateScale: tensor.scale))
      }
      start = tensor.end
    }
    return groups
  }
}
