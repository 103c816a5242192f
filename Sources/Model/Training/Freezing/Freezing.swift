/// Which tensors of a network a training leaves as they are, and which of its batch norms keep their
/// statistics.
///
/// The backward pass needs only the part of the network that lies behind the first tensor that
/// trains; the table's order, timm's, is the order in which the layers are computed.
public struct Freezing: Sendable {
  /// Everything trains.
  public static let none = Freezing()

  /// The tensors that are frozen, by their places in the table.
  private let frozen: Set<Int>
  private let fixesNorms: Bool
  /// The place of the first tensor that trains, and where in the network that is.
  private let firstTrained: Int
  private let firstDepth: Int
  /// The elements of the flat weight buffer that are frozen, gaps included, in order.
  let frozenRanges: [Range<Int>]

  private init() {
    (frozen, fixesNorms, firstTrained, firstDepth, frozenRanges) = ([], false, 0, 0, [])
  }

  /// Applies a rule to a network.
  ///
  /// - Parameter others: the places in the table of tensors that do not train either.
  /// - Throws: `HyperparameterError.frozenNothing` for a pattern that fits no tensor,
  ///   `.frozenEverything` when nothing would train.
  public init(
    _ rule: FreezeRule, _ table: ParameterTable, with others: Set<Int> = []
  ) throws(HyperparameterError) {
    let frozen = try rule.frozen(in: table).union(others)
    let first = table.entries.indices.first {
      table.entries[$0].storage == .weights && !frozen.contains($0)
    }
    guard let first else { throw .frozenEverything(rule.patterns.joined(separator: ",")) }
    self.frozen = frozen
    fixesNorms = rule.fixesNorms
    firstTrained = first
    firstDepth = table.entries[first].role.unit.depth
    var ranges: [Range<Int>] = []
    for info in frozen.map({ table.entries[$0] }).sorted(by: { $0.offset < $1.offset }) {
      let end = roundUp(info.offset + info.count, to: 16)
      if ranges.last?.upperBound == info.offset {
        ranges[ranges.count - 1] = ranges[ranges.count - 1].lowerBound..<end
      } else {
        ranges.append(info.offset..<end)
      }
    }
    frozenRanges = ranges
  }

  /// Whether a tensor trains.
  func trains(_ reference: ParameterReference) -> Bool { !frozen.contains(reference.index) }

  /// Whether any tensor in front of this one trains.
  func trainsBefore(_ reference: ParameterReference) -> Bool { firstTrained < reference.index }

  /// Whether anything trains in the stem, or up to and in a block by its place among all blocks.
  var trainsStem: Bool { firstDepth == ParameterRole.Unit.stem.depth }
  func trains(upToBlock ordinal: Int) -> Bool {
    firstDepth <= ParameterRole.Unit.block(stage: 0, index: 0, ordinal: ordinal).depth
  }

  /// Whether a batch norm uses its running statistics and leaves them as they are: where its scale
  /// and shift are frozen, or, if no tensor is frozen, everywhere.
  func fixesStatistics(of norm: NormReferences) -> Bool {
    fixesNorms && (frozen.isEmpty || !trains(norm.scale) && !trains(norm.shift))
  }

  /// What of a range of the flat weight buffer trains, in order.
  func trainedRanges(in whole: Range<Int>) -> [Range<Int>] { whole.removing(frozenRanges) }

  /// The number of parameters of a network that train.
  public func trainedCount(in table: ParameterTable) -> Int {
    table.entries.indices.reduce(0) { sum, index in
      let info = table.entries[index]
      return info.storage == .weights && !frozen.contains(index) ? sum + info.count : sum
    }
  }
}

extension ParameterRole.Unit {
  /// A number that grows from the images to the logits.
  var depth: Int {
    switch self {
    case .stem: 0
    case .block(_, _, let ordinal): 1 + ordinal
    case .head: .max - 1
    case .classifier: .max
    }
  }
}

extension Range<Int> {
  /// What is left of the range without others, which are in order.
  func removing(_ others: [Range<Int>]) -> [Range<Int>] {
    var ranges: [Range<Int>] = []
    var start = lowerBound
    for range in others.map({ $0.clamped(to: self) }) where !range.isEmpty {
      if start < range.lowerBound { ranges.append(start..<range.lowerBound) }
      start = range.upperBound
    }
    if start < upperBound { ranges.append(start..<upperBound) }
    return ranges
  }
}
