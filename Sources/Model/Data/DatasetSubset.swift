internal import Kernels

/// Some pictures of a data set, in an order of their own.
final class DatasetSubset: Dataset {
  let name: String
  var classNames: [String] { whole.classNames }
  var count: Int { indices.count }
  private let whole: any Dataset
  private let indices: [Int32]

  init(of whole: any Dataset, indices: [Int32], name: String? = nil) {
    self.whole = whole
    self.indices = indices
    self.name = name ?? whole.name
  }

  func label(_ index: Int) -> Int { whole.label(Int(indices[index])) }
  func file(_ index: Int) -> String? { whole.file(Int(indices[index])) }
  func digest(_ index: Int) throws -> String? { try whole.digest(Int(indices[index])) }
  func image(_ index: Int) throws -> ImageRGB { try whole.image(Int(indices[index])) }
  func withPixels(_ index: Int, _ body: (PixelView) -> Void) throws {
    try whole.withPixels(Int(indices[index]), body)
  }
}

extension Dataset {
  /// The pictures of each class, in order.
  var indicesByClass: [[Int32]] {
    var groups = [[Int32]](repeating: [], count: classNames.count)
    for index in 0..<count where label(index) >= 0 { groups[label(index)].append(Int32(index)) }
    return groups
  }

  /// The pictures in the smallest and in the largest class.
  public var classSizes: ClosedRange<Int> {
    let sizes = indicesByClass.map(\.count)
    return (sizes.min() ?? 0)...(sizes.max() ?? 0)
  }

  /// So many pictures, as equally from every class as there are enough: the first of each class,
  /// then the second of each, and so on. The order is kept.
  func sample(_ limit: Int) -> any Dataset {
    guard limit < count else { return self }
    let groups = indicesByClass
    var chosen: [Int32] = []
    for round in 0..<(groups.map(\.count).max() ?? 0) where chosen.count < limit {
      for group in groups where round < group.count && chosen.count < limit {
        chosen.append(group[round])
      }
    }
    return DatasetSubset(of: self, indices: chosen.sorted())
  }

  /// Two sets drawn from this one: a share of every class, and the rest.
  ///
  /// The draw depends on the seed and the class alone. Of a class of two pictures or more each side
  /// gets at least one; a single picture stays in the rest.
  func split(fraction: Double, seed: UInt64) -> (rest: [Int32], drawn: [Int32]) {
    var rest: [Int32] = []
    var drawn: [Int32] = []
    for (label, group) in indicesByClass.enumerated() {
      var random = CounterRandom(seed: seed, stream: .split, counters: UInt64(label))
      let order = group.drawn(&random)
      let wanted = Int((fraction * Double(group.count)).rounded())
      let count = max(min(wanted, group.count - 1), min(1, group.count - 1), 0)
      drawn += order.prefix(count)
      rest += order.dropFirst(count)
    }
    return (rest.sorted(), drawn.sorted())
  }
}

extension DataSource {
  /// The same data with a share of each class of the training set taken for validation.
  ///
  /// - Throws: `DataError.ownValidation` when there are pictures for validation already, and
  ///   `.tooFewToSplit`.
  public func settingAside(_ fraction: Double, seed: UInt64) throws -> DataSource {
    precondition(fraction > 0 && fraction < 1)
    guard !hasSeparateValidation else { throw DataError.ownValidation(name: name) }
    let (rest, drawn) = train.split(fraction: fraction, seed: seed)
    guard !drawn.isEmpty, !rest.isEmpty else {
      throw DataError.tooFewToSplit(name: name, count: train.count)
    }
    let validation = DatasetSubset(of: train, indices: drawn, name: "\(name) validation")
    return DataSource(
      name: name, kind: kind, train: DatasetSubset(of: train, indices: rest),
      validation: validation, test: test.count > 0 ? test : validation, files: files,
      remarks: remarks, bytes: bytes, recipe: recipe + "split \(fraction) \(seed)\n")
  }

  /// The same data with at most so many pictures in each set, spread over the classes.
  public func limited(to limit: Int) throws -> DataSource {
    guard limit > 0 else { throw DataError.limit(limit) }
    return mapping(recipe: "limit \(limit)\n") { $0.sample(limit) }
  }

  /// The same data with every set changed.
  func mapping(
    recipe addition: String, _ change: (any Dataset) throws -> any Dataset
  ) rethrows -> DataSource {
    let newTrain = try change(train)
    // One set stays one set.
    let newValidation = hasSeparateValidation ? try change(validation) : nil
    return DataSource(
      name: name, kind: kind, train: newTrain, validation: newValidation, test: try change(test),
      files: files, remarks: remarks, bytes: bytes, recipe: recipe + addition)
  }
}
